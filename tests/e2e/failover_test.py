"""The API around the death of nodes: keys keep their meaning, and no answer says more than is known."""
import concurrent.futures
import time
import unittest
import uuid

import checks
from client import Broken, request
from cluster import Cell, until

SLEEPER = [(300, 0)]


class Failover(unittest.TestCase):
    def setUp(self):
        self.cell = self.enterContext(Cell(f"failover.{self._testMethodName}", nodes=3, agents=1))
        self.cell.start()

    def survivors(self, *dead):
        return [port for n, port in self.cell.http.items() if n not in dead]

    def named(self, name):
        page = self.cell.client.get("/api/v3/jobs?pageSize=1000")
        return [job["id"] for job in page["items"] if job["jobDescriptor"]["applicationName"] == name]

    def test_M5_alpha_a_key_answers_the_same_job_at_every_node_and_after_a_failover(self):
        descriptor, key = self.cell.descriptor(SLEEPER, "once"), "key-" + str(uuid.uuid4())
        job = self.cell.client.submit(descriptor, key)
        for port in self.cell.http.values():
            self.assertEqual(self.cell.client.submit(descriptor, key, ports=[port]), job)
        leader = self.cell.leader()
        self.cell.nodes[leader].kill()
        for port in self.survivors(leader):
            self.assertEqual(self.cell.client.submit(descriptor, key, ports=[port]), job)
            other = self.cell.client.call("POST", "/api/v3/jobs", self.cell.descriptor(SLEEPER, "other"), key, ports=[port])
            self.assertEqual((other.status, other.body["code"]), (422, "request_id_reused"))
        self.cell.nodes[leader].start()
        until("the restarted node answers", lambda: self.cell.health(leader), 10)
        self.assertEqual(self.cell.client.submit(descriptor, key, ports=[self.cell.http[leader]]), job)
        self.assertEqual(self.named("once"), [job])
        self.cell.passed = True

    def test_a_restarted_cell_has_every_acknowledged_job(self):
        jobs = {self.cell.client.submit(self.cell.descriptor(SLEEPER, f"kept-{i}")) for i in range(20)}
        running = {task["id"] for job in jobs for task in self.cell.await_tasks(job, "Started", 1, 30)}
        for node in self.cell.nodes.values():
            node.kill()
        for node in self.cell.nodes.values():
            node.start()
        self.cell.await_serving()
        self.cell.await_agents()
        for job in jobs:
            tasks = self.cell.client.tasks(job)
            self.assertEqual([(task["status"]["state"], task["id"] in running) for task in tasks], [("Started", True)])
        self.assertEqual({task for task, entries in self.cell.ledger().items() if len(entries) == 1}, running)
        self.cell.passed = True

    def test_M16_alpha_the_death_of_leader_after_leader_restarts_no_task(self):
        """Tasks run on while every leader in turn is killed; each ends once, as it was planned."""
        plan, leaders = [(12.0, 0)] * 5, []
        jobs = [self.cell.client.submit(self.cell.descriptor(plan, f"calm-{i}", retries=3)) for i in range(4)]
        running = {task["id"] for job in jobs for task in self.cell.await_tasks(job, "Started", len(plan), 30)}
        for _ in range(3):
            leaders.append(self.cell.leader())
            self.cell.nodes[leaders[-1]].kill()
            self.assertNotEqual(self.cell.leader(), leaders[-1])
            self.cell.nodes[leaders[-1]].start()
            self.cell.await_serving()
        ended = [self.cell.await_job_end(job, 30) for job in jobs]
        tasks = {job: self.cell.client.tasks(job) for job in jobs}
        self.assertEqual({task["id"] for of_job in tasks.values() for task in of_job}, running)
        self.assertEqual(set(self.cell.ledger()), running)
        for job in ended:
            self.assertEqual(checks.complaints_about_job(job, tasks[job["id"]], self.cell.ledger(), plan), [])
        print("leaders killed:", leaders)
        self.cell.passed = True

    def test_M5_alpha_without_a_majority_503_means_not_done_and_504_unknown(self):
        """Ten writes around the loss of the majority, then what each answer promised is looked up."""
        last, *others = sorted(self.cell.nodes, key=lambda n: n != self.cell.leader())
        port = self.cell.http[last]
        keys = {f"maybe-{i}": str(uuid.uuid4()) for i in range(10)}
        answers = {}

        def submit(name):
            return request(port, "POST", "/api/v3/jobs", self.cell.descriptor(SLEEPER, name), keys[name], timeout=30)

        known = self.cell.client.submit(self.cell.descriptor(SLEEPER, "known"))
        for node in others:
            self.cell.nodes[node].kill()
        with concurrent.futures.ThreadPoolExecutor(len(keys)) as pool:
            futures = {}
            for name in keys:
                futures[name] = pool.submit(submit, name)
                time.sleep(0.15)
            read = request(port, "GET", f"/api/v3/jobs/{known}", timeout=30)
            self.assertEqual((read.status, read.body["code"] in ("unavailable", "not_leader")), (503, True), read)
            stale = request(port, "GET", f"/api/v3/jobs/{known}?consistency=stale", timeout=30)
            self.assertEqual(stale.status, 200)
            self.assertEqual(self.cell.health(last)["status"], "NOT_SERVING")
            answers = {name: future.result(60) for name, future in futures.items()}
        self.assertEqual({reply.status for reply in answers.values()} - {503, 504}, set(), answers)
        # Early ones went to the leader that had lost its followers, late ones met no leader at all.
        self.assertIn(503, {reply.status for reply in answers.values()})
        for node in others:
            self.cell.nodes[node].start()
        self.cell.await_serving()
        for name, reply in answers.items():
            found = self.named(name)
            if reply.status == 503:
                self.assertEqual(found, [], f"{name} was answered {reply}")
            job = self.cell.client.submit(self.cell.descriptor(SLEEPER, name), keys[name])
            self.assertIn(found, ([], [job]))
            self.assertEqual(self.named(name), [job])
        print("without a majority:", sorted(reply.status for reply in answers.values()))
        self.cell.passed = True

    def test_nodes_that_are_gone_refuse_connections_and_nothing_else(self):
        for node in self.cell.nodes.values():
            node.kill()
        for port in self.cell.http.values():
            with self.assertRaises(Broken):
                request(port, "GET", "/health")
        self.cell.passed = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
