"""Jobs flow in while nodes are killed and restarted, by turns the leader and a random follower.

Nothing acknowledged may be lost, nothing may run twice, and writes are accepted again within two seconds. Arguments
override the defaults; a failing run prints the seed and the command that repeats its plan.
"""
import argparse
import concurrent.futures
import os
import random
import statistics
import sys
import threading
import time
import uuid

import checks
from client import Broken, Promise, request
from cluster import Cell, processes_of, until

WRITES_AGAIN_SECONDS_MAX = 2.0
SHARDS_SETTLED_SECONDS_MAX = 10.0
SLOTS = 5
TASK_SECONDS = (0.1, 20.0)
FAILING = 0.15
# A node that is away for longer than owner_dead_ms loses its shards, one that is back sooner keeps them: both happen.
DEAD_SECONDS = (0.0, 2.5)
DEFAULTS = {"seconds": 132.0, "submit_seconds": 120.0, "jobs": 200, "every": 4.0}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in DEFAULTS.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value),
                            default=type(value)(os.environ.get("TROUPE_CHAOS_" + name.upper(), value)))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TROUPE_CHAOS_SEED", 0)))
    options = parser.parse_args()
    options.seed = options.seed or random.SystemRandom().randrange(1, 1 << 32)
    return options


def plan_of_job(chance):
    return [(round(chance.uniform(*TASK_SECONDS), 2), chance.choice([1, 3, 77]) if chance.random() < FAILING else 0)
            for _ in range(SLOTS)]


class Submitted:
    def __init__(self, job_id, key, descriptor, plan):
        self.job_id, self.key, self.descriptor, self.plan = job_id, key, descriptor, plan


class Submitter:
    """Sends the jobs evenly over the time; each from a thread of its own, so that none waits for another's failover."""

    def __init__(self, cell, options, chance):
        self.cell, self.options = cell, options
        self.plans = [plan_of_job(chance) for _ in range(options.jobs)]
        self.acknowledged = []
        self.pool = concurrent.futures.ThreadPoolExecutor(24)
        self.futures = []
        self.stopped = threading.Event()

    def run(self, begin):
        for number, plan in enumerate(self.plans):
            self.stopped.wait(max(0.0, begin + self.options.submit_seconds * number / len(self.plans) - time.monotonic()))
            if self.stopped.is_set():
                break
            self.futures.append(self.pool.submit(self.submit, f"chaos-{number}", plan))
        for future in self.futures:
            future.result(60)
        self.pool.shutdown()

    def submit(self, name, plan):
        descriptor, key = self.cell.descriptor(plan, name), str(uuid.uuid4())
        self.acknowledged.append(Submitted(self.cell.client.submit(descriptor, key), key, descriptor, plan))


class Monkey:
    """Kills a node, proves that the rest goes on, brings it back."""

    def __init__(self, cell, submitter, chance):
        self.cell, self.submitter, self.chance = cell, submitter, chance
        self.probes = []
        self.write_again = {"leader": [], "follower": []}

    def strike(self, victim_is_leader):
        self.cell.await_serving()  # One dead node at a time: two of three are no majority.
        leader = self.cell.leader()
        kind = "leader" if victim_is_leader else "follower"
        victim = leader if victim_is_leader else self.chance.choice([n for n in self.cell.nodes if n != leader])
        pause = self.chance.uniform(*DEAD_SECONDS)
        earlier = self.submitter.acknowledged[-1] if self.submitter.acknowledged else None
        killed = time.monotonic()
        self.cell.nodes[victim].kill()
        others = [port for n, port in self.cell.http.items() if n != victim]
        self.write_again[kind].append(self.probe(others, killed))
        print(f"kill {len(self.probes)}: node {victim} ({kind}), writes again after {self.write_again[kind][-1]:.3f} s", flush=True)
        if earlier:
            self.check_earlier(earlier, others)
        time.sleep(max(0.0, killed + pause - time.monotonic()))
        self.cell.nodes[victim].start()

    def probe(self, ports, since):
        """Seconds from the kill to the acknowledgement of a write that was sent after it, at a node that lives."""
        plan, key = [(0.1, 0)], str(uuid.uuid4())
        descriptor = self.cell.descriptor(plan, f"probe-{len(self.probes)}")
        while True:
            try:
                reply = request(self.chance.choice(ports), "POST", "/api/v3/jobs", descriptor, key)
            except Broken as broken:
                raise AssertionError(f"a node that was not killed does not answer: {broken}") from broken
            if reply.status == 202:
                break
            assert reply.body.get("retry") in ("elsewhere", "later", "unknown"), f"probe: {reply}"
            assert time.monotonic() - since < 30, f"no write is accepted: {reply}"
        self.probes.append(Submitted(reply.body["id"], key, descriptor, plan))
        return time.monotonic() - since

    def check_earlier(self, earlier, ports):
        """What was acknowledged before the kill is there after it, and its key still means the same."""
        assert self.cell.client.job(earlier.job_id, ports=ports)["id"] == earlier.job_id
        again = self.cell.client.submit(earlier.descriptor, earlier.key, ports=ports)
        assert again == earlier.job_id, f"key {earlier.key} answered {earlier.job_id}, then {again}"


