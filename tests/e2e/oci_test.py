"""Real containers on this machine: what isolates holds, ends are told apart, and no death of ours leaves anything behind.

Needs what oci_case.py says.
"""
import os
import re
import signal
import subprocess
import time
import unittest

import oci_image
from cluster import ROOT, Scratch, free_ports, processes_of, until
from oci_case import MISSING, Containers, cgroup_roots, groups_below, is_alive, run_here, text_of


class Oci(Containers):
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
    def test_its_lines_about_containers_are_true(self):
        with open(f"{ROOT}/README.md", encoding="utf-8") as file:
            text = file.read()
        text = text[text.index("With containers instead"):]
        up, run, push = re.findall(r"`([^`]+)`", text[:text.index("\n\n")].replace("\n", " "))
        with Scratch("oci.readme", seconds_max=100) as scratch:
            address, registry = [f"127.0.0.1:{port}" for port in free_ports(2)]
            environment = {**os.environ, "TROUPE_HTTP": address, "TROUPE_REGISTRY": registry, "TROUPE_DATA": f"{scratch.folder}/cell"}
            cell = scratch.process("up", ["bash", "-c", f"exec {up}"], cwd=ROOT, env=environment)
            cell.start()
            until("the cell is up", lambda: f"gateway http://{address}" in cell.text() or not cell.is_running(), 60)
            self.assertTrue(cell.is_running(), cell.text())

            def told(command):
                said = subprocess.run(["bash", "-c", command.replace("troupe job", f"troupe --address {address} job")
                                       .replace("127.0.0.1:7000", registry)],
                                      cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
                self.assertEqual(said.returncode, 0, said.stderr)
                return said.stdout
            self.assertEqual(told(run), "uid=0(root) gid=0\n")
            self.assertIn("image_layer_fetched", cell.text(), "it came from the registry")
            self.assertNotEqual(told(run.replace("busybox:latest", "mine:latest") + " || echo none"), "uid=0(root) gid=0\n")
            self.assertIn(f"{registry}/mine:latest is sha256:", told(push))
            self.assertEqual(told(run.replace("busybox:latest", "mine:latest")), "uid=0(root) gid=0\n")
            self.assertNotEqual(groups_below(scratch.folder), [])
            self.assertEqual(cell.signal(signal.SIGTERM), 0)
            self.assertEqual(groups_below(scratch.folder), [], "of agents without containers")
            self.assertFalse([command for command in processes_of(scratch.folder).values() if "registry" in command])
            scratch.passed = True


if __name__ == "__main__":
    run_here(MISSING)
