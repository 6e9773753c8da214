"""What a host gives a container and holds it to: its disk, devices of its own, memory as files, the host's network.
Each against a control. Needs what oci_case.py says."""
import json
import os
import re
import socketserver
import subprocess
import threading
import time
import unittest

import oci_image
from cluster import until
from oci_case import AGENT, MISSING, Containers, ready_disks, run_here, text_of

GPU = "example.com/gpu"
HOOKED = "example.com/hooked"
# Stand-ins: full (1:7) refuses what is written to it, zero (1:5) does not.
NODES = {"0": (1, 5), "1": (1, 7)}


def loop_mounts_work():
    """Whether this machine can mount a file system in a file, tried without the agent's code."""
    script = ("truncate -s 16M $0 && /sbin/mkfs.ext4 -q -F $0 && unshare -m mount -o loop $0 /mnt")
    image = f"/tmp/oci-host-{os.getpid()}.ext4"
    try:
        return subprocess.run(["sh", "-c", script, image], capture_output=True, check=False).returncode == 0
    finally:
        if os.path.exists(image):
            os.remove(image)


class OciHost(Containers):
    NAME = "oci_host"
    DRIVER = (*AGENT, "cdi: [FOLDER/cdi]", f"gpus: {GPU}", "allow_host_network: true", "look_every_ms: 500")

    @classmethod
    def prepare(cls):
        os.makedirs(f"{cls.cell.folder}/cdi")
        devices = [{"name": name, "containerEdits": {
            "env": [f"GPU={name}"],
            "deviceNodes": [{"path": f"/dev/gpu{name}", "type": "c", "major": numbers[0], "minor": numbers[1]}]}}
            for name, numbers in NODES.items()]
        with open(f"{cls.cell.folder}/cdi/gpus.json", "w", encoding="ascii") as file:
            json.dump({"cdiVersion": "0.6.0", "kind": GPU, "devices": devices}, file)
        said = f"{cls.cell.folder}/hook-said"
        scripts = {"plain": [], "good": [f"cat > {said}; echo $WORD >> {said}"], "bad": ["exit 3"]}
        hooked = [{"name": name, "containerEdits": {"env": [f"HOOKED={name}"], "hooks": [
            {"hookName": "createRuntime", "path": "/bin/sh", "args": ["sh", "-c", script], "env": ["WORD=from the file", "PATH=/bin"]}
            for script in lines]}} for name, lines in scripts.items()]
        with open(f"{cls.cell.folder}/cdi/hooked.json", "w", encoding="ascii") as file:
            json.dump({"cdiVersion": "0.6.0", "kind": HOOKED, "devices": hooked}, file)

    def host(self):
        return self.cell.client.get("/api/v3/hosts")["items"][0]

    # ---- disk ----
    def test_M3_alpha_a_full_disk_is_full_inside_alone(self):
        self.assertTrue(loop_mounts_work(), "the control: this machine can mount a file system in a file")
        self.assertEqual(self.host()["attributes"]["troupe.diskQuota"], "loop")
        fill = "head -c 40000000 /dev/zero > /data/big; echo rc=$?; stat -c %s /data/big; echo x > /data/small; echo small=$?"
        status, out = self.run_script(fill, disk=64)
        self.assertEqual(out.splitlines(), ["rc=0", "40000000", "small=0"], f"the control: {status}")
        neighbour = self.submit("echo ready; while sleep 0.1; do echo x > /data/mine || exit 9; done", disk=16)
        other = self.started(neighbour)
        status, out = self.run_script(fill, disk=16)
        words = out.split()
        self.assertEqual((words[0], words[-1]), ("rc=1", "small=1"), f"{status} {out}")
        self.assertTrue(15 << 20 <= int(words[1]) <= 18 << 20, out)
        time.sleep(0.5)
        self.assertEqual(self.cell.client.get(f"/api/v3/tasks/{other['id']}")["status"]["state"], "Started", "its neighbour")
        self.cell.client.call("DELETE", f"/api/v3/jobs/{neighbour}")
        self.ended(neighbour)
        self.assert_no_leaks()

    def test_disks_of_a_size_that_is_asked_for_again_are_ready_and_go_with_the_agent(self):
        fill = "head -c 40000000 /dev/zero > /data/big; stat -c %s /data/big"
        for turn in range(3):
            status, out = self.run_script(fill, disk=20)
            self.assertTrue(19 << 20 <= int(out.split()[-1]) <= 22 << 20, f"{status} {out}")
            until("disks are ready", lambda turn=turn: turn == 0 or ready_disks(self.cell.folder), 10, 0.05)
        self.agent.kill()
        until("no loop device is left", lambda: not ready_disks(self.cell.folder), 10, 0.05)
        self.agent.start()
        self.cell.await_agents()
        self.assertEqual([name for name in os.listdir(f"{self.cell.agent_data(1)}/disks") if name.startswith("ready-")], [])
        self.assert_no_leaks()

    def test_files_in_memory_have_the_sizes_that_the_job_asks_for(self):
        script = "df -k /dev/shm /scratch 2>&1 | grep -c 16384; head -c 20000000 /dev/zero > /scratch/big; echo rc=$?"
        status, out = self.run_script(script)
        self.assertEqual(out.splitlines()[0], "0", f"the control has neither: {status}")
        status, out = self.run_script(script, attributes={"troupe.shmMB": "16", "troupe.tmpfs": "/scratch=16"})
        self.assertEqual(out.split(), ["2", "rc=1"], status)
        job = self.cell.client.submit(self.shared_memory(32))
        self.jobs.append(job)
        status, out = self.ended(job)
        self.assertEqual(out, "32768\n", status)
        self.assertEqual(self.cell.client.job(job)["jobDescriptor"]["container"]["resources"]["shmSizeMB"], 32)
        self.assertEqual(self.cell.client.call("POST", "/api/v3/jobs", self.shared_memory(65)).status, 400)
        status, out = self.run_script("true", attributes={"troupe.shmMB": "65"})
        self.assertEqual(status["reasonCode"], "invalidRequest", status)
        self.assertIn("more than the job's memory of 64 MiB", status["reasonMessage"])

    @staticmethod
    def shared_memory(megabytes):
        return {"owner": {"teamEmail": "e2e@example.com"}, "applicationName": "shm",
                "container": {"image": {"name": "busybox", "tag": "1"},
                              "entryPoint": ["/bin/sh", "-c", "set -- $(df -k /dev/shm | tail -1); echo $2"],
                              "resources": {"cpu": 0.5, "memoryMB": 64, "diskMB": 16, "shmSizeMB": megabytes}},
                "batch": {"size": 1, "runtimeLimitSec": 600, "retryPolicy": {"immediate": {"retries": 0}}}}

    # ---- devices ----
    def test_a_devices_hooks_run_on_the_host_while_its_container_is_made_and_one_that_fails_is_the_end(self):
        said = f"{self.cell.folder}/hook-said"
        status, out = self.run_script("echo runs", attributes={"troupe.devices": f"{HOOKED}=plain"})
        self.assertEqual((out, os.path.exists(said)), ("runs\n", False), f"the control: {status}")
        status, out = self.run_script("echo runs", attributes={"troupe.devices": f"{HOOKED}=good"})
        self.assertEqual(out, "runs\n", status)
        state, _, word = text_of(said).rpartition("}")
        self.assertEqual(word.strip(), "from the file", "the hook's own environment")
        self.assertGreater(json.loads(state + "}")["pid"], 1, "it is told which container")
        status, out = self.run_script("echo runs", attributes={"troupe.devices": f"{HOOKED}=bad"})
        self.assertEqual((status["reasonCode"], out), ("localSystemError", ""), status)
        self.assertIn("hook", status["reasonMessage"])
        self.assert_no_leaks()

    def test_who_asks_for_no_disk_is_held_to_a_little(self):
        status, out = self.run_script("dd if=/dev/zero of=/big bs=1M count=64 2>&1 | tail -1; wc -c < /big", disk=0)
        self.assertIn(int(out.split()[-1]), range(1, (16 << 20) + 1), (status, out))

    def test_M3_alpha_each_gpu_is_one_tasks_alone_and_nobody_elses_to_see(self):
        self.assertEqual(self.host()["resources"]["gpu"], 2)
        self.assertEqual(self.host()["attributes"][f"troupe.devices.{GPU}"], "2")
        status, out = self.run_script("ls /dev | grep -c gpu")
        self.assertEqual(out, "0\n", f"the control: {status}")
        script = "echo $GPU; ls /dev | grep gpu; echo x > /dev/gpu$GPU && echo written; chmod 777 /dev/gpu$GPU || echo no; sleep 60"
        jobs = [self.submit(script, gpu=1) for _ in range(2)]
        tasks = [self.started(job) for job in jobs]
        said = [until("it says what it has", lambda task=task: "no" in self.output(task) and self.output(task), 10)
                for task in tasks]
        self.assertEqual(sorted(text.split()[0] for text in said), ["0", "1"])
        for text in said:
            own = text.split()[0]
            self.assertEqual(text.split()[1:], [f"gpu{own}", "written", "no"] if own == "0" else [f"gpu{own}", "no"])
        third = self.submit("echo $GPU", gpu=1)
        # A device survives the agent with its task: the next life gives it to nobody else.
        self.agent.kill()
        self.agent.start()
        self.cell.await_agents()
        holder_of = {text.split()[0]: job for text, job in zip(said, jobs)}
        self.cell.client.call("DELETE", f"/api/v3/jobs/{holder_of['1']}")
        status, out = self.ended(third, 40)
        self.assertEqual((status["reasonCode"], out), ("normal", "1\n"), status)
        status, out = self.run_script("echo $GPU", gpu=1, attributes={"troupe.devices": f"{GPU}=0"})
        self.assertIn("other tasks have all devices", status["reasonMessage"], "one is free, but not this one")
        self.cell.client.call("DELETE", f"/api/v3/jobs/{holder_of['0']}")
        self.cell.await_job_end(holder_of["0"], 30)
        status, out = self.run_script("echo $GPU", gpu=1, attributes={"troupe.devices": f"{GPU}=0"})
        self.assertEqual(out, "0\n", status)
        status, out = self.run_script("true", attributes={"troupe.devices": f"{GPU}=0"})
        self.assertIn("container.resources.gpu", status["reasonMessage"], "nobody counts what an attribute asks for")
        self.assert_no_leaks_of(jobs)

    def assert_no_leaks_of(self, jobs):
        for job in jobs:
            self.cell.client.call("DELETE", f"/api/v3/jobs/{job}")
            self.cell.await_job_end(job, 30)
        self.assert_no_leaks()

    # ---- network ----
    def test_the_hosts_network_is_given_where_the_host_allows_it_and_to_who_asks_for_it(self):
        with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as listener:
            threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            port = listener.server_address[1]
            connect = f"nc -w 2 127.0.0.1 {port} < /dev/null; echo rc=$?; ip -o link | wc -l; ls /sys/class/net | wc -l"
            status, out = self.run_script(connect)
            self.assertEqual(out.splitlines()[:2], ["rc=1", "1"], f"the control: {status}")
            self.assertIn("oci.hostNetwork", self.host()["drivers"])
            status, out = self.run_script(connect + "; ip link add dummy7 type dummy; echo rc=$?",
                                          attributes={"troupe.network": "host"})
            links = str(len(os.listdir("/sys/class/net")))
            self.assertEqual(out.splitlines(), ["rc=0", links, links, "rc=2"], status)
        status, out = self.run_script("true", attributes={"troupe.network": "bridge"})
        self.assertIn("is host or none", status["reasonMessage"])
        self.assert_no_leaks()


    # ---- what is known of it ----
    def test_what_a_container_uses_is_told_while_it_runs(self):
        job = self.submit("head -c 5000000 /dev/zero > /data/big; while true; do true; done", cpu=0.2)
        task = self.started(job)
        label = f'{{task="{task["id"]}",job="{job}"}} '

        def told():
            lines = text_of(f"{self.cell.agent_data(1)}/metrics.prom").splitlines()
            return {line.split("{")[0]: float(line.split()[-1]) for line in lines if label in line}
        first = until("it is told", lambda: told() if told().get("troupe_container_cpu_seconds_total", 0) > 0.05 else None, 20)
        self.assertGreater(first["troupe_container_memory_bytes"], 0)
        self.assertGreater(first["troupe_container_disk_bytes"], 0)
        self.assertGreaterEqual(first["troupe_container_processes"], 2)
        until("its time grows", lambda: told()["troupe_container_cpu_seconds_total"] > first["troupe_container_cpu_seconds_total"] + 0.1, 20)
        if os.path.exists("/proc/pressure/cpu"):
            self.assertIn("troupe_container_cpu_pressure_some_seconds_total", first)
        self.assertIn("troupe_host_fit 1", text_of(f"{self.cell.agent_data(1)}/metrics.prom"))
        self.cell.client.call("DELETE", f"/api/v3/jobs/{job}")
        self.ended(job)
        until("it is told no more", lambda: not told(), 20)
        self.assert_no_leaks()


