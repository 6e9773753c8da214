"""Real processes of a cell: nodes and agents with folders, ports and logs of their own, ended whatever happens."""
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from client import Broken, Client, request

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
TROUPE = os.path.realpath(os.environ.get("TROUPE_BINARY", os.path.join(ROOT, "build/release/troupe")))
LOGS = os.path.join(ROOT, "build/e2e-logs")
PROCESS_END_SECONDS_MAX = 10

# Each task appends to a file of its host when it begins and when it ends. E2E_PLAN holds "seconds:exit-code" per slot.
TASK_SCRIPT = r'''
ledger="${PWD%%/tasks/*}/ledger"
set -- $E2E_PLAN
shift "$TROUPE_TASK_INDEX"
who="$TROUPE_TASK_ID $TROUPE_JOB_ID $TROUPE_TASK_INDEX"
printf 'start %s %s\n' "$who" "$(date +%s.%N)" >> "$ledger"
sleep "${1%:*}"
printf 'end %s %s %s\n' "$who" "$(date +%s.%N)" "${1#*:}" >> "$ledger"
exit "${1#*:}"
'''


def until(what, condition, seconds, pause=0.02):
    """The condition's first true value; AssertionError when the deadline passes without one."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(pause)


def ephemeral_low():
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


def free_ports(count):
    """Below the range of outgoing connections: no other's source port can take one while its node is dead."""
    low, high, held = 10_000, ephemeral_low(), []
    chance = random.SystemRandom()
    try:
        while len(held) < count:
            listener = socket.socket()
            try:
                listener.bind(("127.0.0.1", chance.randrange(low, high)))
                held.append(listener)
            except OSError:
                listener.close()
        return [listener.getsockname()[1] for listener in held]
    finally:
        for listener in held:
            listener.close()


