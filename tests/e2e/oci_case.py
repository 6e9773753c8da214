"""What the tests of real containers share: what they need of the machine, a cell whose hosts run containers, and what may be
left of them.

They need root, crun, busybox-static and control groups for cpu, memory and pids. Without them the tests are skipped, and
the last line says how many. With TROUPE_OCI_REQUIRED=able, as cmd/dev/test has it, they fail instead where only packages are missing:
the machine could have run them. TROUPE_OCI_REQUIRED=1 makes each skip a failure.
"""
import glob
import os
import subprocess
import sys
import unittest

import oci_image
from client import request
from cluster import Cell, until

AGENT = ("driver: oci", "images: [FOLDER/layouts]", "pids_max: 64", "uid_first: 1600000000", "uid_ranges: 64",
         "layers: {bytes_mb: 30, entries: 20000, ratio: 250, ratio_free_mb: 26}")
CONTROLLERS = ("cpu", "memory", "pids")


def text_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def bytes_of(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def cgroup_roots():
    """{controller: mount point}; "v2" for the unified one."""
    roots = {}
    for line in text_of("/proc/self/mountinfo").splitlines():
        words = line.split()
        dash = words.index("-")
        if words[dash + 1] == "cgroup2":
            roots["v2"] = words[4]
            for name in text_of(f"{words[4]}/cgroup.controllers").split():
                roots.setdefault(name, words[4])
        elif words[dash + 1] == "cgroup":
            for name in words[dash + 3].split(","):
                roots[name] = words[4]
    return roots


def packages_lacking():
    """What cmd/dev/install would bring."""
    missing = [path for path in ("/usr/bin/crun", oci_image.BUSYBOX) if not os.access(path, os.X_OK)]
    return missing + (["a static busybox"] if b".interp" in bytes_of(oci_image.BUSYBOX) else [])


def machine_lacks():
    """What no package brings."""
    missing = [] if os.geteuid() == 0 else ["root"]
    if subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode != 0:
        missing.append("user namespaces, which no chroot has")
    return missing + [f"controller {name}" for name in CONTROLLERS if name not in cgroup_roots()]


def cgroup_name(folder):
    """As the agent makes it: FNV-1a of where its tasks are."""
    value = 14695981039346656037
    for byte in os.path.realpath(folder).encode():
        value = ((value ^ byte) * 1099511628211) % 2**64
    return f"troupe-{value}"


def groups_below(folder):
    """The control groups of all agents that have their tasks somewhere in it."""
    names = [cgroup_name(tasks) for tasks in glob.glob(f"{folder}/**/tasks", recursive=True)]
    return [path for root in cgroup_roots().values() for name in names for path in glob.glob(f"{root}/{name}")]


READY_DISKS_MAX = 8


def loop_files(folder):
    """Those somewhere in it that a loop device is made of."""
    return [text for text in map(text_of, glob.glob("/sys/block/loop*/loop/backing_file")) if folder in text]


def ready_disks(folder):
    """Those that a living agent has made before anybody asked for them."""
    return [text for text in loop_files(folder) if "/disks/ready-" in text]


def loops_below(folder):
    """All other loop devices, and what is too much."""
    return [text for text in loop_files(folder) if "/disks/ready-" not in text] + ready_disks(folder)[READY_DISKS_MAX:]


def is_alive(pid):
    return text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])


MISSING = machine_lacks() + packages_lacking()


