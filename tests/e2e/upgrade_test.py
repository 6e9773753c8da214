"""`troupe cell upgrade`: the nodes of a cell under load get another build, one after the other, through a hook."""
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import unittest

import checks
from client import Client, request
from cluster import Cell, TROUPE, until

LONG = [(25.0, 0)] * 5

# What an operator's hook does, on behalf of the harness that must know its processes.
HOOK = """import socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect(sys.argv[1])
asked.sendall(sys.argv[2].encode())
sys.exit(0 if asked.recv(16) == b"ok" else 1)
"""


def build_of(binary):
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return re.fullmatch(r"troupe build ([0-9a-f]{16})\n", said).group(1)


def as_another_build(folder):
    """A copy of the binary with another build id: the same code, and a new build by all that anybody can see."""
    path = os.path.join(folder, "troupe-new")
    shutil.copy(TROUPE, path)
    before = bytes.fromhex(build_of(TROUPE))
    with open(path, "r+b") as file:
        content = file.read()
        assert content.count(before) == 1
        file.seek(content.index(before))
        file.write(bytes(byte ^ 0xff for byte in before))
    return path


class Swapper(threading.Thread):
    """Does what the hook asks for: ends a node politely, and starts it again with the new binary."""

    def __init__(self, cell, binary):
        super().__init__(daemon=True)
        self.cell, self.binary, self.swapped, self.refused = cell, binary, [], set()
        self.path = os.path.join(cell.folder, "swap")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.start()

    def hook(self):
        script = os.path.join(self.cell.folder, "hook.py")
        with open(script, "w", encoding="ascii") as file:
            file.write(HOOK)
        return f"python3 {script} {self.path} {{node}}"

    def run(self):
        while True:
            asker, _ = self.listener.accept()
            number = int(asker.recv(16))
            if number not in self.refused:
                node = self.cell.nodes[number]
                node.signal(signal.SIGTERM)
                node.command[0] = self.binary
                node.start()
                self.swapped.append(number)
                asker.sendall(b"ok")
            asker.close()


class Load(threading.Thread):
    """Submits one short job after the other, as a careful caller does: nothing but what may be retried is."""

    def __init__(self, cell):
        super().__init__(daemon=True)
        self.cell, self.client = cell, Client(cell.http.values())
        self.jobs, self.error, self.is_over = [], None, threading.Event()
        self.start()

    def run(self):
        try:
            while not self.is_over.is_set():
                self.jobs.append(self.client.submit(self.cell.descriptor([(0.05, 0)], "short")))
        except AssertionError as error:
            self.error = error

    def end(self):
        self.is_over.set()
        self.join(60)
        if self.error:
            raise self.error


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.cell = self.enterContext(Cell(f"upgrade.{self._testMethodName}", nodes=3, agents=2))
        self.cell.start()
        until("every node owns shards", self.all_own, 20)
        self.new = as_another_build(self.cell.folder)
        self.swapper = Swapper(self.cell, self.new)

    def all_own(self):
        return all(self.cell.shards_owned(n) for n in self.cell.nodes)

    def upgrade(self, *more, attached=1):
        """Its exit code, and what it said."""
        command = [self.new, "--address", f"127.0.0.1:{self.cell.http[attached]}", "--caller", "ann", "--reason",
                   "release 12", "cell", "upgrade", "--yes", *more]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
        print(done.stdout + done.stderr)
        return done.returncode, done.stdout + done.stderr

    def builds(self):
        return {n: request(port, "GET", "/api/v3/cell?consistency=stale").body["build"]
                for n, port in self.cell.http.items()}

    def test_M22_alpha_every_node_is_replaced_under_load_and_no_task_is_restarted(self):
        jobs = [self.cell.client.submit(self.cell.descriptor(LONG, f"calm-{i}", retries=3)) for i in range(4)]
        running = {task["id"] for job in jobs for task in self.cell.await_tasks(job, "Started", len(LONG), 30)}
        leader = self.cell.leader()
        load = Load(self.cell)
        until("the load is on", lambda: len(load.jobs) >= 5, 20)
        code, said = self.upgrade("--dry-run")
        self.assertEqual((code, self.swapper.swapped), (0, []), said)
        code, said = self.upgrade("--hook", self.swapper.hook(), attached=leader)
        self.assertEqual(code, 0, said)
        load.end()
        followers = sorted(set(self.cell.nodes) - {leader})
        self.assertEqual(self.swapper.swapped, [*followers, leader])
        self.assertEqual(set(self.builds().values()), {build_of(self.new)})
        until("every node owns shards again", self.all_own, 20)
        for job in load.jobs[-1], load.jobs[0], *load.jobs[::10]:
            self.cell.await_job_end(job, 30)
        print(f"{len(load.jobs)} submits meanwhile, answered {dict(load.client.seen)}")
        self.assertEqual(set(load.client.seen) - {202, 503, 504, "no answer"}, set())
        ended = [self.cell.await_job_end(job, 60) for job in jobs]
        tasks = {job: self.cell.client.tasks(job) for job in jobs}
        self.assertEqual({task["id"] for of_job in tasks.values() for task in of_job}, running)
        for job in ended:
            self.assertEqual(checks.complaints_about_job(job, tasks[job["id"]], self.cell.ledger(), LONG), [])
        audit = self.cell.client.get("/api/v3/audit?caller=ann&pageSize=100")["items"]
        handed = [entry.get("callReason", "") for entry in audit if entry["command"] == "assign_shards"]
        runs = {reason.partition(" (upgrade ")[2] for reason in handed}
        self.assertEqual(len(runs), 1, f"one run, named by its mark: {handed}")
        self.assertEqual(sorted({reason.partition(" (upgrade ")[0] for reason in handed}),
                         [f"node {n} hands over: release 12" for n in sorted(self.cell.nodes)])
        self.assertEqual(self.upgrade("--hook", self.swapper.hook())[0], 0)
        self.assertEqual(len(self.swapper.swapped), 3, "nothing is left to do")
        self.cell.passed = True

    def test_it_stops_at_the_first_failure_says_where_it_stands_and_goes_on_from_there(self):
        leader = self.cell.leader()
        first, second = sorted(set(self.cell.nodes) - {leader})
        self.swapper.refused.add(second)
        code, said = self.upgrade("--hook", self.swapper.hook(), attached=second)
        self.assertEqual((code, self.swapper.swapped), (1, [first]), said)
        self.assertIn(f"node {first}: has the new build", said)
        self.assertIn(f"node {second}: has build {build_of(TROUPE)}", said)
        until("it owns shards again", lambda: self.cell.shards_owned(second), 20)
        self.swapper.refused.clear()
        self.cell.nodes[first].kill()
        code, said = self.upgrade("--hook", self.swapper.hook(), attached=second)
        self.assertEqual((code, self.swapper.swapped), (4, [first]), said)
        self.assertIn(f"node {first}: does not answer", said)
        self.cell.nodes[first].start()
        self.cell.await_serving()
        code, said = self.upgrade("--hook", self.swapper.hook(), attached=second)
        self.assertEqual(code, 0, said)
        self.assertEqual(set(self.builds().values()), {build_of(self.new)})
        self.assertEqual(len(self.swapper.swapped), 3, "the first one was not replaced again")
        self.cell.passed = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
