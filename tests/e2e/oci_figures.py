"""Figures of containers on this machine, as JSON, one object per line: {"bench", "params", "figures"}. Nothing is judged.

Usage: oci_figures.py [--starts 100] [--sleepers 300] [--log-mb 400] [--idle-seconds 20]
The same run measures `crun run` alone with the same config.json on a folder as its root, and podman, if it is installed.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import oci_image
from cluster import Cell, until
from oci_case import MISSING, cgroup_name, cgroup_roots, text_of

DRIVER = ("driver: oci", "images: [FOLDER/layouts]", "uid_first: 1800000000", "uid_ranges: 512")
HOLD_V2 = 'v2=$(awk \'$3 == "cgroup2" { print $2 }\' /proc/mounts | head -1); [ -z "$v2" ] || umount -l "$v2"; '


def percentile(values, share):
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)


def spread(values):
    return {"p50_ms": percentile(values, 0.5), "p99_ms": percentile(values, 0.99)}


def say(bench, params, figures):
    print(json.dumps({"bench": bench, "params": params, "figures": figures}), flush=True)


def available_kib():
    return int(next(line for line in text_of("/proc/meminfo").splitlines() if "MemAvailable" in line).split()[1])


def born_ms(path):
    seconds, _, rest = subprocess.run(["stat", "-c", "%.9W", path], capture_output=True, text=True, check=True).stdout.partition(".")
    return int(seconds) * 1000 + int(rest[:9]) / 1e6


class Figures:
    def __init__(self, cell):
        self.cell = cell
        self.tasks = f"{cell.agent_data(1)}/tasks"

    def submit(self, script, count=1, memory=32):
        return self.cell.client.submit({
            "owner": {"teamEmail": "e2e@example.com"}, "applicationName": "figures",
            "container": {"image": {"name": "busybox", "tag": "1"}, "entryPoint": ["/bin/sh", "-c", script],
                          "resources": {"cpu": 0.1, "memoryMB": memory, "diskMB": 64}},
            "batch": {"size": count, "runtimeLimitSec": 3600, "retryPolicy": {"immediate": {"retries": 0}}}})

    def end(self, job):
        self.cell.client.call("DELETE", f"/api/v3/jobs/{job}")
        self.cell.await_job_end(job, 120)

    def starts(self, tasks):
        """[(born, started)] in ms, of the host's own clock: from the task's folder to the container's first process."""
        times = []
        for task in tasks:
            folder = f"{self.tasks}/tasks/{task['id']}"
            until("the runtime has ended", lambda folder=folder: os.path.exists(f"{folder}/task.pid"), 10, 0.002)
            times.append((born_ms(folder), os.stat(f"{folder}/task.pid").st_mtime_ns / 1e6))
        return times

    def one_at_a_time(self, count):
        times = []
        for _ in range(count):
            job = self.submit("exec sleep 600")
            times += self.starts(self.cell.await_tasks(job, "Started", 1))
            self.end(job)
        return spread([end - begin for begin, end in times])

    def at_once(self, count):
        job = self.submit("exec sleep 600", count)
        times = self.starts(self.cell.await_tasks(job, "Started", count, 120))
        self.end(job)
        seconds = (max(end for _, end in times) - min(begin for begin, _ in times)) / 1000
        return round(count / seconds, 1)

    def config(self):
        """A container's config.json, for a runtime that is called without us."""
        job = self.submit("exec sleep 600")
        task = self.cell.await_tasks(job, "Started", 1)[0]
        with open(f"{self.tasks}/tasks/{task['id']}/config.json", encoding="utf-8") as file:
            config = json.load(file)
        self.end(job)
        return config

    def sleepers(self, count, idle_seconds):
        agent = self.cell.agents[1].child.pid
        before = available_kib()
        job = self.submit("exec sleep 3600", count)
        self.cell.await_tasks(job, "Started", count, 180)
        time.sleep(3)
        each = (before - available_kib()) / count / 1024
        shims = [int(text_of(path).split()[0]) for path in
                 (f"{self.tasks}/tasks/{task['id']}/shim.pid" for task in self.cell.client.tasks(job))]
        pss = [int(next(line for line in text_of(f"/proc/{pid}/smaps_rollup").splitlines() if line.startswith("Pss:")).split()[1])
               for pid in shims]
        cpu = self.cpu_of(agent, idle_seconds)
        self.end(job)
        return {"memory_mib_each": round(each, 2), "shim_pss_kib_each": round(sum(pss) / len(pss), 1),
                "agent_cpu_percent_of_a_core": round(cpu * 100, 2)}

    @staticmethod
    def cpu_of(pid, seconds):
        def ticks():
            return sum(map(int, text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()[11:13]))
        begin, used = time.monotonic(), ticks()
        time.sleep(seconds)
        return (ticks() - used) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begin)

    def log_throughput(self, megabytes):
        job = self.submit(f"head -c {megabytes * 1000000} /dev/zero; exit 0")
        task = self.cell.await_job_end(job, 120) and self.cell.client.tasks(job)[0]
        history = {entry["state"]: int(entry["timestamp"]) for entry in [*task["statusHistory"], task["status"]]}
        return round(megabytes * 1000 / max(history["Finished"] - history["Started"], 1), 1)