def await_shards(cell, last_restart):
    def settled():
        owned = [cell.shards_owned(n) for n in cell.nodes]
        return owned if sorted(owned, key=str) == [21, 21, 22] else None
    left = SHARDS_SETTLED_SECONDS_MAX - (time.monotonic() - last_restart)
    owned = until("each node owns 21 or 22 shards", settled, left, 0.05)
    print(f"shards {owned} {time.monotonic() - last_restart:.2f} s after the last restart", flush=True)


def check_everything(cell, submitted):
    ledger, said = cell.ledger(), []
    known = set()
    for one in submitted:
        tasks = cell.client.tasks(one.job_id)
        known.update(task["id"] for task in tasks)
        said += checks.complaints_about_job(cell.client.job(one.job_id), tasks, ledger, one.plan)
    said += [f"task {task} ran, but the API does not know it: {entries}"
             for task, entries in ledger.items() if task not in known]
    print(f"{len(submitted)} jobs, {len(known)} tasks, {len(ledger)} ran, {len(said)} complaints", flush=True)
    assert not said, "\n".join(said[:50])
    assert len(known) == sum(len(one.plan) for one in submitted)


def print_figures(monkey, client):
    for kind, seconds in monkey.write_again.items():
        if seconds:
            print(f"writes again after a {kind} kill: n={len(seconds)} p50={statistics.median(seconds) * 1000:.0f} ms "
                  f"max={max(seconds) * 1000:.0f} ms")
    print(f"answers: {dict(client.seen)}", flush=True)


def harass(monkey, flow, begin, options):
    for kill in range(int(options.seconds / options.every) + 1):
        time.sleep(max(0.0, begin + options.every * kill - time.monotonic()))
        monkey.strike(victim_is_leader=kill % 2 == 0)
        if flow.done():
            flow.result()


def run(cell, options):
    chance = random.Random(options.seed)
    submitter = Submitter(cell, options, chance)
    monkey = Monkey(cell, submitter, chance)
    cell.start()
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        flow = thread.submit(submitter.run, begin)
        try:
            harass(monkey, flow, begin, options)
            await_shards(cell, time.monotonic())
            flow.result(60)
        finally:
            submitter.stopped.set()
    submitted = submitter.acknowledged + monkey.probes
    for one in submitted:
        cell.await_job_end(one.job_id, TASK_SECONDS[1] + 40)
    print_figures(monkey, cell.client)
    check_everything(cell, submitted)
    shims = lambda: [line for line in processes_of(cell.folder).values() if "--config" not in line]
    until("no shim outlives the tasks", lambda: not shims(), 10)
    for process in [*cell.agents.values(), *cell.nodes.values()]:
        code = process.signal(15)
        assert code == 0, f"{process.name} ended with {code} when asked to stop"
    slowest = max(monkey.write_again["leader"] + monkey.write_again["follower"])
    assert slowest <= WRITES_AGAIN_SECONDS_MAX, f"writes were accepted again after {slowest:.2f} s"


def main():
    options = arguments()
    repeat = f"python3 tests/e2e/chaos_test.py --seed {options.seed} --seconds {options.seconds:g} " \
             f"--submit-seconds {options.submit_seconds:g} --jobs {options.jobs} --every {options.every:g}"
    print(f"seed={options.seed}", flush=True)
    try:
        with Cell("chaos", seconds_max=int(options.seconds) + 230) as cell:
            run(cell, options)
            cell.passed = True
    except (AssertionError, Promise, OSError, concurrent.futures.TimeoutError) as error:
        print(f"FAILED: {type(error).__name__}: {error}\nseed={options.seed}; to repeat: {repeat}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
