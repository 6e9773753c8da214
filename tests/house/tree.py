"""Where the tree is, and which of its files are C++."""
import os

import tidy

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


def sources(root=ROOT):
    return [path for path in tidy.walk(root) if path.endswith(tidy.SOURCE_SUFFIXES)]


def read(path, root=ROOT):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()
