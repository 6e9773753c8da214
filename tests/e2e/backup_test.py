"""A backup fetched from a node while writes go on becomes a new cell of one node with every job, which grows to three."""
import json
import os
import subprocess
import unittest

from cluster import TROUPE, Cell, until
from writer import Writer

JOBS = 60
LONG_LOG = {"log_keep_entries": 100, "state_flush_ms": 500}


def run(*arguments, code=0):
    """A command's JSON answer; with another code than 0 its complaint."""
    done = subprocess.run([TROUPE, *arguments, "--json"], capture_output=True, text=True, timeout=90, check=False)
    if done.returncode != code:
        raise AssertionError(f"{arguments}: {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout) if code == 0 else done.stderr


class Backup(unittest.TestCase):
    def fill_and_back_up(self, cell, folder):
        """The jobs acknowledged before the backup began. Writes go on through it."""
        before = [cell.client.submit(cell.descriptor([(0, 0)], "before")) for _ in range(JOBS)]
        for job in before:
            cell.await_job_end(job, 30)
        writer = Writer(cell, "backup")
        writer.start()
        until("writes go on", lambda: len(writer.jobs) > 5, 20)
        acknowledged = before + list(writer.jobs)
        follower = next(n for n in cell.nodes if n != cell.leader())
        address = f"127.0.0.1:{cell.http[cell.leader()]}"
        standing = run("cell", "status", "--address", address)["nodes"]
        self.assertEqual([(node["node"], node["reachable"]) for node in standing], [(1, True), (2, True), (3, True)])
        taken = run("cell", "snapshot", "--node", str(follower), "--address", address)
        self.assertEqual(taken["node"], follower)
        # A follower may be a moment behind what others acknowledged.
        committed = int(cell.health(cell.leader())["commit"])
        until("the follower has applied it", lambda: int(cell.health(follower)["applied"]) >= committed, 10)
        told = run("cell", "backup", folder, "--node", str(follower), "--address", address)
        self.assertGreaterEqual(int(told["index"]), committed)
        during = len(writer.jobs)
        until("writes go on after it", lambda: len(writer.jobs) > during, 20)
        writer.finish()
        return acknowledged

    def test_a_backup_under_writes_becomes_a_new_cell_that_grows_to_three(self):
        with Cell("backup.old", agents=1, settings=LONG_LOG, seconds_max=200) as old:
            old.start()
            folder = f"{old.folder}/backup"
            jobs = self.fill_and_back_up(old, folder)
            self.assertIn("MANIFEST", os.listdir(folder))
            self.assertIn("holds a backup already", run("cell", "backup", folder, "--address",
                                                        f"127.0.0.1:{old.http[1]}", code=4))
            with Cell("backup.new", agents=0, joining=[2, 3], settings=LONG_LOG, seconds_max=200) as new:
                restored = run("cell", "restore", folder, new.node_data(1), "--node", "1")
                self.assertEqual(restored["cell"], "e2e")
                self.assert_whole(new, jobs)
                self.grow(new)
                for number in (2, 3):
                    seen = {job["id"] for job in map(lambda one: new.client.job(one, ports=[new.http[number]]), jobs)}
                    self.assertEqual(seen, set(jobs))
                new.passed = True
            old.passed = True

    def assert_whole(self, cell, jobs):
        cell.nodes[1].start()
        cell.await_serving_of([1])
        cell.client.ports = [cell.http[1]]
        for job in jobs:
            self.assertEqual(cell.client.job(job)["id"], job)

    def grow(self, cell):
        address = ["--address", f"127.0.0.1:{cell.http[1]}"]
        for number in (2, 3):
            cell.nodes[number].start()
            run("cell", "members", "add", str(number), f"127.0.0.1:{cell.peer[number]}", *address)

            def caught_up(number=number):
                items = run("cell", "members", *address)["items"]
                member = next(item for item in items if item["node"] == number)
                return member.get("state") == "replicate" and int(member["lag"]) < 50
            until(f"node {number} has caught up", caught_up, 30, 0.1)
            run("cell", "members", "promote", str(number), *address)
            cell.await_serving_of([number])
        cell.nodes[1].kill()
        cell.client.ports = [cell.http[2], cell.http[3]]
        standing = run("cell", "status", "--address", f"127.0.0.1:{cell.http[cell.leader()]}")["nodes"]
        self.assertEqual([node["reachable"] for node in standing], [False, True, True])
        self.assertTrue(standing[0]["why"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
