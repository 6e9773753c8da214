"""The cell's own members change while it works: grown from one node to three and shrunk again, and a node without disk."""
import glob
import json
import os
import shutil
import subprocess
import unittest

from cluster import TROUPE, Cell, until
from writer import Writer


class Members(unittest.TestCase):
    def cell_of(self, joining, nodes=3):
        self.cell = self.enterContext(Cell(f"members.{self._testMethodName[:40]}", nodes=nodes, agents=1, joining=joining,
                                           settings={"log_keep_entries": 100, "state_flush_ms": 500}, seconds_max=170))
        return self.cell

    def troupe(self, *arguments, node=1):
        """A command against a node; its JSON answer."""
        done = subprocess.run([TROUPE, *arguments, "--json", "--address", f"127.0.0.1:{self.cell.http[node]}"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def members(self, node=1):
        return {member["node"]: member for member in self.troupe("cell", "members", node=node)["items"]}

    def add(self, number, by=1):
        """Start it on an empty folder, let it listen, catch up, vote."""
        self.troupe("cell", "members", "add", str(number), f"127.0.0.1:{self.cell.peer[number]}", node=by)
        until(f"node {number} has caught up", lambda: int(self.members(by)[number]["lag"]) < 50 and
              self.members(by)[number]["state"] == "replicate", 30, 0.1)
        self.troupe("cell", "members", "promote", str(number), node=by)
        self.cell.await_serving_of([number])

    def assert_huge_pages(self, number):
        """Its heap is in huge pages, where the kernel has them for who asks."""
        process = f"/proc/{self.cell.nodes[number].child.pid}"
        with open(f"{process}/environ", "rb") as environment:
            self.assertIn(b"MALLOC_CONF=thp:always", environment.read().split(b"\0"))
        with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as choice:
            if "[never]" in choice.read():
                return
        with open(f"{process}/smaps_rollup", encoding="ascii") as maps:
            huge = next(line.split()[1] for line in maps if line.startswith("AnonHugePages"))
        self.assertGreater(int(huge), 0)

    def assert_all_ended_well(self, jobs):
        for job in jobs:
            self.cell.await_job_end(job, 30)
            tasks = self.cell.client.tasks(job)
            self.assertEqual([task["status"]["reasonCode"] for task in tasks], ["normal"], job)
        self.assertEqual({len(entries) for entries in self.cell.ledger().values()}, {2}, "a task ran twice or not at all")

    def test_M23_alpha_a_cell_grows_from_one_node_to_three_and_shrinks_again_without_stopping(self):
        cell = self.cell_of(joining=[2, 3])
        cell.nodes[1].start()
        cell.agents[1].start()
        cell.await_serving_of([1])
        self.assert_huge_pages(1)
        cell.await_agents()
        writer = Writer(cell, "members", seconds=0.05, pause=0.05)
        writer.start()
        for number in (2, 3):
            cell.nodes[number].start()
            self.add(number)
        self.assertEqual({n: m["role"] == "LEARNER" for n, m in self.members().items()}, {1: False, 2: False, 3: False})
        self.troupe("cell", "transfer-leader", "3")
        self.assertEqual(cell.leader(), 3)
        for number in (1, 2):
            self.troupe("cell", "members", "remove", str(number), node=3)
            until(f"node {number} has gone", lambda: number not in self.members(node=3), 10)
            cell.client.ports.remove(cell.http[number])
            cell.nodes[number].kill()
        jobs = writer.finish()
        self.assertGreater(len(jobs), 3)
        self.assert_all_ended_well(jobs)
        self.assertEqual(list(self.members(node=3)), [3])
        cell.passed = True

    def test_a_node_that_lost_its_disk_comes_back_under_a_new_number_by_learner_and_snapshot(self):
        """Under its old one it might vote twice in a term, having forgotten the first time."""
        cell = self.cell_of(joining=[4], nodes=4)
        cell.client.ports.remove(cell.http[4])  # No user's node yet: installing the snapshot restarts it.
        for number in (1, 2, 3):
            cell.nodes[number].start()
        cell.agents[1].start()
        cell.await_serving_of([1, 2, 3])
        cell.await_agents()
        jobs = [cell.client.submit(cell.descriptor([(0.05, 0)], "before")) for _ in range(60)]
        self.assert_all_ended_well(jobs)
        leader = cell.leader()
        lost = next(n for n in (1, 2, 3) if n != leader)
        cell.nodes[lost].kill()
        shutil.rmtree(cell.node_data(lost))
        writer = Writer(cell, "members", seconds=0.05, pause=0.05)
        writer.start()
        self.troupe("cell", "members", "remove", str(lost), node=leader)
        cell.nodes[4].start()
        self.add(4, by=leader)
        jobs += writer.finish()
        self.assert_all_ended_well(jobs)
        page = cell.client.get("/api/v3/jobs?pageSize=1", ports=[cell.http[4]])
        self.assertIn("items", page)
        cell.passed = True

    def test_under_its_old_number_a_node_that_lost_its_disk_is_refused_and_told_what_to_do(self):
        cell = self.cell_of(joining=[])
        cell.start()
        jobs = [cell.client.submit(cell.descriptor([(0.05, 0)], "before")) for _ in range(5)]
        lost = next(n for n in cell.nodes if n != cell.leader())
        cell.nodes[lost].kill()
        shutil.rmtree(cell.node_data(lost))
        cell.nodes[lost].start()
        self.assertNotEqual(cell.nodes[lost].wait_end(20), 0)
        said = cell.nodes[lost].text()
        self.assertIn(f"the cell knows node {lost} by another disk", said)
        self.assertIn("join: true", said)
        cell.client.ports.remove(cell.http[lost])
        jobs.append(cell.client.submit(cell.descriptor([(0.05, 0)], "after")))
        self.assert_all_ended_well(jobs)
        cell.passed = True

    def test_a_node_with_a_fault_sets_its_disk_aside_and_repairs_itself(self):
        def mark(folder):
            with open(f"{folder}/FAULT", "w", encoding="ascii") as file:
                file.write("its state differs from a majority's")
        hurt = self.mends_itself(mark)
        inspected = subprocess.run([TROUPE, "inspect", "log", f"{self.cell.node_data(hurt)}/damaged-log"],
                                   capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(inspected.returncode, 0, inspected.stdout + inspected.stderr)

    def test_a_node_whose_log_has_a_flipped_bit_sets_it_aside_and_repairs_itself(self):
        def flip(folder):
            path = max(glob.glob(f"{folder}/log/*.log"), key=os.path.getsize)
            with open(path, "r+b") as file:
                file.seek(os.path.getsize(path) // 3)
                byte = file.read(1)[0]
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte ^ 4]))
        self.mends_itself(flip)

    def may_vote(self, number):
        nodes = {node["node"]: node for node in self.troupe("cell", "status", node=self.cell.leader())["nodes"]}
        return nodes[number]["reachable"] and "voteWithheld" not in nodes[number]

    def mends_itself(self, damage):
        """The node that was damaged while it was down."""
        cell = self.cell_of(joining=[])
        cell.start()
        jobs = [cell.client.submit(cell.descriptor([(0.05, 0)], "before")) for _ in range(60)]
        self.assert_all_ended_well(jobs)
        hurt = next(n for n in cell.nodes if n != cell.leader())
        cell.nodes[hurt].kill()
        damage(cell.node_data(hurt))
        cell.nodes[hurt].start()
        cell.await_serving(30)
        left = os.listdir(cell.node_data(hurt))
        self.assertNotIn("FAULT", left)
        for name in ("damaged-log", "damaged-state", "damaged-why"):
            self.assertIn(name, left)
        # As long as it waits for what it promised, a second failure would be one too many.
        until("it votes", lambda: self.may_vote(hurt), 20, 0.1)
        # Its vote counts: with it alone beside another node the cell goes on.
        other = next(n for n in cell.nodes if n != hurt)
        cell.nodes[other].kill()
        cell.client.ports.remove(cell.http[other])
        jobs.append(cell.client.submit(cell.descriptor([(0.05, 0)], "after")))
        self.assert_all_ended_well(jobs)
        cell.passed = True
        return hurt


if __name__ == "__main__":
    unittest.main(verbosity=2)
