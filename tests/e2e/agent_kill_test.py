"""kill -9 of an agent loses nothing; kill -9 of a shim ends in a truthful task state; nothing runs twice."""
import os
import unittest

import checks
from cluster import Cell, until


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class AgentKill(unittest.TestCase):
    def setUp(self):
        self.cell = self.enterContext(Cell(f"agent_kill.{self._testMethodName}", nodes=1, agents=1))
        self.cell.start()
        self.agent = self.cell.agents[1]

    def pid_of(self, task, name):
        def read():
            try:
                with open(f"{self.cell.agent_data(1)}/tasks/tasks/{task['id']}/{name}.pid", encoding="ascii") as file:
                    return int(file.read().split()[0])
            except (OSError, IndexError):
                return None
        return until(f"{name}.pid of {task['id']}", read, 10)

    def await_ledger(self, count):
        until(f"{count} tasks have begun", lambda: len(self.cell.ledger()) == count, 10)

    def check_job(self, job_id, plan):
        job = self.cell.await_job_end(job_id, 30)
        self.assertEqual(checks.complaints_about_job(job, self.cell.client.tasks(job_id), self.cell.ledger(), plan), [])

    def test_tasks_run_on_end_and_are_reported_after_the_agents_death(self):
        plan = [(1, 0), (1.5, 9), (6, 0), (7, 3)]
        job = self.cell.client.submit(self.cell.descriptor(plan))
        running = self.cell.await_tasks(job, "Started", 4)
        self.await_ledger(4)
        pids = [self.pid_of(task, "task") for task in running]
        self.agent.kill()
        ended = lambda: sum(entry["what"] == "end" for entries in self.cell.ledger().values() for entry in entries)
        until("two tasks end without an agent", lambda: ended() == 2, 10)
        # What a task writes last is read before its process has ended.
        until("the other two alone run on", lambda: sum(map(is_alive, pids)) == 2, 2)
        self.assertEqual(self.cell.finished(job), None)
        self.agent.start()
        self.check_job(job, plan)
        self.cell.passed = True

    def test_an_agent_killed_again_and_again_loses_nothing(self):
        plan = [(0.1 + 0.4 * slot, slot % 3) for slot in range(12)]
        job = self.cell.client.submit(self.cell.descriptor(plan))
        for kill in range(5):
            until("the next task begins", lambda: len(self.cell.ledger()) > kill, 20)
            self.agent.kill()
            self.agent.start()
        job = self.cell.await_job_end(job, 30)
        begun, never = self.by_what_they_wrote(self.cell.client.tasks(job["id"]))
        self.assertEqual(checks.complaints_about_job(job, begun, self.cell.ledger(), plan), [])
        # An agent that dies between taking an order and its shim's first step may give the task up, truthfully.
        for task in never:
            self.assertIn(task["status"]["reasonCode"], ("lost", "localSystemError"), task["status"])
        print(f"{len(never)} tasks never began and were replaced", flush=True)
        self.cell.passed = True

    def by_what_they_wrote(self, tasks):
        """(those that began, those that never did)"""
        ledger = self.cell.ledger()
        return [task for task in tasks if task["id"] in ledger], [task for task in tasks if task["id"] not in ledger]

    def check_truthful_end(self, first, task_pid):
        """The task is over, in truth and by the API; its slot goes on with another one, as after any system error."""
        task = until("the task ends", lambda: self.ended_task(first["id"]), 20)
        self.assertEqual(task["status"]["reasonCode"], "localSystemError")
        self.assertFalse(is_alive(task_pid))
        entries = self.cell.ledger()[first["id"]]
        self.assertEqual([entry["what"] for entry in entries], ["start"])
        job = first["jobId"]
        second = self.cell.await_tasks(job, "Started", 1)[0]
        self.assertNotEqual(second["id"], first["id"])
        self.assertEqual(second["taskContext"]["task.systemResubmitNumber"], "1")
        self.cell.client.call("DELETE", f"/api/v3/jobs/{job}")
        self.cell.await_job_end(job, 20)
        self.cell.passed = True

    def ended_task(self, task_id):
        task = self.cell.client.get(f"/api/v3/tasks/{task_id}")
        return task if task["status"]["state"] == "Finished" else None

    def run_one(self):
        job = self.cell.client.submit(self.cell.descriptor([(60, 0)]))
        task = self.cell.await_tasks(job, "Started", 1)[0]
        self.await_ledger(1)
        return task, self.pid_of(task, "shim"), self.pid_of(task, "task")

    def test_a_killed_shim_ends_its_task_truthfully(self):
        task, shim, program = self.run_one()
        os.kill(shim, 9)
        self.check_truthful_end(task, program)

    def test_a_shim_killed_while_the_agent_is_dead_ends_its_task_truthfully(self):
        task, shim, program = self.run_one()
        self.agent.kill()
        os.kill(shim, 9)
        until("the shim is dead", lambda: not is_alive(shim), 5)
        self.agent.start()
        self.check_truthful_end(task, program)


if __name__ == "__main__":
    unittest.main(verbosity=2)