def crun_alone(config, count, folder):
    """Milliseconds of `crun run --detach`, one after the other."""
    root = f"{folder}/rootfs"
    os.makedirs(f"{root}/bin")
    shutil.copy(oci_image.BUSYBOX, f"{root}/bin/busybox")
    for name in ("sh", "sleep"):
        os.symlink("busybox", f"{root}/bin/{name}")
    config["root"]["path"] = root
    config["process"]["args"] = ["/bin/sleep", "600"]
    config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "bind"]
    for name in ("proc", "dev", "sys"):
        os.makedirs(f"{root}/{name}")
    with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
        json.dump(config, file)
    os.chmod(folder, 0o755)
    script = HOLD_V2 + f"exec {sys.executable} -c '{CRUN_LOOP}' {folder} {count}"
    said = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        return None, said.stderr
    return json.loads(said.stdout), None


CRUN_LOOP = """
import json, subprocess, sys, time
folder, count = sys.argv[1], int(sys.argv[2])
crun = ["/usr/bin/crun", "--root=" + folder + "/state", "--cgroup-manager=disabled"]
times = []
# crun gives its standard files to the user of the container: /dev/null must stay with the machine.
own = open(folder + "/output", "a+b")
for i in range(count):
    begin = time.monotonic()
    subprocess.run([*crun, "run", "--detach", "--bundle=" + folder, "c%d" % i], check=True, stdin=own, stdout=own, stderr=own)
    times.append((time.monotonic() - begin) * 1000)
    subprocess.run([*crun, "delete", "-f", "c%d" % i], check=True)
print(json.dumps(times))
"""


def podman_alone(folder, count):
    """Milliseconds of `podman run -d --network none`, one after the other; None: there is none, or it cannot."""
    if not shutil.which("podman"):
        return None, "not installed"
    with open(f"{folder}/policy.json", "w", encoding="ascii") as file:
        json.dump({"default": [{"type": "insecureAcceptAnything"}]}, file)
    podman = ["podman", "--root", f"{folder}/storage", "--runroot", f"{folder}/run", "--cgroup-manager", "cgroupfs"]

    def call(*words):
        return subprocess.run(["unshare", "-m", "sh", "-c", HOLD_V2 + 'exec "$@"', "sh", *podman, *words],
                              capture_output=True, text=True, check=False)
    said = call("import", f"{folder}/root.tar", "figures:1")
    times = []
    for _ in range(count):
        begin = time.monotonic()
        said = call("run", "-d", "--network", "none", "--cgroups", "disabled", "--pids-limit", "-1", "--ulimit", "nofile=1024:1024",
                    "--ulimit", "nproc=4096:4096", "figures:1", "/bin/sleep", "600")
        times.append((time.monotonic() - begin) * 1000)
        if said.returncode != 0:
            return None, said.stderr.strip()[-300:]
        call("rm", "-f", "-t", "0", said.stdout.strip())
    return times, None


def rootfs_tar(folder):
    with open(f"{folder}/root.tar", "wb") as file:
        file.write(oci_image.tar_of(oci_image.busybox_entries()))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("starts", 100), ("sleepers", 300), ("log-mb", 400), ("idle-seconds", 20)):
        options.add_argument(f"--{name}", type=int, default=value)
    chosen = options.parse_args()
    if MISSING:
        sys.exit(f"this machine lacks {', '.join(MISSING)}")
    with Cell("oci_figures", nodes=1, agents=1, seconds_max=540, driver=DRIVER) as cell, \
            tempfile.TemporaryDirectory(prefix="oci-figures-") as folder:
        oci_image.add_sound(f"{cell.folder}/layouts")
        cell.start()
        figures = Figures(cell)
        config = figures.config()
        ours = figures.one_at_a_time(chosen.starts)
        crun, why = crun_alone(config, chosen.starts, folder)
        say("container", {"driver": "oci", "starts": chosen.starts}, {**ours, "starts_per_s": figures.at_once(chosen.starts)})
        say("crun-run", {"starts": chosen.starts}, spread(crun) if crun else {"failed": why})
        rootfs_tar(folder)
        podman, why = podman_alone(folder, min(chosen.starts, 30))
        say("podman-run", {"starts": min(chosen.starts, 30)},
            {**spread(podman), "starts_per_s": round(1000 * len(podman) / sum(podman), 1)} if podman else {"failed": why})
        say("sleepers", {"containers": chosen.sleepers}, figures.sleepers(chosen.sleepers, chosen.idle_seconds))
        say("log", {"megabytes": chosen.log_mb}, {"mb_per_s": figures.log_throughput(chosen.log_mb)})
        cell.passed = True
        name = cgroup_name(figures.tasks)
        until("no container is left", lambda: not any(
            entry.is_dir() for root in set(cgroup_roots().values()) if os.path.isdir(f"{root}/{name}")
            for entry in os.scandir(f"{root}/{name}")), 60)
    for root in set(cgroup_roots().values()):
        if os.path.isdir(f"{root}/{name}"):
            os.rmdir(f"{root}/{name}")


if __name__ == "__main__":
    main()