class OciHostThatIsUnfit(Containers):
    NAME = "oci_host_unfit"
    DRIVER = (*AGENT, "look_every_ms: 200", "probes: {disk_free_percent: 100}")

    def test_M13_alpha_an_unfit_host_gets_nothing_until_it_is_fit_again_and_keeps_what_runs(self):
        host = self.cell.client.get("/api/v3/hosts")["items"][0]
        self.assertIn("disk: ", host["attributes"]["troupe.health"])
        self.assertEqual(host["drivers"], [])
        job = self.submit("echo ready; sleep 600")
        task = until("its task", lambda: self.cell.client.tasks(job), 10)[0]
        until("it waits for a driver", lambda: "driver" in json.dumps(self.cell.client.get(f"/api/v3/tasks/{task['id']}/explain")), 15)
        path = f"{self.cell.folder}/agent-1.yaml"
        for limit, state in (("3", "Started"), ("100", "Started")):
            with open(path, encoding="utf-8") as file:
                text = re.sub("disk_free_percent: [0-9]+", f"disk_free_percent: {limit}", file.read())
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self.agent.kill()
            self.agent.start()
            self.cell.await_agents()
            until(f"it is {state}", lambda state=state: self.cell.client.get(f"/api/v3/tasks/{task['id']}")["status"]["state"] == state, 20)
        host = until("it is unfit again", lambda: next((one for one in self.cell.client.get("/api/v3/hosts")["items"]
                                                        if "troupe.health" in one["attributes"]), None), 20)
        self.assertEqual(host["drivers"], [])
        self.assertEqual(self.cell.client.get(f"/api/v3/tasks/{task['id']}")["status"]["state"], "Started")