class Process:
    """One program whose output goes to a log file that outlives its restarts."""

    def __init__(self, name, command, log_folder, prefix=(), **popen):
        self.name = name
        self.command = [*prefix, *command]
        self.log = os.path.join(log_folder, name + ".log")
        self.popen = popen
        self.child = None
        self.lives = 0

    def start(self):
        assert self.child is None, f"{self.name} runs already"
        self.lives += 1
        with open(self.log, "ab") as log:
            log.write(f"---- life {self.lives}\n".encode())
            log.flush()
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.popen)

    def signal(self, number):
        """To this process alone; waits for its end. Its exit code."""
        child, self.child = self.child, None
        child.send_signal(number)
        try:
            return child.wait(PROCESS_END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise AssertionError(f"{self.name} did not end by signal {number}") from None

    def kill(self):
        return self.signal(signal.SIGKILL)

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def wait_end(self, seconds):
        child, code = self.child, None
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {seconds} s") from None
        self.child = None
        return code

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()


def processes_of(folder):
    """{pid: command line} of whatever lives by this folder: its name is in its arguments, environment or place."""
    found, needle = {}, folder.encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read()
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = file.read()
            place = os.readlink(f"/proc/{pid}/cwd").encode()
        except OSError:
            continue
        if needle in command or needle in environment or needle in place:
            found[int(pid)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def give_up(number, _frame):
    raise AssertionError(f"the test was told to end by {signal.Signals(number).name}")


class Scratch:
    """A temporary folder and the processes that live by it. Use as a context; logs are kept unless `passed` is set.

    After `seconds_max`, or when asked to end, the test fails and cleans up, before ctest would kill it and leave all.
    """

    def __init__(self, test, seconds_max=110):
        for number in (signal.SIGALRM, signal.SIGTERM):
            signal.signal(number, give_up)
        signal.alarm(seconds_max)
        self.folder = tempfile.mkdtemp(prefix="troupe-e2e-")
        self.logs = os.path.join(LOGS, test)
        shutil.rmtree(self.logs, ignore_errors=True)
        os.makedirs(self.logs)
        self.processes = []
        self.passed = False

    def process(self, name, command, **options):
        made = Process(name, command, self.logs, **options)
        self.processes.append(made)
        return made

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        signal.alarm(0)
        for process in self.processes:
            if process.child is not None:
                process.child.kill()
                process.child.wait()
        left = processes_of(self.folder)
        deadline = time.monotonic() + PROCESS_END_SECONDS_MAX
        while left and time.monotonic() < deadline:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
            left = processes_of(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.passed and kind is None:
            shutil.rmtree(self.logs, ignore_errors=True)
        else:
            print(f"the logs of all processes are in {os.path.relpath(self.logs, ROOT)}", flush=True)
        assert not left, f"processes that nothing ends: {left}"


class Cell(Scratch):
    """`troupe node` and `troupe agent` processes; all numbers begin with 1. `joining` nodes are no members at first."""

    def __init__(self, test, nodes=3, agents=2, settings=None, seconds_max=110, joining=(),
                 driver=("driver: process", "allow_process: true")):
        super().__init__(test, seconds_max)
        self.driver = [line.replace("FOLDER", self.folder) for line in driver]
        self.joining, self.settings = set(joining), settings or {}
        ports = free_ports(2 * nodes)
        self.peer = dict(zip(range(1, nodes + 1), ports[:nodes]))
        self.http = dict(zip(range(1, nodes + 1), ports[nodes:]))
        self.client = Client(self.http.values())
        self.nodes = {n: self._make("node", n, self._node_file(n)) for n in self.http}
        self.agents = {n: self._make("agent", n, self._agent_file(n)) for n in range(1, agents + 1)}

    def _make(self, kind, number, text):
        path = f"{self.folder}/{kind}-{number}.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return self.process(f"{kind}-{number}", [TROUPE, kind, "--config", path])

    def node_data(self, number):
        return f"{self.folder}/node-{number}"

    def agent_data(self, number):
        return f"{self.folder}/agent-{number}"

    def let_join(self, number):
        """From its next start on it is a node that waits to be added."""
        self.joining.add(number)
        with open(f"{self.folder}/node-{number}.yaml", "w", encoding="utf-8") as file:
            file.write(self._node_file(number))

    def _node_file(self, number):
        listed = [n for n in self.http if n not in self.joining or n == number]
        lines = [f"node: {number}", "cell: e2e", f"data: {self.node_data(number)}"]
        lines += ["join: true"] if number in self.joining else []
        lines += ["nodes:"]
        lines += [f"  - {{id: {n}, peer: '127.0.0.1:{self.peer[n]}', http: '127.0.0.1:{self.http[n]}'}}" for n in listed]
        if self.settings:
            lines += ["settings:"] + [f"  {name}: {value}" for name, value in self.settings.items()]
        return "\n".join(lines) + "\n"

    def _agent_file(self, number):
        bootstrap = ", ".join(f"'{n}@127.0.0.1:{port}'" for n, port in self.peer.items())
        return "\n".join([
            f"host: host-{number}", "host_group: flex", "cell: e2e", f"data: {self.agent_data(number)}",
            *self.driver, f"nodes: [{bootstrap}]",
            "resources: {cpus: 64, memory_mb: 65536, disk_mb: 100000, network_mbps: 10000}"]) + "\n"

    def start(self):
        for process in [*self.nodes.values(), *self.agents.values()]:
            process.start()
        self.await_serving()
        self.await_agents()

    def await_serving(self, seconds=20):
        """Every node answers, knows a leader and has caught up."""
        self.await_serving_of(self.nodes, seconds)

    def await_serving_of(self, numbers, seconds=20):
        until(f"nodes {list(numbers)} serve",
              lambda: all((self.health(n) or {}).get("status") == "SERVING" for n in numbers), seconds)

    def await_agents(self, seconds=20):
        def connected():
            hosts = self.client.get("/api/v3/hosts")["items"]
            return len(hosts) == len(self.agents) and all(host["connected"] for host in hosts)
        until("all agents are connected", connected, seconds)

    def health(self, number):
        """What the node says of itself; None if it says nothing."""
        if not self.nodes[number].is_running():
            return None
        try:
            said = request(self.http[number], "GET", "/health", timeout=2).body
            return said if isinstance(said, dict) and "node" in said else None  # Else it installs a snapshot.
        except Broken:
            return None

    def leader(self):
        """The node that leads by its own word, in the highest term."""
        def asked():
            said = [health for health in map(self.health, self.nodes) if health and health["leader"] == health["node"]]
            return max(said, key=lambda health: int(health["term"]))["node"] if said else None
        return until("some node leads", asked, 10)

    def shards_owned(self, number):
        try:
            reply = request(self.http[number], "GET", f"/api/v3/console?command=node&node={number}", timeout=2)
        except Broken:
            return None
        return reply.body["shardsOwned"] if reply.status == 200 else None

    def descriptor(self, plan, name="e2e", retries=0):
        """A batch job with one slot per (seconds, exit code) of the plan; see TASK_SCRIPT."""
        return {
            "owner": {"teamEmail": "e2e@example.com"},
            "applicationName": name,
            "container": {
                "image": {"name": "process", "tag": "latest"},
                "entryPoint": ["/bin/sh"],
                "command": ["-c", TASK_SCRIPT],
                "env": {"E2E_PLAN": " ".join(f"{seconds}:{code}" for seconds, code in plan), "E2E_FOLDER": self.folder},
                "resources": {"cpu": 0.1, "memoryMB": 32, "diskMB": 16},
            },
            "batch": {"size": len(plan), "runtimeLimitSec": 600, "retryPolicy": {"immediate": {"retries": retries}}},
        }

    def await_job_end(self, job_id, seconds):
        return until(f"job {job_id} ends", lambda: self.finished(job_id), seconds, 0.1)

    def finished(self, job_id):
        job = self.client.job(job_id)
        return job if job["status"]["state"] == "Finished" else None

    def await_tasks(self, job_id, state, count, seconds=20):
        """Exactly `count` tasks of the job are in that state: those."""
        def there():
            tasks = [task for task in self.client.tasks(job_id) if task["status"]["state"] == state]
            return tasks if len(tasks) == count else None
        return until(f"{count} tasks of {job_id} in {state}", there, seconds)

    def ledger(self):
        """What the tasks themselves wrote: {task id: [entry]}, an entry being a dict with `what` start or end."""
        entries = {}
        for number in self.agents:
            path = f"{self.agent_data(number)}/ledger"
            if not os.path.exists(path):
                continue
            with open(path, encoding="ascii") as file:
                for line in file:
                    what, task, job, slot, at, *code = line.split()
                    entries.setdefault(task, []).append({
                        "what": what, "job": job, "slot": int(slot), "at": float(at), "host": f"host-{number}",
                        "code": int(code[0]) if code else None})
        return entries