@unittest.skipIf(MISSING, f"this machine lacks {', '.join(MISSING)}")
class Containers(unittest.TestCase):
    """One node and one agent for all tests of a class."""
    NAME, DRIVER = "oci", AGENT

    @classmethod
    def prepare(cls):
        """Before the cell starts."""

    @classmethod
    def setUpClass(cls):
        cls.cell = Cell(cls.NAME, nodes=1, agents=1, seconds_max=200, driver=cls.DRIVER)
        cls.addClassCleanup(cls.end)
        cls.prepare()
        images = f"{cls.cell.folder}/layouts"
        cls.digest = oci_image.add_sound(images)
        cls.refusals = oci_image.add_hostile(images)
        cls.cell.start()
        cls.agent = cls.cell.agents[1]
        cls.tasks_folder = f"{cls.cell.agent_data(1)}/tasks"
        cls.name = cgroup_name(cls.tasks_folder)
        cls.passed = 0

    @classmethod
    def end(cls):
        cls.cell.passed = cls.passed == len([name for name in dir(cls) if name.startswith("test_")])
        cls.cell.__exit__(None, None, None)
        for root in set(cgroup_roots().values()):
            if os.path.isdir(f"{root}/{cls.name}"):
                os.rmdir(f"{root}/{cls.name}")

    def setUp(self):
        self.jobs = []

    def tearDown(self):
        for job in self.jobs:
            self.cell.client.call("DELETE", f"/api/v3/jobs/{job}")
            self.cell.await_job_end(job, 30)
        outcome = self._outcome.result
        if not any(test is self for test, _ in outcome.failures + outcome.errors):
            type(self).passed += 1

    # ---- the user's door ----
    def submit(self, script, tag="1", image="busybox", memory=64, cpu=0.5, attributes=None, digest=None, count=1, disk=16, gpu=0):
        name = {"name": image, "tag": tag} if digest is None else {"name": image, "digest": digest}
        job = self.cell.client.submit({
            "owner": {"teamEmail": "e2e@example.com"}, "applicationName": "oci", "attributes": attributes or {},
            "container": {"image": name, "entryPoint": ["/bin/sh", "-c", script], "env": {"MINE": "yes"},
                          "resources": {"cpu": cpu, "memoryMB": memory, "diskMB": disk, "gpu": gpu}},
            "batch": {"size": count, "runtimeLimitSec": 600, "retryPolicy": {"immediate": {"retries": 0}}}})
        self.jobs.append(job)
        return job

    def ended(self, job, seconds=30):
        """(status, stdout) of the job's first task, ended."""
        def there():
            tasks = [task for task in self.cell.client.tasks(job) if task["status"]["state"] == "Finished"]
            return tasks[0] if tasks else None
        task = until(f"a task of {job} ends", there, seconds, 0.05)
        return task["status"], self.output(task)

    def output(self, task, stream="stdout"):
        reply = request(self.cell.http[1], "GET", f"/api/v3/tasks/{task['id']}/logs?stream={stream}")
        return reply.body if reply.status == 200 else ""

    def run_script(self, script, **options):
        return self.ended(self.submit(script, **options))

    def started(self, job):
        return self.cell.await_tasks(job, "Started", 1)[0]

    def pid(self, task, name="task"):
        return int(until(f"{name}.pid", lambda: text_of(f"{self.tasks_folder}/tasks/{task['id']}/{name}.pid"), 10).split()[0])

    # ---- what may be left ----
    def leaks(self):
        left = []
        for root in sorted(set(cgroup_roots().values())):
            if os.path.isdir(f"{root}/{self.name}"):
                left += [entry.path for entry in os.scandir(f"{root}/{self.name}") if entry.is_dir()]
        left += [line for line in text_of("/proc/self/mountinfo").splitlines()
                 if "/run/troupe" in line or self.cell.folder in line]
        left += os.listdir("/run/troupe")
        left += loops_below(self.cell.folder)
        left += [path for path in os.listdir(f"{self.cell.agent_data(1)}/images/layers") if ".tmp-" in path]
        return left

    def assert_no_leaks(self):
        until(f"nothing is left: {self.leaks()}", lambda: not self.leaks(), 15, 0.1)

    def program(self, task):
        """The program's own pid: the child of the container's first process."""
        init = self.pid(task)
        return int(until("its program", lambda: text_of(f"/proc/{init}/task/{init}/children"), 5).split()[0])


def is_required(word, machine):
    """By TROUPE_OCI_REQUIRED, on a machine that lacks these."""
    return word == "1" or (word == "able" and not machine)


def run_here(missing):
    """The program's tests. Where something is missing they are skipped, unless they are required."""
    if missing and is_required(os.environ.get("TROUPE_OCI_REQUIRED"), machine_lacks()):
        sys.exit(f"the oci tests are required, but this machine lacks {', '.join(missing)}")
    program = unittest.main(module="__main__", verbosity=2, exit=False)
    print(f"{len(program.result.skipped)} tests skipped" + (f": no {', '.join(missing)}" if missing else ""), flush=True)
    sys.exit(not program.result.wasSuccessful())
