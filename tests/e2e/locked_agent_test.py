"""An agent that locks up: its tasks go on elsewhere, and what still runs there ends when it comes back; nothing else does."""
import signal
import unittest

from agent_kill_test import is_alive
from cluster import Cell, until

TASKS = 4
# A process that hangs keeps its connections: silence must be noticed. Strangers have ten seconds of grace.
LOST_SECONDS_MAX, STRANGERS_SECONDS_MAX = 25, 40


class LockedAgent(unittest.TestCase):
    def setUp(self):
        self.cell = self.enterContext(Cell(f"locked_agent.{self._testMethodName}"))
        self.cell.start()

    def pid_of(self, task):
        path = f"{self.cell.agent_data(self.host_of(task))}/tasks/tasks/{task['id']}/task.pid"

        def read():
            try:
                with open(path, encoding="ascii") as file:
                    return int(file.read().split()[0])
            except (OSError, IndexError):
                return None
        return until(f"the process of {task['id']}", read, 10)

    def host_of(self, task):
        return int(task["taskContext"]["agent.host"].removeprefix("host-"))

    def started(self, job, but=()):
        """All tasks of the job, none of them among `but`, when they are started."""
        def there():
            tasks = [task for task in self.cell.client.tasks(job) if task["status"]["state"] == "Started"]
            return tasks if len(tasks) == TASKS and not {task["id"] for task in tasks} & set(but) else None
        return until(f"{TASKS} tasks of {job} run", there, LOST_SECONDS_MAX)

    def test_M15_alpha_what_an_agent_kept_running_ends_when_it_returns_and_nothing_else(self):
        client = self.cell.client
        policy = client.call("PUT", "/api/v3/cell/policy", {"hostLostAfterMs": "1000"})
        self.assertEqual(policy.status, 200, policy)
        job = client.submit(self.cell.descriptor([(600, 0)] * TASKS, retries=1))
        first = self.started(job)
        locked = self.cell.agents[self.host_of(first[0])]
        there = [task for task in first if self.host_of(task) == self.host_of(first[0])]
        old = [self.pid_of(task) for task in there]
        elsewhere = [self.pid_of(task) for task in first if task not in there]

        locked.child.send_signal(signal.SIGSTOP)
        try:
            second = self.started(job, but=[task["id"] for task in there])
            replaced = [task for task in second if task["id"] not in {task["id"] for task in first}]
            self.assertEqual(len(replaced), len(there))
            new = [self.pid_of(task) for task in replaced]
            self.assertTrue(all(map(is_alive, old)), "the old code runs on, unseen")
        finally:
            locked.child.send_signal(signal.SIGCONT)

        until("what was replaced ends", lambda: not any(map(is_alive, old)), STRANGERS_SECONDS_MAX)
        self.assertTrue(all(map(is_alive, new + elsewhere)), "only that")
        self.assertEqual({task["id"] for task in self.started(job)}, {task["id"] for task in second})
        for task in there:
            told = client.get(f"/api/v3/tasks/{task['id']}")["status"]
            self.assertEqual((told["state"], told["reasonCode"]), ("Finished", "lost"))
        for entries in self.cell.ledger().values():
            self.assertEqual([entry["what"] for entry in entries], ["start"], "each task began once")
        client.call("DELETE", f"/api/v3/jobs/{job}")
        self.cell.await_job_end(job, 30)
        self.cell.passed = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
