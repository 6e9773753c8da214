#!/usr/bin/env python3
"""The readiness table of README.md, generated from what the tests are named: M<row>_(alpha|beta|ga)_<sentence>, in C++
tests and, as test_M<row>_..., in the end-to-end scripts.

Without arguments fails when README.md differs; `--write` brings it up to date.
"""
import os
import re
import sys

import source
import tree

BEGIN, END = "<!-- readiness: written by tests/house/readiness.py -->", "<!-- end of readiness -->"
LEVELS = ["none", "alpha", "beta", "GA"]
ROWS = [
    "service and batch jobs, their whole life", "resources and placement", "containers on agents",
    "network policy, metadata, identity, logs, environment", "one submission, one job", "limits, caps and back-pressure",
    "bad jobs are refused, poison is quarantined", "relaunch back-off and launch budgets",
    "export, restore, rehearsal of recovery", "audit: who did it, and why", "containment; exec audited",
    "launch rates and back-off on hosts", "host health, warm-up, quarantine", "drain, migration, rolling replacement",
    "reconciliation and fencing", "failover that restarts nothing", "degraded modes of dependencies",
    "cgroup accounting, exits, profiling", "chaos built in", "metrics, alerts, SLOs", "remediation from the console",
    "rolling upgrade with leader hand-over", "replicated log, election, registry", "autoscaling of hosts and services",
    "discovery for others", "this table", "cells and federation", "clients in other languages",
]
TEST_NAME = re.compile(r"\bTEST(?:_F|_P)?\s*\(\s*\w+\s*,\s*M(\d+)_(alpha|beta|ga)_\w+\s*\)")
SCRIPT_TEST_NAME = re.compile(r"^ +def test_M(\d+)_(alpha|beta|ga)_\w+\(self\)", re.MULTILINE)


class UnknownRow(Exception):
    pass


def proofs(text):
    """(row, level) of each test in a C++ source; what is commented out or DISABLED_ proves nothing."""
    return levels(TEST_NAME.findall(source.blank(text)))


def script_proofs(text):
    """The same of an end-to-end script: methods of its unittest classes."""
    return levels(SCRIPT_TEST_NAME.findall(text))


def levels(names):
    for row, level in names:
        if not 1 <= int(row) <= len(ROWS):
            raise UnknownRow(f"M{row} is not a row of the readiness table")
        yield int(row), {"alpha": 1, "beta": 2, "ga": 3}[level]


def table(all_proofs):
    """The table as text: the highest level proven per row, and how many tests prove something of it."""
    lines = ["| | | level | tests |", "|---|---|---|---|"]
    for number, what in enumerate(ROWS, 1):
        levels = [level for row, level in all_proofs if row == number]
        lines.append(f"| M{number} | {what} | {LEVELS[max(levels, default=0)]} | {len(levels)} |")
    return "\n".join(lines)


def replaced(readme, text):
    before, rest = readme.split(BEGIN)
    return before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1]


def main(arguments):
    path = os.path.join(tree.ROOT, "README.md")
    readme = tree.read("README.md")
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        print("README.md lacks the two readiness markers")
        return 1
    found = [p for name in tree.sources() if name.startswith("tests/") for p in proofs(tree.read(name))]
    scripts = sorted(name for name in os.listdir(os.path.join(tree.ROOT, "tests/e2e")) if name.endswith("_test.py"))
    found += [p for name in scripts for p in script_proofs(tree.read("tests/e2e/" + name))]
    wanted = replaced(readme, table(found))
    if "--write" in arguments:
        with open(path, "w", encoding="utf-8") as file:
            file.write(wanted)
    elif wanted != readme:
        print("README.md differs from what the tests prove; repair with: python3 tests/house/readiness.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
