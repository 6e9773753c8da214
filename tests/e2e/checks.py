"""What must be true of jobs when all is over: the API's word against what the tasks wrote themselves."""
TIME_SLACK_SECONDS = 0.05


def complaints_about_task(task, entries, planned):
    """`entries`: the task's own lines; `planned`: (seconds, exit code)."""
    seconds, code = planned
    status, said = task["status"], []
    wanted = {"state": "Finished", "reasonCode": "failed" if code else "normal", "exitCode": code, "signal": 0}
    for name, value in wanted.items():
        if status.get(name) != value:
            said.append(f"{name} is {status.get(name)!r}, not {value!r} ({status.get('reasonMessage')})")
    if [entry["what"] for entry in entries] != ["start", "end"]:
        said.append(f"it wrote {[entry['what'] for entry in entries]}")
        return said
    start, end = entries
    if {entry["job"] for entry in entries} != {task["jobId"]} or \
            {str(entry["slot"]) for entry in entries} != {task["taskContext"]["task.index"]}:
        said.append("it ran as another slot")
    if start["host"] != task["taskContext"].get("agent.host"):
        said.append(f"it ran on {start['host']}, not {task['taskContext'].get('agent.host')}")
    if end["code"] != code or end["at"] - start["at"] < seconds - TIME_SLACK_SECONDS:
        said.append(f"it ran {end['at'] - start['at']:.2f} s to {end['code']}, planned {planned}")
    return said


def complaints_about_job(job, tasks, ledger, plan):
    """Of a job without retries: one task per slot, each ended as planned. All complaints, as text."""
    said = []
    wanted = "failed" if any(code for _, code in plan) else "normal"
    if (job["status"]["state"], job["status"].get("reasonCode")) != ("Finished", wanted):
        said.append(f"the job is {job['status']}, not Finished as {wanted}")
    slots = sorted(int(task["taskContext"]["task.index"]) for task in tasks)
    if slots != list(range(len(plan))):
        said.append(f"its tasks have the slots {slots}")
    for task in tasks:
        slot = int(task["taskContext"]["task.index"])
        if slot < len(plan):
            said += [f"task {task['id']} of slot {slot}: {text}"
                     for text in complaints_about_task(task, ledger.get(task["id"], []), plan[slot])]
    return [f"job {job['id']}: {text}" for text in said]
