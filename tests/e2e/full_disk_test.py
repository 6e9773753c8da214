"""A disk that is full, refuses to write or fails to sync: a node stops with a clear message and what it acknowledged is
kept; so does an agent, whose tasks run on.

Runs itself again in a mount namespace of its own, where the node's folder is a small file system.
"""
import os
import resource
import signal
import subprocess
import sys
import unittest
import uuid

import checks
from client import Broken, request
from cluster import Cell, until

DISK_MB = 24
SUBMITS_MAX = 20_000
EXIT_INTERNAL = 70
PADDING = "x" * 30_000
# Takes the place of the C library's functions in the node's process.
FAILING_SYNC = r"""
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int sync_unless_told(long call, int file) {
  if (access(getenv("E2E_SYNC_FAILS"), F_OK) != 0) return (int)syscall(call, file);
  errno = EIO;
  return -1;
}
int fsync(int file) { return sync_unless_told(SYS_fsync, file); }
int fdatasync(int file) { return sync_unless_told(SYS_fdatasync, file); }
"""


class FullDisk(unittest.TestCase):
    def fill(self, cell):
        """Submits until the node is gone: the acknowledged jobs."""
        acknowledged = []
        for number in range(SUBMITS_MAX):
            descriptor = cell.descriptor([(1, 0)], f"fill-{number}")
            descriptor["container"]["env"]["PADDING"] = PADDING
            try:
                reply = request(cell.http[1], "POST", "/api/v3/jobs", descriptor, str(uuid.uuid4()), timeout=20)
            except Broken:
                return acknowledged
            self.assertIn(reply.status, (202, 503, 504), reply)
            if reply.status == 202:
                acknowledged.append(reply.body["id"])
            if not cell.nodes[1].is_running():
                return acknowledged
        self.fail(f"{SUBMITS_MAX} jobs fit on a disk of {DISK_MB} MB")

    def check_stopped(self, process):
        code = process.wait_end(15)
        self.assertEqual(code, EXIT_INTERNAL, process.text()[-2000:])
        last = [line for line in process.text().splitlines() if line.startswith("troupe: stopped: ")]
        self.assertEqual(len(last), 1, process.text()[-2000:])
        print(last[0])
        return last[0]

    def check_kept(self, cell, acknowledged):
        cell.nodes[1].start()
        until("the node serves again", lambda: (cell.health(1) or {}).get("status") == "SERVING", 30)
        self.assertGreater(len(acknowledged), 20)
        for job in acknowledged:
            self.assertEqual(cell.client.job(job)["id"], job)
        cell.client.submit(cell.descriptor([(1, 0)], "after"))

    def let_syncs_fail(self, cell, process):
        """The file that, once it is there, makes every sync of the process fail from its next start on."""
        library, told = f"{cell.folder}/failing_sync.so", f"{cell.folder}/sync-fails"
        subprocess.run(["g++", "-x", "c", "-shared", "-fPIC", "-o", library, "-"], input=FAILING_SYNC, text=True, check=True)
        process.popen = {"env": dict(os.environ, LD_PRELOAD=library, E2E_SYNC_FAILS=told)}
        return told

    def start_node(self, cell):
        cell.nodes[1].start()
        until("the node serves", lambda: (cell.health(1) or {}).get("status") == "SERVING", 20)

    def test_a_full_disk_stops_the_node_and_loses_nothing(self):
        with Cell("full_disk.space", nodes=1, agents=0) as cell:
            folder = cell.node_data(1)
            os.mkdir(folder)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", folder], check=True)
            try:
                self.start_node(cell)
                acknowledged = self.fill(cell)
                self.assertIn("space", self.check_stopped(cell.nodes[1]).lower())
                subprocess.run(["mount", "-o", "remount,size=512m", folder], check=True)
                self.check_kept(cell, acknowledged)
                cell.passed = True
            finally:
                if cell.nodes[1].is_running():
                    cell.nodes[1].kill()
                subprocess.run(["umount", folder], check=True)

    def test_a_write_that_fails_stops_the_node_and_loses_nothing(self):
        """The kernel refuses to let a file grow: an error of write(), with space left."""
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, resource.RLIM_INFINITY))
        with Cell("full_disk.write", nodes=1, agents=0) as cell:
            cell.nodes[1].popen = {"preexec_fn": small_files, "restore_signals": False}
            self.start_node(cell)
            acknowledged = self.fill(cell)
            self.check_stopped(cell.nodes[1])
            cell.nodes[1].popen = {}
            self.check_kept(cell, acknowledged)
            cell.passed = True

    def test_a_sync_that_fails_is_never_acknowledged(self):
        with Cell("full_disk.sync", nodes=1, agents=0) as cell:
            told = self.let_syncs_fail(cell, cell.nodes[1])
            self.start_node(cell)
            acknowledged = [cell.client.submit(cell.descriptor([(1, 0)], f"kept-{number}")) for number in range(30)]
            with open(told, "w", encoding="ascii"):
                pass
            self.assertEqual(self.fill(cell), [], "acknowledged without being on the disk")
            self.assertIn("input/output error", self.check_stopped(cell.nodes[1]).lower())
            os.remove(told)
            self.check_kept(cell, acknowledged)
            cell.passed = True

    def test_an_agent_whose_journal_cannot_be_synced_stops_and_its_tasks_run_on(self):
        with Cell("full_disk.agent", nodes=1, agents=1) as cell:
            agent, plan = cell.agents[1], [(4, 3)]
            told = self.let_syncs_fail(cell, agent)
            cell.start()
            before = cell.client.submit(cell.descriptor(plan))
            until("the first task has begun", cell.ledger, 20)
            with open(told, "w", encoding="ascii"):
                pass
            after = cell.client.submit(cell.descriptor([(0.1, 0)]))
            self.assertIn("input/output error", self.check_stopped(agent).lower())
            self.assertEqual(len(cell.ledger()), 1, "nothing is started that the journal does not hold")
            os.remove(told)
            agent.start()
            ended = cell.await_job_end(before, 30)
            self.assertEqual(checks.complaints_about_job(ended, cell.client.tasks(before), cell.ledger(), plan), [])
            self.assertEqual(cell.await_job_end(after, 30)["status"]["reasonCode"], "normal")
            cell.passed = True


def main():
    if os.environ.get("TROUPE_E2E_OWN_MOUNTS"):
        return unittest.main(verbosity=2)
    os.environ["TROUPE_E2E_OWN_MOUNTS"] = "yes"
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    os.execvp("unshare", [*own, sys.executable, *sys.argv])


if __name__ == "__main__":
    main()
