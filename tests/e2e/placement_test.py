"""Where tasks go and why: constraints, packing and spreading over real agents, and what a user is told of a task that
waits."""
import json
import subprocess
import unittest

from cluster import TROUPE, Cell, until

LONG = 300


class ZonedCell(Cell):
    """host-1 and host-3 are in zone a, host-2 in zone b; only host-3 has fast disks."""

    def _agent_file(self, number):
        attributes = {"zone": "b" if number == 2 else "a", "disk": "fast" if number == 3 else "slow"}
        return super()._agent_file(number) + f"attributes: {json.dumps(attributes)}\n"


class Placement(unittest.TestCase):
    def job(self, cell, size, hard=None, expression="", **more):
        descriptor = cell.descriptor([(LONG, 0)] * size)
        descriptor["container"]["hardConstraints"] = {"constraints": hard or {}, "expression": expression}
        descriptor["container"]["resources"].update(more)
        return descriptor

    def hosts_of(self, cell, descriptor):
        job = cell.client.submit(descriptor)
        tasks = cell.await_tasks(job, "Started", descriptor["batch"]["size"])
        return sorted(task["taskContext"]["agent.host"] for task in tasks)

    def waiting_task(self, cell, descriptor):
        job = cell.client.submit(descriptor)
        task = cell.await_tasks(job, "Accepted", 1)[0]["id"]

        def told():
            why = cell.client.get(f"/api/v3/tasks/{task}/explain")
            return why if why["queue"]["standing"] == "waiting" else None
        return task, until("the scheduler knows the task", told, 10)

    def test_M2_alpha_tasks_go_where_their_constraints_allow(self):
        with ZonedCell("placement.constraints", nodes=1, agents=3) as cell:
            cell.start()
            self.assertEqual(self.hosts_of(cell, self.job(cell, 3, {"uniqueHost": "true"})),
                             ["host-1", "host-2", "host-3"])
            self.assertEqual(self.hosts_of(cell, self.job(cell, 2, {"machineId": "host-2"})), ["host-2"] * 2)
            self.assertEqual(self.hosts_of(cell, self.job(cell, 2, expression="zone = a && disk in (fast)")),
                             ["host-3"] * 2)
            self.assertEqual(self.hosts_of(cell, self.job(cell, 4, {"zoneBalance": "true"})).count("host-2"), 2)
            packed = self.hosts_of(cell, self.job(cell, 6))
            self.assertEqual(len(set(packed)), 1, "a batch job fills one host before it takes the next")
            cell.passed = True

    def test_M2_alpha_a_task_that_waits_is_explained_and_the_change_that_is_offered_helps(self):
        with ZonedCell("placement.explain", nodes=1, agents=3) as cell:
            cell.start()
            wanted = self.job(cell, 1, {"machineId": "host-2"}, cpu=80)
            task, why = self.waiting_task(cell, wanted)
            reasons = {f["reason"]: int(f["failureCount"]) for f in why["failures"]["failures"]}
            self.assertEqual(reasons, {"machineId": 2, "cpu": 1})
            self.assertEqual(why["nearest"][0]["host"], "host-2")
            change = why["changes"][0]
            self.assertEqual((change["kind"], change["what"], change["to"]), ("resource", "cpu", 64_000))

            port = next(iter(cell.http.values()))
            said = subprocess.run([TROUPE, "--address", f"127.0.0.1:{port}", "task", "explain", task],
                                  capture_output=True, text=True, timeout=30, check=True).stdout
            self.assertIn(change["sentence"], said)

            wanted["container"]["resources"]["cpu"] = change["to"] / 1000
            self.assertEqual(self.hosts_of(cell, wanted), ["host-2"])
            cell.passed = True

    def test_promised_capacity_is_taken_back_as_a_plan_said_before(self):
        with ZonedCell("placement.preemption", nodes=1, agents=2) as cell:
            cell.start()
            port = next(iter(cell.http.values()))

            def troupe(*arguments, text=""):
                done = subprocess.run([TROUPE, "--address", f"127.0.0.1:{port}", *arguments], input=text,
                                      capture_output=True, text=True, timeout=30, check=False)
                self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout} {done.stderr}")
                return done.stdout

            half = {"cpu": 32}
            low = cell.client.submit(self.job(cell, 4, **half))
            cell.await_tasks(low, "Started", 4)
            troupe("capacity-group", "create", "promised", "--tier", "Critical", "--cpu", "32", "--memory", "64",
                   "--count", "2")
            self.assertIn("promised", troupe("capacity-group", "ls"))
            wanted = dict(self.job(cell, 2, **half), capacityGroup="promised")
            told = troupe("job", "plan", "-", text=json.dumps(wanted))
            self.assertIn("ENDED TASK", told)
            self.assertIn(low, told)
            self.assertEqual(len(cell.await_tasks(low, "Started", 4)), 4, "a plan ends nobody")
            high = troupe("job", "plan", "-", "--submit", "--all", text=json.dumps(wanted)).split()[-3]
            cell.await_tasks(high, "Started", 2)
            cell.await_tasks(low, "Accepted", 2)
            ended = cell.client.get(f"/api/v3/tasks?jobIds={low}&taskStates=Finished")["items"]
            self.assertEqual({task["status"]["reasonCode"] for task in ended}, {"evicted"})
            self.assertIn(f"of job {high}: capacity group promised takes back", ended[0]["status"]["reasonMessage"])
            cell.passed = True


if __name__ == "__main__":
    unittest.main()