class OciHostThatAllowsLittle(Containers):
    NAME = "oci_host_strict"
    DRIVER = (*AGENT, "disk_quota: accounting")

    def test_a_job_that_asks_for_the_hosts_network_waits_for_another_host(self):
        job = self.submit("true", attributes={"troupe.network": "host"})
        task = until("its task", lambda: self.cell.client.tasks(job), 10)[0]
        def why():
            return json.dumps(self.cell.client.get(f"/api/v3/tasks/{task['id']}/explain"))
        until("it waits", lambda: "driver" in why(), 15)
        self.assertNotEqual(self.cell.client.get(f"/api/v3/tasks/{task['id']}")["status"]["state"], "Finished")

    def test_a_task_that_writes_more_than_its_disk_is_ended_where_the_agent_only_counts(self):
        status, _ = self.run_script("head -c 8000000 /dev/zero > /data/big; sleep 12; exit 3", disk=16)
        self.assertEqual((status["reasonCode"], status["exitCode"]), ("failed", 3), f"the control: {status}")
        status, _ = self.run_script("head -c 40000000 /dev/zero > /data/big; sleep 60", disk=16)
        self.assertEqual(status["reasonCode"], "failed", status)
        self.assertIn("wrote more than the 16 MiB of disk", status["reasonMessage"])
        self.assert_no_leaks()


if __name__ == "__main__":
    run_here(MISSING)
