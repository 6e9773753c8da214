"""kill -9 of agent, shims, runtimes and unpackers at random moments while containers start and stop: nothing is left, and
what the API says is true. Needs what oci_case.py says."""
import os
import random
import signal
import sys
import time
import unittest

import oci_image
from cluster import Cell, processes_of, until
from oci_case import AGENT, MISSING, cgroup_name, cgroup_roots, is_alive, loops_below, run_here, text_of

KILLS = int(os.environ.get("TROUPE_OCI_KILLS", "40"))
SEED = int(os.environ.get("TROUPE_SEED", str(random.SystemRandom().randrange(1 << 32))))
TASKS = int(os.environ.get("TROUPE_OCI_TASKS", "24"))
SECONDS_MAX = int(os.environ.get("TROUPE_OCI_SECONDS", "220"))


@unittest.skipIf(MISSING, f"this machine lacks {', '.join(MISSING)}")
class OciKill(unittest.TestCase):
    def setUp(self):
        self.cell = self.enterContext(Cell("oci_kill", nodes=1, agents=1, seconds_max=SECONDS_MAX, driver=AGENT))
        oci_image.add_sound(f"{self.cell.folder}/layouts")
        self.cell.start()
        self.tasks = f"{self.cell.agent_data(1)}/tasks"
        self.name = cgroup_name(self.tasks)
        self.chance = random.Random(SEED)
        print(f"seed {SEED}: TROUPE_SEED={SEED} TROUPE_OCI_KILLS={KILLS} TROUPE_OCI_TASKS={TASKS} python3 tests/e2e/oci_kill_test.py", flush=True)

    def submit(self, number):
        seconds = self.chance.choice([0, 0.2, 1, 300])
        return self.cell.client.submit({
            "owner": {"teamEmail": "e2e@example.com"}, "applicationName": f"kill{number}",
            "container": {"image": {"name": "busybox", "tag": self.chance.choice("12")},
                          "entryPoint": ["/bin/sh", "-c", f"sleep {seconds} & sleep {seconds}; exit {number % 3}"],
                          "resources": {"cpu": 0.1, "memoryMB": 32, "diskMB": 16}},
            "batch": {"size": 3, "runtimeLimitSec": 600, "retryPolicy": {"immediate": {"retries": 0}}}})

    def containers(self):
        return {name for root in set(cgroup_roots().values()) if os.path.isdir(f"{root}/{self.name}")
                for name in os.listdir(f"{root}/{self.name}") if os.path.isdir(f"{root}/{self.name}/{name}")}

    def victim(self):
        """A process of ours on that host, or None; the agent itself is None, too."""
        kind = self.chance.choice(["agent", "troupe-shim", "troupe-shim", "crun", "troupe-unpack", "init"])
        found = [pid for pid, command in processes_of(self.cell.folder).items()
                 if command and os.path.basename(command.split()[0]) == kind]
        if kind == "init":
            found = [int(words[0]) for name in self.containers()
                     if (words := text_of(f"{self.tasks}/tasks/{name}/task.pid").split())]
        return kind, (self.chance.choice(found) if found else None)

    def kill_one(self):
        kind, pid = self.victim()
        if kind == "agent":
            self.cell.agents[1].kill()
            time.sleep(self.chance.random() * 0.3)
            self.cell.agents[1].start()
        elif pid and is_alive(pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return None
        else:
            return None
        return kind

    def test_M3_alpha_whatever_dies_when_nothing_is_left_and_the_states_are_true(self):
        jobs, kills, number = [], {}, 0
        while sum(kills.values()) < KILLS and number < KILLS * 20:
            number += 1
            if len(jobs) * 3 < TASKS:
                jobs.append(self.submit(number))
            elif self.chance.random() < 0.2:
                self.cell.client.call("DELETE", f"/api/v3/jobs/{jobs.pop(self.chance.randrange(len(jobs)))}")
            if kind := self.kill_one():
                kills[kind] = kills.get(kind, 0) + 1
            time.sleep(self.chance.random() * 0.15)
        print(f"killed {kills}", flush=True)
        self.assertGreater(kills.get("init", 0), 0, "no container ever ran")
        self.cell.await_agents()
        self.check_truth()
        for job in self.cell.client.get("/api/v3/jobs?pageSize=100")["items"]:
            self.cell.client.call("DELETE", f"/api/v3/jobs/{job['id']}")
        until("all jobs end", lambda: not self.cell.client.get("/api/v3/jobs?pageSize=100")["items"], 60, 0.2)
        until("no container is left", lambda: not self.containers(), 30, 0.1)
        left = [line for line in text_of("/proc/self/mountinfo").splitlines() if self.cell.folder in line or "/run/troupe" in line]
        self.assertEqual(left, [])
        self.assertEqual(os.listdir("/run/troupe"), [])
        until("no loop device is left", lambda: not loops_below(self.cell.folder), 20, 0.1)
        self.assertEqual([path for path in os.listdir(f"{self.cell.agent_data(1)}/images/layers") if ".tmp-" in path], [])
        until("no shim is left", lambda: not any("troupe-shim" in command for command in processes_of(self.cell.folder).values()), 10)
        for root in set(cgroup_roots().values()):
            if os.path.isdir(f"{root}/{self.name}"):
                os.rmdir(f"{root}/{self.name}")
        self.cell.passed = True

    def check_truth(self):
        """What the API calls Started runs, and nothing else does."""
        def is_true():
            items = self.cell.client.get("/api/v3/tasks?pageSize=1000")["items"]
            said = {task["id"] for task in items if task["status"]["state"] == "Started"}
            begins = any(task["status"]["state"] in ("Launched", "StartInitiated", "KillInitiated") for task in items)
            running = {name for name in self.containers()
                       if (words := text_of(f"{self.tasks}/tasks/{name}/task.pid").split()) and is_alive(int(words[0]))}
            return not begins and said == running and self.containers() == running
        until("what is said to run runs, and nothing else", is_true, 60, 0.2)


if __name__ == "__main__":
    run_here(MISSING)
