#!/usr/bin/env python3
"""Fails when clang-format would change a source file. `--write` formats instead of complaining."""
import subprocess
import sys

import tree

FILES_PER_CALL = 40


def main(arguments):
    files = tree.sources()
    if not files:
        print("no source files found")
        return 1
    mode = ["-i"] if "--write" in arguments else ["--dry-run", "--Werror", "--ferror-limit=1"]
    calls = [["clang-format", *mode, *files[i:i + FILES_PER_CALL]] for i in range(0, len(files), FILES_PER_CALL)]
    results = [subprocess.run(call, cwd=tree.ROOT, check=False).returncode for call in calls]
    print(f"{len(files)} files looked at; repair with: python3 tests/house/format.py --write")
    return 1 if any(results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
