#!/usr/bin/env python3
"""Executes the READMEs: every command shown is run, in order, from the root of the tree, or the test fails.

Usage: readme.py [README...]; without arguments all of them. What may stand in a README:
  ```sh        commands; each block is one `bash -eu -o pipefail` and must succeed
  ```sh cell   one command that stays in the foreground, such as cmd/dev/up. It is started in the background, awaited
               until it prints a line that begins with `gateway`, and ended with SIGTERM after the README's last block
  ```text      output and drawings; never executed
  ```json, ```yaml, ```cpp   examples; never executed
Any other fence, and a command hidden in an indented block, is refused.

127.0.0.1:7001 in a block becomes a free port, and data lies in a scratch folder (TROUPE_HTTP and TROUPE_DATA), so that
a cell that is in use is neither found nor disturbed. `cmd/dev/test` called by a test that it has started itself ends at
once, since it is being executed already; called by this program run by hand, it runs in full.
"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import namedtuple

import tidy
import tree

Block = namedtuple("Block", "line kind text")

ADDRESS = "127.0.0.1:7001"
COMMAND_SECONDS_MAX = 600
READY_SECONDS_MAX = 120
END_SECONDS_MAX = 30
SHOWN_ONLY = {"text", "json", "yaml", "cpp", "promql"}
FENCE = re.compile(r"^\s*```(.*)$")


class Refused(Exception):
    pass


def blocks(text):
    """The fenced blocks that are executed. Raises Refused for what would escape the test."""
    found, opened, before = [], None, ""
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and opened is None:
            opened = (number, fence.group(1).strip(), [])
            if opened[1] not in SHOWN_ONLY | {"sh", "sh cell"}:
                raise Refused(f"line {number}: a fence must say sh, sh cell or one of {', '.join(sorted(SHOWN_ONLY))}")
        elif fence:
            if opened[1] not in SHOWN_ONLY:
                found.append(Block(opened[0], opened[1], "\n".join(opened[2])))
            opened = None
        elif opened:
            opened[2].append(line)
        elif re.match(r"^( {4}|\t)\S", line) and not before.strip():
            raise Refused(f"line {number}: commands stand in ```sh fences, not in indented blocks")
        before = line
    if opened:
        raise Refused(f"line {opened[0]}: the fence is never closed")
    return found


class Session:
    """One README's run: its scratch folder, its port, and the cells that it started. Ends them when left."""

    def __init__(self, root):
        self.root, self.cells = root, []
        self.scratch = tempfile.TemporaryDirectory(prefix="readme-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.environment = dict(os.environ, TROUPE_DATA=self.scratch.name + "/data", TROUPE_HTTP=self.address,
                                TROUPE_ADDRESS=self.address, PATH=f"{root}/build/release:" + os.environ.get("PATH", ""))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for cell in self.cells:
            if cell.poll() is None:
                os.killpg(cell.pid, signal.SIGKILL)
                cell.wait()
            cell.stdout.close()
        self.scratch.cleanup()

    def start(self, block, output):
        text = block.text.replace(ADDRESS, self.address)
        return subprocess.Popen(["bash", "-eu", "-o", "pipefail", "-c", text], cwd=self.root, env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, text=True,
                                start_new_session=True)

    def run(self, block):
        """None, or what went wrong."""
        process = self.start(block, subprocess.PIPE)
        try:
            output, _ = process.communicate(timeout=COMMAND_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return f"not done after {COMMAND_SECONDS_MAX} s: {process.communicate()[0]}"
        return None if process.returncode == 0 else f"status {process.returncode}: {output}"

    def run_cell(self, block):
        """None once the cell says where its gateway is, or what went wrong."""
        cell = self.start(block, subprocess.PIPE)
        self.cells.append(cell)
        seen, ready = [], threading.Event()

        def listen():
            for line in cell.stdout:
                seen.append(line)
                if line.startswith("gateway"):
                    ready.set()
            cell.wait()
            ready.set()

        threading.Thread(target=listen, daemon=True).start()
        if ready.wait(READY_SECONDS_MAX) and any(line.startswith("gateway") for line in seen):
            return None
        return "the cell did not come up: " + "".join(seen)

    def end(self):
        """None, or what went wrong when the cells were asked to end."""
        for cell in self.cells:
            if cell.poll() is None:
                os.killpg(cell.pid, signal.SIGTERM)
            try:
                status = cell.wait(timeout=END_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                return f"the cell did not end within {END_SECONDS_MAX} s"
            if status not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
                return f"the cell ended with status {status}"
        return None


def execute(text, root):
    """How many blocks ran, and None or the first failure."""
    try:
        found = blocks(text)
    except Refused as refusal:
        return 0, str(refusal)
    with Session(root) as session:
        for done, block in enumerate(found):
            failure = session.run_cell(block) if block.kind == "sh cell" else session.run(block)
            if failure:
                return done, f"line {block.line}: {block.text}\n{failure}"
        return len(found), session.end()


def main(arguments):
    names = arguments or [path for path in tidy.walk(tree.ROOT) if os.path.basename(path) == "README.md"]
    failures = 0
    for name in names:
        count, failure = execute(tree.read(name), tree.ROOT)
        print(f"{name}: {count} blocks executed")
        if failure:
            failures += 1
            print(f"{name}: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
