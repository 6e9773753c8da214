"""Real containers on this machine: what isolates holds, ends are told apart, and no death of ours leaves anything behind.

Needs root, crun, busybox-static and control groups for cpu, memory and pids. Without them the tests are skipped, and
the last line says how many; TROUPE_OCI_REQUIRED=1 makes that a failure.
"""
import glob
import os
import re
import signal
import subprocess
import sys
import time
import unittest

import oci_image
from client import request
from cluster import Cell, ROOT, Scratch, free_ports, until

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


def lacks():
    missing = [] if os.geteuid() == 0 else ["root"]
    missing += [path for path in ("/usr/bin/crun", oci_image.BUSYBOX) if not os.access(path, os.X_OK)]
    if b".interp" in bytes_of(oci_image.BUSYBOX):
        missing.append("a static busybox")
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


def is_alive(pid):
    return text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])


MISSING = lacks()


@unittest.skipIf(MISSING, f"this machine lacks {', '.join(MISSING)}")
class Oci(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cell = Cell("oci", nodes=1, agents=1, seconds_max=200, driver=AGENT)
        cls.addClassCleanup(cls.end)
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
    def submit(self, script, tag="1", image="busybox", memory=64, cpu=0.5, attributes=None, digest=None, count=1):
        name = {"name": image, "tag": tag} if digest is None else {"name": image, "digest": digest}
        job = self.cell.client.submit({
            "owner": {"teamEmail": "e2e@example.com"}, "applicationName": "oci", "attributes": attributes or {},
            "container": {"image": name, "entryPoint": ["/bin/sh", "-c", script], "env": {"MINE": "yes"},
                          "resources": {"cpu": cpu, "memoryMB": memory, "diskMB": 16}},
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
        left += [path for path in os.listdir(f"{self.cell.agent_data(1)}/images/layers") if ".tmp-" in path]
        return left

    def assert_no_leaks(self):
        until(f"nothing is left: {self.leaks()}", lambda: not self.leaks(), 15, 0.1)

    # ---- tests ----
    def test_M3_alpha_a_task_runs_in_its_image_with_its_variables_and_says_its_exit_code(self):
        status, out = self.run_script("echo $MINE $FROM_IMAGE $TROUPE_TASK_INDEX; id -u; ls /bin/busybox; pwd; exit 7")
        self.assertEqual((status["reasonCode"], status["exitCode"]), ("failed", 7), status)
        self.assertEqual(out, "yes yes 0\n0\n/bin/busybox\n/\n")
        status, out = self.run_script("kill -SEGV $$")
        self.assertEqual((status["reasonCode"], status["signal"]), ("failed", 11), status)
        self.assertEqual((os.stat("/dev/null").st_uid, os.stat("/dev/null").st_gid), (0, 0), "crun gave it away")
        status, out = self.run_script("echo by digest", digest=self.digest)
        self.assertEqual((status["reasonCode"], out), ("normal", "by digest\n"), status)
        self.assert_no_leaks()

    def test_layers_hide_what_lower_ones_have_and_are_not_written_to(self):
        status, out = self.run_script("ls /shop /attic; id -u; pwd; echo x > /tmp/mine", tag="2")
        self.assertEqual((status["reasonCode"], out), ("normal", "/attic:\nc\n\n/shop:\nnew\n7\n/data\n"), status)
        status, out = self.run_script("ls /tmp; echo x > /bin/busybox; rm /bin/sh; ls /bin/sh")
        self.assertNotIn("mine", out)
        status, out = self.run_script("ls /bin/sh")
        self.assertEqual(out, "/bin/sh\n", status)

    def test_a_missing_program_or_image_is_the_users_fault_and_said(self):
        job = self.cell.client.submit({
            "owner": {"teamEmail": "e2e@example.com"}, "applicationName": "oci",
            "container": {"image": {"name": "busybox", "tag": "1"}, "entryPoint": ["/no/such"],
                          "resources": {"cpu": 0.1, "memoryMB": 64, "diskMB": 16}},
            "batch": {"size": 1, "runtimeLimitSec": 60, "retryPolicy": {"immediate": {"retries": 0}}}})
        self.jobs.append(job)
        status, _ = self.ended(job)
        self.assertEqual(status["reasonCode"], "invalidRequest", status)
        self.assertIn("cannot run '/no/such' in the container: No such file", status["reasonMessage"])
        status, _ = self.run_script("true", tag="9")
        self.assertEqual(status["reasonCode"], "invalidRequest", status)
        self.assertIn("has no tag '9'", status["reasonMessage"])
        status, _ = self.run_script("true", image="nobodys")
        self.assertIn("no folder of images has 'nobodys'", status["reasonMessage"])
        self.assert_no_leaks()

    def test_M3_alpha_hostile_images_are_refused_with_the_reason_and_harm_nothing(self):
        with open("/etc/passwd", "rb") as file:
            before = file.read()
        for tag, why in self.refusals.items():
            with self.subTest(image=tag):
                status, _ = self.run_script("true", image="hostile", tag=tag)
                self.assertEqual(status["reasonCode"], "invalidRequest", status)
                self.assertIn(why, status["reasonMessage"])
        self.assertFalse(os.path.exists("/tmp/escape"))
        with open("/etc/passwd", "rb") as file:
            self.assertEqual(file.read(), before)
        self.assert_no_leaks()

    def test_M3_alpha_its_root_is_nobody_on_the_host(self):
        self.assertEqual(text_of("/proc/self/uid_map").split(), ["0", "0", "4294967295"], "the control")
        job = self.submit("cat /proc/self/uid_map; sleep 60")
        task = self.started(job)
        uid = int(next(line for line in text_of(f"/proc/{self.pid(task)}/status").splitlines() if "Uid:" in line).split()[1])
        self.assertGreaterEqual(uid, 1_600_000_000)
        until("it says its map", lambda: self.output(task).split() == ["0", str(uid), "65536"], 10)

    def test_memory_is_limited_and_a_want_of_it_is_told_apart(self):
        status, out = self.run_script("head -c 8000000 /dev/zero | tail -c 1 | wc -c", memory=32)
        self.assertEqual((status["reasonCode"], out.strip()), ("normal", "1"), f"the control: {status}")
        status, _ = self.run_script("exec tail /dev/zero", memory=32)
        self.assertEqual(status["reasonCode"], "failed", status)
        self.assertIn("OOMKilled: it needed more than its 32 MiB", status["reasonMessage"])
        status, out = self.run_script("tail /dev/zero; echo rc=$?", memory=32)
        self.assertEqual((status["reasonCode"], out), ("normal", "rc=137\n"), status)
        self.assertIn("killed for want of memory", status["reasonMessage"])

    def test_processes_are_limited(self):
        fork = "i=0; while [ $i -lt {0} ]; do sleep 3 & i=$((i+1)); done; echo all"
        status, out = self.run_script(fork.format(20))
        self.assertEqual((status["reasonCode"], out), ("normal", "all\n"), f"the control: {status}")
        status, out = self.run_script(fork.format(100))
        self.assertNotIn("all", out)
        self.assertEqual(status["reasonCode"], "failed", status)

    def test_cpu_is_limited(self):
        job = self.submit("while true; do true; done", cpu=0.25)
        task = self.started(job)
        root = cgroup_roots()["cpu"]
        usage = f"{root}/{self.name}/{task['id']}/cpuacct.usage"
        if not os.path.exists(usage):
            usage = f"{cgroup_roots().get('cpuacct', root)}/{self.name}/{task['id']}/cpuacct.usage"
        quota = text_of(f"{root}/{self.name}/{task['id']}/cpu.cfs_quota_us") or \
            text_of(f"{root}/{self.name}/{task['id']}/cpu.max").split()[0]
        self.assertEqual(int(quota), 25_000)
        ticks = lambda: sum(map(int, text_of(f"/proc/{self.program(task)}/stat").rpartition(")")[2].split()[11:13]))
        begin, used = time.monotonic(), ticks()
        time.sleep(4)
        share = (ticks() - used) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begin)
        self.assertLess(share, 0.25 * 1.05, "a quarter of a processor, within 5 %")
        print(f"cpu share {share:.3f} of 0.250", flush=True)

    def program(self, task):
        """The program's own pid: the child of the container's first process."""
        init = self.pid(task)
        return int(until("its program", lambda: text_of(f"/proc/{init}/task/{init}/children"), 5).split()[0])

    def test_M3_alpha_system_calls_capabilities_and_proc_are_cut(self):
        rights = "mount -t tmpfs none /mnt 2>&1; mknod /tmp/null c 1 3 2>&1; unshare -U true 2>&1; echo rc=$?"
        control = subprocess.run(["unshare", "-m", oci_image.BUSYBOX, "unshare", "-U", "/bin/true"], check=False)
        self.assertEqual(control.returncode, 0, "the control may make namespaces")
        status, out = self.run_script(rights)
        self.assertEqual(out.count("ermitted") + out.count("ermission"), 3, out)
        self.assertIn("rc=1", out)
        status, out = self.run_script("grep -E 'NoNewPrivs|Seccomp:|CapEff|CapBnd' /proc/self/status")
        said = dict(line.split(":\t") for line in out.splitlines())
        self.assertEqual((said["NoNewPrivs"], said["Seccomp"]), ("1", "2"), out)
        dangerous = sum(1 << bit for bit in (12, 13, 16, 17, 19, 21, 25, 27))  # net, module, raw io, ptrace, admin, time, mknod
        self.assertEqual(int(said["CapBnd"], 16) & dangerous, 0, out)
        self.assertNotEqual(int(next(line for line in text_of("/proc/self/status").splitlines() if "CapBnd" in line).split()[1],
                                16) & dangerous, 0, "the control has them")
        self.assertGreater(len(text_of("/proc/timer_list")), 0, "the control sees timers")
        status, out = self.run_script("cat /proc/timer_list /proc/keys | wc -c; echo 1 > /proc/sys/kernel/panic; echo rc=$?; "
                                      "echo 1 > /sys/kernel/uevent_seqnum; echo rc=$?; ls /sys/firmware | wc -l")
        self.assertEqual(out.split(), ["0", "rc=1", "rc=1", "0"], status)

    def test_another_task_and_the_host_are_out_of_sight(self):
        other = self.submit("echo secret > /tmp/secret; exec sleep 61")
        neighbour = self.started(other)
        self.assertIn("sleep", text_of(f"/proc/{self.program(neighbour)}/cmdline"), "the host sees it")
        status, out = self.run_script("ps | grep -c 'sleep 6[1]'; ls /tmp; ps | wc -l; ip -o link | wc -l; "
                                      "ping -c 1 -W 1 127.0.0.1 > /dev/null && echo lo; hostname; ls / | grep -c work")
        lines = out.splitlines()
        self.assertEqual(lines[0], "0", out)
        self.assertLess(int(lines[1]), 8, out)
        self.assertEqual(lines[2], "1", f"loopback alone: {out}")
        self.assertEqual(lines[-1], "0", out)
        self.assertNotEqual(lines[-2], os.uname().nodename)

    def test_a_read_only_root_is_read_only_and_shared_memory_is_bounded(self):
        status, out = self.run_script("echo x > /file; echo rc=$?; echo x > /dev/shm/file; echo rc=$?; df -k /dev/shm | tail -1",
                                      attributes={"troupe.readOnlyRoot": "true"})
        self.assertEqual(out.split()[:2], ["rc=1", "rc=0"], status)
        self.assertEqual(out.split()[3], "65536", out)

    def test_a_kill_gives_the_program_its_grace_and_no_more(self):
        polite = self.submit("trap 'echo bye; exit 0' TERM; echo ready; while true; do sleep 0.1; done")
        stubborn = self.submit("trap '' TERM; echo ready; while true; do sleep 0.1; done")
        tasks = {job: self.started(job) for job in (polite, stubborn)}
        for task in tasks.values():
            until("it is ready", lambda task=task: "ready" in self.output(task), 10)
        begin = time.monotonic()
        for job in tasks:
            self.cell.client.call("DELETE", f"/api/v3/jobs/{job}")
        status, out = self.ended(polite)
        self.assertEqual(status["reasonCode"], "killed", status)
        self.assertIn("bye", out)
        self.assertLess(time.monotonic() - begin, 8)
        status, _ = self.ended(stubborn)
        self.assertEqual((status["reasonCode"], status["signal"]), ("killed", 9), status)
        self.assertGreater(time.monotonic() - begin, 9)
        self.assert_no_leaks()

    def test_M3_alpha_containers_outlive_their_agent_and_are_adopted(self):
        long = self.submit("sleep 600")
        short = self.submit("sleep 2; echo done; exit 5")
        running = self.started(long)
        self.started(short)
        program = self.program(running)
        self.agent.kill()
        time.sleep(3)
        self.assertTrue(is_alive(program))
        self.agent.start()
        status, out = self.ended(short)
        self.assertEqual((status["reasonCode"], status["exitCode"], out), ("failed", 5, "done\n"), status)
        self.assertEqual(self.cell.client.get(f"/api/v3/tasks/{running['id']}")["status"]["state"], "Started")
        self.cell.client.call("DELETE", f"/api/v3/jobs/{long}")
        status, _ = self.ended(long)
        self.assertEqual(status["reasonCode"], "killed", status)
        self.assertFalse(is_alive(program))
        self.assert_no_leaks()

    def test_a_dead_shims_container_ends_at_once_and_leaves_nothing_even_without_an_agent(self):
        for agent_dies in (False, True):
            with self.subTest(agent_dies=agent_dies):
                job = self.submit("sleep 600")
                task = self.started(job)
                program = self.program(task)
                if agent_dies:
                    self.agent.kill()
                os.kill(self.pid(task, "shim"), 9)
                until("its program is dead", lambda: not is_alive(program), 5)
                if agent_dies:
                    self.agent.start()
                status, _ = until("the task's end", lambda: (self.cell.client.get(f"/api/v3/tasks/{task['id']}")["status"], "")
                                  if self.cell.client.get(f"/api/v3/tasks/{task['id']}")["status"]["state"] == "Finished"
                                  else None, 20)
                self.assertEqual(status["reasonCode"], "localSystemError", status)
                self.cell.client.call("DELETE", f"/api/v3/jobs/{job}")
                self.cell.await_job_end(job, 30)
        self.assert_no_leaks()


@unittest.skipIf(MISSING, f"this machine lacks {', '.join(MISSING)}")
class Readme(unittest.TestCase):
    def test_its_line_about_containers_is_true(self):
        with open(f"{ROOT}/README.md", encoding="utf-8") as file:
            line = next(line for line in file if line.startswith("With containers instead"))
        up, run = re.findall(r"`([^`]+)`", line)
        with Scratch("oci.readme", seconds_max=100) as scratch:
            address = f"127.0.0.1:{free_ports(1)[0]}"
            environment = {**os.environ, "TROUPE_HTTP": address, "TROUPE_DATA": f"{scratch.folder}/cell"}
            cell = scratch.process("up", ["bash", "-c", f"exec {up}"], cwd=ROOT, env=environment)
            cell.start()
            until("the cell is up", lambda: f"gateway http://{address}" in cell.text() or not cell.is_running(), 60)
            self.assertTrue(cell.is_running(), cell.text())
            said = subprocess.run(["bash", "-c", run.replace("troupe job", f"troupe --address {address} job")], cwd=ROOT,
                                  capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual((said.returncode, said.stdout), (0, "uid=0(root) gid=0\n"), said.stderr)
            self.assertNotEqual(groups_below(scratch.folder), [])
            self.assertEqual(cell.signal(signal.SIGTERM), 0)
            self.assertEqual(groups_below(scratch.folder), [], "of agents without containers")
            scratch.passed = True


def run_here(missing):
    """The program's tests. Where something is missing they are skipped, unless they are required."""
    if missing and os.environ.get("TROUPE_OCI_REQUIRED") == "1":
        sys.exit(f"the oci tests are required, but this machine lacks {', '.join(missing)}")
    program = unittest.main(module="__main__", verbosity=2, exit=False)
    print(f"{len(program.result.skipped)} tests skipped" + (f": no {', '.join(missing)}" if missing else ""), flush=True)
    sys.exit(not program.result.wasSuccessful())


if __name__ == "__main__":
    run_here(MISSING)
