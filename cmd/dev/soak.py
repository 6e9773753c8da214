"""The work of cmd/dev/soak: runs batches of each simulation and rounds of real kills until the time is over, then reports."""
import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
BATCH_SECONDS_MAX = 900
CHAOS_EVERY_SECONDS = 240.0
# Random requests against a cell of real processes, by turns with the chaos of jobs.
REQUESTS_SECONDS = 40
CHAOS = {"SECONDS": "40", "SUBMIT_SECONDS": "32", "JOBS": "60", "EVERY": "4"}
SEEDS_A_BATCH = {"log": 4000, "replicas": 400, "cells": 10}


def batch_of(name, first):
    """What runs the simulation's next batch of seeds: a command, and its environment."""
    count = SEEDS_A_BATCH[name]
    if name == "log":
        return [BUILD / "raft_tests", "--gtest_filter=RaftSimulation.Faults*"], {
            "RAFT_SIM_FIRST": str(first), "RAFT_SIM_SEEDS": str(count)}
    if name == "replicas":
        return [BUILD / "replica_life_tests", "--gtest_filter=Life.Keeps*"], {
            "LIFE_FIRST": str(first), "LIFE_SEEDS": str(count)}
    return [BUILD / "troupe", "sim", "--small", "--shrink", "--seeds", f"{first}..{first + count - 1}"], {}


class Report:
    def __init__(self):
        self.seeds = collections.Counter()
        self.seconds = collections.Counter()
        self.figures = {name: collections.Counter() for name in [*SEEDS_A_BATCH, "kills", "requests"]}
        self.violations = []

    def tell(self, elapsed):
        print(f"\n== soak of {elapsed / 60:.1f} minutes: {len(self.violations)} violations")
        for name, figures in self.figures.items():
            print(f"{name}: seeds={self.seeds[name]} cpu_seconds={self.seconds[name]:.0f}"
                  + "".join(f" {key}={value}" for key, value in figures.items()))
        for violation in self.violations:
            print(f"VIOLATION {violation}")
        sys.stdout.flush()


def run(command, environment):
    """Output, status and processor seconds of one batch."""
    before = os.times()
    try:
        done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True,
                              timeout=BATCH_SECONDS_MAX, check=False)
        output, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired as late:
        output, status = f"no end within {late.timeout} s", 1
    after = os.times()
    return output, status, after.children_user + after.children_system - before.children_user - before.children_system


def simulate(name, first, report):
    """One batch; the seed to go on with. A batch ends at its first violation, and the next begins behind it."""
    count = SEEDS_A_BATCH[name]
    output, status, seconds = run(*batch_of(name, first))
    report.seconds[name] += seconds
    for told in re.findall(r"^seeds?=\d+ (.*)$", output, re.MULTILINE):
        for key, value in re.findall(r"(?<!\S)(\w+)=(\d+)(?!\S)", told):
            if key != "hash":
                report.figures[name][key] += int(value)
    if status == 0:
        report.seeds[name] += count
        return first + count
    failed = re.search(r"(?:seed|FIRST)=(\d+)", output)
    seed = int(failed.group(1)) if failed else first + count - 1
    report.seeds[name] += max(0, seed - first)
    repeat = re.search(r"repeat with: .*", output)
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("[")]
    report.violations.append(f"{name} seed={seed}: {repeat.group(0) if repeat else ' | '.join(lines[-5:])}")
    print(output[-3000:], flush=True)
    return max(seed, first) + 1


def kill(seed, report):
    environment = {"TROUPE_CHAOS_" + key: value for key, value in CHAOS.items()}
    environment |= {"TROUPE_CHAOS_SEED": str(seed), "TROUPE_BINARY": str(BUILD / "troupe"), "PYTHONDONTWRITEBYTECODE": "1"}
    output, status, seconds = run([sys.executable, "tests/e2e/chaos_test.py"], environment)
    report.seconds["kills"] += seconds
    report.seeds["kills"] += 1
    report.figures["kills"]["kills"] += len(re.findall(r"^kill \d+:", output, re.MULTILINE))
    for jobs, tasks in re.findall(r"^(\d+) jobs, (\d+) tasks", output, re.MULTILINE):
        report.figures["kills"]["jobs"] += int(jobs)
        report.figures["kills"]["tasks"] += int(tasks)
    for slowest in re.findall(r"max=(\d+) ms", output):
        report.figures["kills"]["write_again_ms_max"] = max(report.figures["kills"]["write_again_ms_max"], int(slowest))
    if status == 0:
        return
    repeat = re.search(r"to repeat: (.*)", output)
    report.violations.append(f"kills seed={seed}: {repeat.group(1) if repeat else output[-400:]}")
    print(output[-3000:], flush=True)


def ask(seed, report):
    """Requests drawn from the contract while nodes are killed."""
    environment = {"TROUPE_CLIENT_SEED": str(seed), "TROUPE_CLIENT_SECONDS": str(REQUESTS_SECONDS),
                   "TROUPE_BINARY": str(BUILD / "troupe"), "PYTHONDONTWRITEBYTECODE": "1"}
    output, status, seconds = run([sys.executable, "tests/e2e/random_client_test.py"], environment)
    report.seconds["requests"] += seconds
    report.seeds["requests"] += 1
    for requests, kills in re.findall(r"^(\d+) requests answered in \d+ s, (\d+) kills", output, re.MULTILINE):
        report.figures["requests"]["requests"] += int(requests)
        report.figures["requests"]["kills"] += int(kills)
    if status != 0:
        repeat = re.search(r"to repeat: (.*)", output)
        report.violations.append(f"requests seed={seed}: {repeat.group(1) if repeat else output[-400:]}")
        print(output[-3000:], flush=True)


def main():
    parser = argparse.ArgumentParser(prog="cmd/dev/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--no-kills", action="store_true", help="simulations alone")
    parser.add_argument("--first", type=int, default=0, help="the first seed of each simulation; by the time of day if not given")
    options = parser.parse_args()
    begin = time.monotonic()
    end = begin + options.minutes * 60
    first = options.first or int(time.time()) % 1_000_000 * 1_000
    report, next_seed = Report(), dict.fromkeys(SEEDS_A_BATCH, first)
    kill_at = begin
    print(f"first seed {first}", flush=True)
    while time.monotonic() < end:
        if not options.no_kills and time.monotonic() >= kill_at:
            if report.seeds["requests"] < report.seeds["kills"]:
                ask(first + report.seeds["requests"], report)
            else:
                kill(first + report.seeds["kills"], report)
            kill_at = time.monotonic() + CHAOS_EVERY_SECONDS
        # The one that has had the least time so far.
        name = min(SEEDS_A_BATCH, key=lambda each: report.seconds[each])
        next_seed[name] = simulate(name, next_seed[name], report)
    report.tell(time.monotonic() - begin)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
