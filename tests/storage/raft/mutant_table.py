#!/usr/bin/env python3
"""mutants.md: which deliberate bug is killed by what, and in how many seconds of processor time.

Runs the test programs that kill them and reads what they print. Without --write the table goes to standard output.
"""
import collections
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PROGRAMS = {
    "raft_mutants_tests": ("Mutants.*:All/Mutants.*", "core"),
    "replica_life_mutants_tests": ("*LifeMutants.*", "life"),
    "raft_exhaustive_mutants_tests": ("*ExhaustiveMutants.*", "explored"),
}
SECONDS_MAX = 600
# Not seen by any history of the simulations, and why.
UNSEEN = {
    "commit_own_last": "needs an append that ends before a tail of the follower's own; since a leader probes no further "
                       "back than it must, 126,000 seeds had none",
    "ack_own_last": "likewise",
    "self_vote_before_sync": "its requests leave after the same sync, so no other vote is counted before it; with `ask_before_sync` both show",
    "timeout_now_trusted": "no honest node sends that order in the same term without being the leader",
    "hint_ignored": "costs round trips only; no bound on them holds under loss",
}


def lists():
    """Of every mutant, in the order of the headers: name, pitfall or 'driver', what it does."""
    raft = (ROOT / "storage/raft/mutant.hpp").read_text()
    driver = (ROOT / "storage/replica/mutant.hpp").read_text()
    found = [(name, pitfall, what) for name, pitfall, what in re.findall(r'X\((\w+), (\d+), "([^"]*)"\)', raft)]
    return found + [(name, "driver", what) for name, what in re.findall(r'X\((\w+), "([^"]*)"\)', driver)]


def output_of(program, tests):
    path = ROOT / "build/release" / program
    done = subprocess.run([path, f"--gtest_filter={tests}"], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    if done.returncode != 0:
        sys.exit(f"{program} fails:\n{done.stdout[-4000:]}")
    return done.stdout


def kills():
    found = collections.defaultdict(dict)
    for program, (tests, kind) in PROGRAMS.items():
        output = output_of(program, tests)
        for name, seed, seconds, how in re.findall(r'mutant=(\w+) seed=(\d+) seconds=([\d.e-]+) found="(\w+)"', output):
            found[name][kind] = f"{seed} ({float(seconds):.3f} s): {how}"
        for name, seconds, how in re.findall(r"mutant=(\w+) .*explored_seconds=([\d.e-]+).* violation=(\w+)", output):
            found[name].setdefault(kind, f"{float(seconds):.1f} s: {how}")
        for name, scenario in re.findall(r"mutant=(\w+) scenario=(\S+)", output):
            found[name]["scenario"] = scenario
    return found


def table():
    found, rows = kills(), lists()
    seen = [name for name, _, _ in rows if {"core", "life", "explored"} & set(found[name])]
    lines = [
        "# What kills which deliberate bug",
        "",
        "Written by `tests/storage/raft/mutant_table.py --write`; the numbers are seeds, the seconds processor time to the kill.",
        "*Core*: `raft_mutants_tests`, the core in memory. *Life*: `replica_life_mutants_tests`, core, driver, log and disk.",
        "*Explored*: `raft_exhaustive_mutants_tests`. Pitfalls are numbered as in `storage/raft/mutant.hpp`.",
        "",
        f"{len(seen)} of {len(rows)} are seen by what the history shows; the others are held by a scenario:",
        "",
    ]
    lines += [f"* `{name}`: {UNSEEN.get(name, 'no seed found yet')}." for name, _, _ in rows if name not in seen]
    lines += ["", "| bug | pitfall | core | life | explored | scenario |", "|---|---|---|---|---|---|"]
    for name, pitfall, _ in rows:
        at = found[name]
        lines.append(f"| `{name}` | {pitfall} | {at.get('core', '')} | {at.get('life', '')} | {at.get('explored', '')} | "
                     f"{at.get('scenario', '')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = table()
    if "--write" in sys.argv[1:]:
        (HERE / "mutants.md").write_text(text)
    else:
        print(text, end="")
