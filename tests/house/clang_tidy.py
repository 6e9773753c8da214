#!/usr/bin/env python3
"""clang-tidy over the pure parts: cores, codecs, JSON and vocabulary, where its checks find bugs and cost seconds.

Usage: clang_tidy.py BUILD. A file that passed is not looked at again until it, a header of ours or .clang-tidy changes.
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
        elif not word.startswith(("-fpch-preprocess", "-W", "-fconcepts")):
            kept.append(word)
    return kept + ["-w"]


def chosen(build, scratch):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for entry in json.load(file):
            path = os.path.relpath(entry["file"], tree.ROOT)
            if PURE.match(path) and os.path.exists(entry["file"]):
                yield path, {"directory": entry["directory"], "file": entry["file"],
                             "arguments": clean(entry["command"], scratch)}


def headers_digest():
    digest = hashlib.sha256(tree.read(".clang-tidy").encode())
    for path in tree.sources():
        if not path.endswith(".cpp"):
            digest.update(path.encode() + tree.read(path).encode())
    return digest.hexdigest()


def run(path, scratch, digest):
    stamp = os.path.join(scratch, hashlib.sha256((digest + path + tree.read(path)).encode()).hexdigest() + ".passed")
    if os.path.exists(stamp):
        return 0, ""
    call = ["clang-tidy", "--quiet", "-p", scratch, os.path.join(tree.ROOT, path)]
    result = subprocess.run(call, cwd=tree.ROOT, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        open(stamp, "w", encoding="utf-8").close()
    return result.returncode, result.stdout + result.stderr


def main(arguments):
    os.nice(10)  # Minutes of patient work, beside tests that are judged by the clock.
    build = os.path.abspath(arguments[0])
    scratch = os.path.join(build, "clang_tidy")
    os.makedirs(scratch, exist_ok=True)
    entries = dict(chosen(build, scratch))
    if not entries:
        print("no file chosen: the build folder or the choice is wrong")
        return 1
    with open(os.path.join(scratch, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump(list(entries.values()), file)
    digest, bad = headers_digest(), 0
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        for path, (status, output) in zip(entries, pool.map(lambda p: run(p, scratch, digest), entries)):
            if status:
                bad += 1
                print(f"{path}:\n{output}")
    print(f"{bad} of {len(entries)} files with complaints")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
