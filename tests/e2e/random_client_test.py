"""Random requests drawn from the OpenAPI document, at three nodes of which one after the other is killed and comes back.

Each answer must be one that the document allows, each error the one shape of errors, and no 5xx but 503 with Retry-After
and 504 outcome_unknown. A node that nobody killed answers, and goes on living. Counts are reported.

    random_client_test.py [--seconds N | --requests N] [--seed N]

Defaults from TROUPE_CLIENT_SECONDS, TROUPE_CLIENT_REQUESTS, TROUPE_CLIENT_SEED; with a number of requests it goes on until
so many were answered. A failing run prints the seed: the requests of each worker are drawn from it.
"""
import argparse
import collections
import http.client
import json
import multiprocessing
import os
import random
import sys
import time

import client
from cluster import ROOT, Cell
from random_requests import Requests, chance_of

sys.path.insert(0, os.path.join(ROOT, "tests/actors/gateway"))
from contract_test import Contract  # pylint: disable=wrong-import-position

WORKERS = 3
ANSWER_SECONDS_MAX = 20
STREAM_SECONDS = 0.3
STREAM_BYTES_MAX = 4096
KILL_EVERY_SECONDS = 6.0
DEAD_SECONDS = (0.0, 2.0)
# Answers of a node that is being killed may be cut; whoever asked just before or after it is not held to an answer.
AROUND_KILL_SECONDS = 1.0
FAULTS_SHOWN = 20
ALLOWED_5XX = {503, 504}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"seconds": 40.0, "requests": 0, "seed": 0}.items():
        parser.add_argument("--" + name, type=type(value), default=type(value)(os.environ.get("TROUPE_CLIENT_" + name.upper(), value)))
    options = parser.parse_args()
    options.seed = options.seed or random.SystemRandom().randrange(1, 1 << 32)
    return options


class Worker:
    """Asks one request after the other; its connections outlive answers, not their node."""

    def __init__(self, number, ports, document, options, shared):
        self.requests = Requests(document, chance_of(options.seed, number))
        self.contract, self.ports, self.shared = Contract(document), list(ports), shared
        self.chance = chance_of(options.seed, number + 500)
        self.connections, self.opened = {}, {}
        self.statuses, self.operations, self.faults = collections.Counter(), collections.Counter(), []

    def run(self):
        while not self.shared["stop"].is_set() and len(self.faults) < FAULTS_SHOWN:
            node = self.chance.randrange(len(self.ports))
            method, target, headers, body, operation = self.requests.next()
            asked = time.monotonic()
            try:
                answer = self.ask(node, method, target, headers, body)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.connections.pop(node, None)
                self.statuses["no answer"] += 1
                # A connection from before the node's death is found dead only when it is used.
                if not self.was_away(node, min(asked, self.opened.get(node, asked))):
                    self.faults.append(f"node {node + 1} was not killed, and {method} {target} {body!r} got {error!r}")
                time.sleep(0.01)
                continue
            self.judge(answer, operation, body)
            with self.shared["answered"].get_lock():
                self.shared["answered"].value += 1
        for connection in self.connections.values():
            connection.close()

    def was_away(self, node, asked):
        with self.shared["away_until"].get_lock():
            return asked < self.shared["away_until"][node]

    def ask(self, node, method, target, headers, body):
        connection = self.connections.get(node)
        if connection is None:
            self.opened[node] = time.monotonic()
            connection = self.connections[node] = http.client.HTTPConnection("127.0.0.1", self.ports[node],
                                                                             timeout=ANSWER_SECONDS_MAX)
        connection.request(method, target, body, headers)
        said = connection.getresponse()
        kind = said.getheader("content-type") or ""
        if kind.startswith("text/event-stream") or "follow=true" in target:
            # What has come after a moment is judged by its first frame; the rest goes on elsewhere.
            text = b""
            try:
                if said.fp is not None:
                    said.fp.raw._sock.settimeout(STREAM_SECONDS)  # pylint: disable=protected-access
                    text = said.read1(STREAM_BYTES_MAX)
            except (OSError, http.client.HTTPException):
                pass  # Nothing yet, or cut: its reader comes back with the last id or offset.
            connection.close()
            del self.connections[node]
        else:
            text = said.read()
        return {"method": method, "target": target, "status": said.status, "type": kind,
                "body": text.decode("utf-8", errors="strict" if kind.startswith("application/json") else "replace"),
                "headers": {name.lower(): value for name, value in said.getheaders()}}

    def judge(self, answer, operation, body):
        self.statuses[answer["status"]] += 1
        self.operations[operation] += 1
        where = f"{answer['method']} {answer['target'][:300]} {(body or b'')[:300]!r} -> {answer['status']} {answer['body'][:300]}"
        if answer["status"] >= 500 and answer["status"] not in ALLOWED_5XX:
            self.faults.append(f"an internal error: {where}")
        is_json = answer["type"].startswith("application/json")
        try:
            value = json.loads(answer["body"]) if is_json and answer["body"] else {}
            if is_json:
                client.hold_to_promises(answer["method"], answer["target"].split("?")[0],
                                        client.Reply(answer["status"], answer["headers"], value), None)
            faults = self.contract.faults_of(answer)
        except (client.Promise, ValueError) as fault:
            faults = [str(fault)]
        self.faults += [f"{fault}: {where}" for fault in faults]
        if is_json and answer["status"] < 300:
            self.requests.memory.learn(operation[1], value)


