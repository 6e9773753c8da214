#!/usr/bin/env python3
"""clang-tidy over the pure parts: cores, codecs, JSON and vocabulary, where its checks find bugs and cost seconds.

Usage: clang_tidy.py BUILD. Files that passed are not looked at again until one of them, a header of ours or .clang-tidy changes.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import tree

PARALLEL = 2
BATCH = 8
PURE = re.compile(r"^(storage/(base|raft|model|state|log)/|net/json/|actors/cores/|.*_(core|codec|table)\.cpp$)")


def clean(command, scratch):
    """A g++ command as clang understands it: no launcher, no gcc-only flags, no gcc precompiled header."""
    words = shlex.split(command)
    while not re.search(r"(^|/)(c\+\+|g\+\+)[-\d.]*$", words[0]):
        words.pop(0)
    kept, skip = [], False
    for i, word in enumerate(words):
        if skip:
            skip = False
        elif word == "-include" and words[i + 1].endswith("cmake_pch.hxx"):
            # clang would stumble over the .gch beside it, so the header alone is copied away.
            copy = os.path.join(scratch, hashlib.sha256(words[i + 1].encode()).hexdigest()[:16] + ".hxx")
            shutil.copyfile(words[i + 1], copy)
            kept += ["-include", copy]
            skip = True
        elif not word.startswith(("-fpch-preprocess", "-W", "-fconcepts", "--param=")):
            kept.append(word)
    return kept + ["-w"]


def sources_of(file):
    """What a command compiles: the file, or what it includes where it stands for a batch of files."""
    if "/Unity/" not in file:
        return [file]
    with open(file, encoding="utf-8") as batch:
        return re.findall(r'^#include "(.*)"$', batch.read(), re.MULTILINE)


def chosen(build, scratch):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = [entry for entry in json.load(file) if os.path.exists(entry["file"])]
    for entry in commands:
        for source in sources_of(entry["file"]):
            path = os.path.relpath(source, tree.ROOT)
            if PURE.match(path):
                words = clean(entry["command"], scratch)
                yield path, {"directory": entry["directory"], "file": source,
                             "arguments": [source if word == entry["file"] else word for word in words]}


def headers_digest():
    digest = hashlib.sha256(tree.read(".clang-tidy").encode())
    for path in tree.sources():
        if not path.endswith(".cpp"):
            digest.update(path.encode() + tree.read(path).encode())
    return digest.hexdigest()


def batches(entries):
    """(command, paths) of what can be looked at together: most of a file's time goes into the headers it includes."""
    alike = {}
    for path, entry in entries.items():
        command = [word for word in entry["arguments"] if word != entry["file"]]
        if "-o" in command:
            del command[command.index("-o"):command.index("-o") + 2]
        alike.setdefault((entry["directory"], *command), []).append(path)
    for command, paths in alike.items():
        for i in range(0, len(paths), BATCH):
            yield command, paths[i:i + BATCH]


def write_batches(entries, scratch):
    """{name of a batch: its paths}, each with a command that clang-tidy finds."""
    named, commands = {}, []
    for (directory, *command), paths in batches(entries):
        name = os.path.join(scratch, hashlib.sha256("\n".join(paths).encode()).hexdigest()[:16] + ".cpp")
        with open(name, "w", encoding="utf-8") as file:
            file.writelines(tree.read(path) for path in paths)  # Not included: some checks see the main file only.
        named[name] = paths
        commands.append({"directory": directory, "file": name, "arguments": [*command, name]})
    with open(os.path.join(scratch, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump(commands, file)
    return named


def in_file(paths, line):
    """Where a batch's line comes from."""
    for path in paths:
        length = tree.read(path).count("\n")
        if line <= length:
            return f"{path}:{line}"
        line -= length
    return "the batch"


def run(batch, paths, scratch, digest):
    texts = "".join(path + tree.read(path) for path in paths)
    stamp = os.path.join(scratch, hashlib.sha256((digest + texts).encode()).hexdigest() + ".passed")
    if os.path.exists(stamp):
        return 0, ""
    call = ["clang-tidy", "--quiet", "-p", scratch, batch]
    result = subprocess.run(call, cwd=tree.ROOT, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        open(stamp, "w", encoding="utf-8").close()
    here = re.compile(re.escape(batch) + r":(\d+)")
    return result.returncode, here.sub(lambda found: in_file(paths, int(found[1])), result.stdout + result.stderr)


def main(arguments):
    os.nice(10)  # Minutes of patient work, beside tests that are judged by the clock.
    build = os.path.abspath(arguments[0])
    scratch = os.path.join(build, "clang_tidy")
    os.makedirs(scratch, exist_ok=True)
    entries = dict(chosen(build, scratch))
    unknown = [path for path in tree.sources() if path.endswith(".cpp") and PURE.match(path) and path not in entries]
    if unknown or not entries:
        print("nothing compiles: " + ", ".join(unknown or ["any file"]))
        return 1
    named = write_batches(entries, scratch)
    digest, bad = headers_digest(), 0
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        for status, output in pool.map(lambda one: run(*one, scratch, digest), named.items()):
            if status:
                bad += 1
                print(output)
    print(f"{bad} of {len(named)} batches with complaints, {len(entries)} files")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
