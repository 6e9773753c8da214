#!/usr/bin/env python3
"""Gathers the C++ of a README into one file, which is then compiled and run: what the page shows is what works.

Usage: examples.py README OUTPUT. The ```cpp blocks, in order; each line keeps its place in the page, for the compiler's messages.
"""
import os
import re
import sys

BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.M | re.S)


def gathered(text, name):
    parts = []
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1)) + 1
        parts.append(f'#line {line} "{name}"\n{block.group(1)}')
    return "\n".join(parts)


def main(readme, output):
    with open(readme, encoding="utf-8") as file:
        code = gathered(file.read(), os.path.basename(os.path.dirname(readme)) + "/README.md")
    if "TEST(" not in code:
        print(f"{readme} shows no test")
        return 1
    with open(output, "w", encoding="utf-8") as file:
        file.write(code)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