def work(number, ports, document, options, shared, told):
    worker = Worker(number, ports, document, options, shared)
    try:
        worker.run()
    finally:
        told.put((worker.statuses, worker.operations, worker.faults))


class Killer:
    """One node at a time, by turns the leader and another: the others can always answer."""

    def __init__(self, cell, shared, chance):
        self.cell, self.shared, self.chance, self.kills = cell, shared, chance, 0

    def strike(self):
        self.cell.await_serving(30)
        leader = self.cell.leader()
        victim = leader if self.kills % 2 == 0 else self.chance.choice([n for n in self.cell.nodes if n != leader])
        self.mark(victim, time.monotonic() + 3600)
        time.sleep(AROUND_KILL_SECONDS / 10)
        self.cell.nodes[victim].kill()
        self.kills += 1
        time.sleep(self.chance.uniform(*DEAD_SECONDS))
        self.cell.nodes[victim].start()
        self.cell.await_serving(30)
        self.mark(victim, time.monotonic() + AROUND_KILL_SECONDS)

    def mark(self, node, until):
        with self.shared["away_until"].get_lock():
            self.shared["away_until"][node - 1] = until


def run(cell, options):
    cell.start()
    cell.client.call("PUT", "/api/v3/cell/policy", {"jobsMax": 400})
    ports = [cell.http[n] for n in sorted(cell.http)]
    document = cell.client.get("/api/v3/openapi.json")
    # Clock and seed are the same for all: CLOCK_MONOTONIC is the machine's.
    shared = {"stop": multiprocessing.Event(), "answered": multiprocessing.Value("Q", 0),
              "away_until": multiprocessing.Array("d", [0.0] * len(ports))}
    told = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(n, ports, document, options, shared, told), daemon=True)
               for n in range(WORKERS)]
    begin = time.monotonic()
    for worker in workers:
        worker.start()
    killer = Killer(cell, shared, random.Random(options.seed))
    is_over = lambda: (shared["answered"].value >= options.requests if options.requests
                       else time.monotonic() - begin >= options.seconds)
    while not is_over() and all(worker.is_alive() for worker in workers):
        time.sleep(0.5)
        if time.monotonic() - begin >= KILL_EVERY_SECONDS * (killer.kills + 1):
            killer.strike()
    shared["stop"].set()
    statuses, operations, faults = collections.Counter(), collections.Counter(), []
    for _ in workers:
        said = told.get(timeout=2 * ANSWER_SECONDS_MAX)
        statuses, operations, faults = statuses + said[0], operations + said[1], faults + said[2]
    seconds = time.monotonic() - begin
    print(f"{sum(operations.values())} requests answered in {seconds:.0f} s, {killer.kills} kills, "
          f"{len(operations)} operations of {sum(len(methods) for methods in document['paths'].values())}; statuses "
          + " ".join(f"{status}:{count}" for status, count in sorted(statuses.items(), key=str)), flush=True)
    assert not faults, "\n".join(faults[:FAULTS_SHOWN])
    cell.await_serving(30)
    for name, process in {**cell.nodes, **{f"agent {n}": a for n, a in cell.agents.items()}}.items():
        assert process.is_running(), f"{name} has ended by itself"
    assert killer.kills > 0 and statuses[202] > 0 and statuses[400] > 0, "the requests reached nothing"


def main():
    options = arguments()
    print(f"seed={options.seed}", flush=True)
    limit = int(options.seconds) + 60 if not options.requests else 7200
    try:
        with Cell("random_client", agents=1, seconds_max=limit) as cell:
            run(cell, options)
            cell.passed = True
    except (AssertionError, OSError) as error:
        print(f"FAILED: {error}\nto repeat: python3 tests/e2e/random_client_test.py --seed {options.seed} --seconds {options.seconds:g}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
