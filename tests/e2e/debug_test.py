"""SIGUSR1 lets a node and a whole cell tell of themselves in their log, and `debug bundle` gathers what answers."""
import os
import signal
import subprocess
import tarfile
import unittest

from client import Broken, request
from cluster import TROUPE, Cell, Scratch, free_ports, until

SECTIONS = ["about", "process", "threads", "status", "peers", "settings", "policy", "disk", "stores", "actors", "members",
            "metrics"]


def dumps_done(process, node):
    return process.text().count(f"debug_dump_done node={node} ")


class Debug(unittest.TestCase):
    def ask_for_dump(self, process, nodes):
        before = {node: dumps_done(process, node) for node in nodes}
        os.kill(process.child.pid, signal.SIGUSR1)
        for node in nodes:
            until(f"node {node} has told all", lambda n=node: dumps_done(process, n) > before[n], 20)

    def test_a_node_that_is_signalled_tells_of_itself_and_goes_on(self):
        with Cell("debug.node", nodes=3, agents=0) as cell:
            cell.start()
            node = cell.nodes[2]
            pid = node.child.pid
            self.ask_for_dump(node, [2])
            lines = [line for line in node.text().splitlines() if "debug_dump node=2" in line]
            for section in SECTIONS:
                told = [line for line in lines if f" section={section} " in line]
                self.assertTrue(told, f"nothing of {section}")
                self.assertLessEqual(len(told), 25, section)
                self.assertFalse([line for line in told if "missing=" in line], section)
            self.assertEqual((cell.health(2)["status"], node.child.pid), ("SERVING", pid))
            for other in (1, 3):
                cell.nodes[other].kill()
            self.ask_for_dump(node, [2])  # Without a majority it tells, too.
            self.assertEqual(node.signal(signal.SIGTERM), 0)
            cell.passed = True

    def test_a_whole_cell_in_one_process_tells_of_each_node(self):
        with Scratch("debug.up") as scratch:
            port = free_ports(1)[0]
            up = scratch.process("up", [TROUPE, "up", "--data", f"{scratch.folder}/cell", "--http", f"127.0.0.1:{port}"])
            up.start()

            def serves():
                try:
                    return request(port, "GET", "/health", timeout=2).status == 200
                except Broken:
                    return False
            until("the cell serves", serves, 20)
            self.ask_for_dump(up, [1, 2, 3])
            self.ask_for_dump(up, [1, 2, 3])
            self.assertTrue(serves())
            self.assertEqual(up.signal(signal.SIGTERM), 0)
            scratch.passed = True

    def test_a_bundle_of_all_has_a_note_of_the_node_that_is_down(self):
        with Cell("debug.bundle", nodes=3, agents=1) as cell:
            cell.start()
            cell.nodes[3].kill()
            path = f"{cell.folder}/bundle.tar.gz"
            command = [TROUPE, "debug", "bundle", "--all", "-o", path, "--address", f"127.0.0.1:{cell.http[1]}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("node 3 did not answer", done.stderr)
            with tarfile.open(path) as bundle:
                names = {name.split("/", 1)[1] for name in bundle.getnames()}
            self.assertEqual(names, {"cell-status.json", "node-1/debug.json", "node-1/log.txt", "node-1/metrics.txt",
                                     "node-2/debug.json", "node-2/log.txt", "node-2/metrics.txt", "node-3/missing.txt"})
            again = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(again.returncode, 4, "it is never written over a file")
            cell.passed = True


if __name__ == "__main__":
    unittest.main()
