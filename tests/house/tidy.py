#!/usr/bin/env python3
"""The house rules that a program can check. Prints `path:line: [rule] what is wrong`; exits 1 when there is anything.

Usage: tidy.py [ROOT]. Reads the tree as it lies on disk, without git, so that it also runs in an exported archive.
A line may carry `// tidy: allow RULE because ...`; an allowance without a reason is itself a complaint.
"""
import os
import re
import sys
from collections import namedtuple

from source import blank, functions

Complaint = namedtuple("Complaint", "path line rule text")

LAYERS = ["storage", "net", "actors", "cmd"]
TOP_LEVEL = set(LAYERS) | {"tests", "CMakeLists.txt", "README.md", "CMakePresets.json", "LICENSE"}
SKIPPED_FOLDERS = {".git", "build", ".cache", "__pycache__"}
FUZZ_INPUTS = "tests/fuzz/corpus/"  # bytes, not text
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
SOURCE_SUFFIXES = (".cpp", ".hpp", ".ipp")
TEXT_SUFFIXES = SOURCE_SUFFIXES + (
    ".py", ".md", ".txt", ".cmake", ".sh", ".json", ".yaml", ".yml", ".html", ".js", ".css", "")

# The only files that may ask the operating system for time and chance (design: one seed repeats one history).
SEAMS = {"storage/base/time.cpp", "storage/base/random.cpp"}
PUBLIC_HEADERS = "cmd/embedded/include/"  # what other projects compile
PURE_ROLES = ("_core", "_table", "_store", "_codec")
REPLICATED = ("storage/state/", "storage/model/")

BANNED_CALLS = [
    (re.compile(r"\b(?:\w+_clock|\w*(?:Clock|Steady))\s*::\s*now\b"), "clock read outside the seam"),
    (re.compile(r"\b(?:clock_gettime|gettimeofday|ftime)\s*\("), "clock read outside the seam"),
    (re.compile(r"(?<![\w.>])(?:std\s*::\s*|::\s*)?time\s*\(\s*(?:NULL|nullptr|0|&\s*\w+)\s*\)"), "clock read outside the seam"),
    (re.compile(r"(?<![\w.>])(?:std\s*::\s*|::\s*)?(?:rand|srand|rand_r|drand48)\s*\("), "chance outside the seam"),
    (re.compile(r"\brandom_device\b"), "chance outside the seam"),
    (re.compile(r"\bthis_thread\s*::\s*sleep_(?:for|until)\b"), "sleep: await an event instead"),
    (re.compile(r"(?<![\w.>])(?:::\s*)?(?:sleep|usleep|nanosleep|clock_nanosleep)\s*\("), "sleep: await an event instead"),
]
# Two runs of one test may meet there; the helper makes a new folder each time.
TEMP_FOLDER = "tests/storage/base/temp_folder.hpp"
TEMP_BANNED = [
    (re.compile(r"\b(?:TempDir|temp_directory_path|mkdtemp)\b"), "use TempFolder of " + TEMP_FOLDER),
]
REPLICATED_BANNED = [
    (re.compile(r"\b(?:unordered_(?:multi)?(?:map|set)|(?:flat|node)_hash_(?:map|set))\b"),
     "unordered container in replicated code"),
    (re.compile(r"\b(?:float|double)\b"), "floating point in replicated code"),
]
# Spelled so that this file does not complain about itself.
STRAY_WORDS = re.compile(
    r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|\b(?:[Ss]tub(?:s|bed)?|[Pp]lace" r"holders?)\b(?!=)|\b[Nn]ot " r"(?:yet )?implemented\b")
MACHINE_PATHS = re.compile(r"(?<![\w.$}/-])/(?:wo" r"rk|fa" r"rm)/(?=[\w.])")
ALLOWANCE = re.compile(r"tidy: allow ([a-z-]+)(?: because (\S.*))?")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def walk(root):
    """Every file of the tree, as a sorted list of paths relative to root."""
    found = []
    for folder, names, files in os.walk(root):
        names[:] = sorted(n for n in names if n not in SKIPPED_FOLDERS)
        for name in sorted(files):
            found.append(os.path.relpath(os.path.join(folder, name), root))
    return found


def layer_of(path):
    return path.split("/", 1)[0]


def sees_actors(path):
    """Whether a file may name CAF: actors/ but for what must be testable without it."""
    stem = os.path.splitext(os.path.basename(path))[0]
    return layer_of(path) == "actors" and not path.startswith("actors/cores/") and not stem.endswith(PURE_ROLES)


def may_see(path, header):
    """The reason why `path` must not include `header`, or None."""
    layer, target = layer_of(path), layer_of(header)
    if layer == "tests":
        return None
    if path.startswith(PUBLIC_HEADERS) and not re.fullmatch(r"troupe/\w+\.hpp|[a-z_]+", header):
        return "public headers include the standard library only"
    if layer in LAYERS and target in LAYERS and LAYERS.index(target) > LAYERS.index(layer):
        return f"{layer} may not include {target}"
    if layer in LAYERS and target == "tests":
        return "product code may not include tests"
    if target == "caf" and not sees_actors(path):
        return "CAF belongs in actors/, in *_actor files and plumbing, never in cores, tables, stores and codecs"
    if target == "boost" and layer != "net":
        return "Beast and Asio belong in net/"
    if header == "net/steady_point.hpp" and layer != "net":
        return "only sockets run against the machine's clock; everything else is given a Clock"
    if target == "rocksdb" and not path.startswith("storage/kv/"):
        return "RocksDB belongs in storage/kv/"
    return None


def check_includes(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        reason = may_see(path, match.group(2)) if match else None
        if reason:
            yield Complaint(path, number, "include", f"{reason}: {match.group(2)}")


def check_lengths(path, text, code):
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield Complaint(path, lines, "file-length", f"{lines} lines, at most {FILE_LINES_MAX}")
    for function in functions(code):
        if function.lines > FUNCTION_LINES_MAX:
            yield Complaint(path, function.line, "function-length",
                            f"{function.name} has {function.lines} lines, at most {FUNCTION_LINES_MAX}")


def check_calls(path, code):
    banned = [] if path in SEAMS else [b + ("call",) for b in BANNED_CALLS]
    # Only end-to-end tests run against real time: there is no event to await across processes.
    if path.startswith("tests/e2e/"):
        banned = []
    if path.startswith("tests/") and path != TEMP_FOLDER:
        banned += [b + ("temp-folder",) for b in TEMP_BANNED]
    if path.startswith(REPLICATED):
        banned += [b + ("replicated",) for b in REPLICATED_BANNED]
    for number, line in enumerate(code.splitlines(), 1):
        for pattern, reason, rule in banned:
            if not INCLUDE.match(line) and pattern.search(line):
                yield Complaint(path, number, rule, f"{reason}: {line.strip()}")


def check_words(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        match = STRAY_WORDS.search(line)
        if match:
            yield Complaint(path, number, "stray-word", f"'{match.group(0)}'")
        match = MACHINE_PATHS.search(line)
        if match:
            yield Complaint(path, number, "machine-path", f"'{match.group(0)}' in: {line.strip()}")


def check_file(path, text):
    """All complaints about one file. Pure: the tests call it with snippets."""
    complaints = list(check_words(path, text))
    if path.endswith(SOURCE_SUFFIXES):
        code = blank(text)
        complaints += check_includes(path, text)
        complaints += check_lengths(path, text, code)
        complaints += check_calls(path, code)
    return apply_allowances(path, text, complaints)


def apply_allowances(path, text, complaints):
    allowed, kept = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        match = ALLOWANCE.search(line)
        if match and path.endswith(SOURCE_SUFFIXES):
            if match.group(2):
                allowed[(number, match.group(1))] = True
            else:
                kept.append(Complaint(path, number, "allowance", "an allowance needs 'because' and a reason"))
    for complaint in complaints:
        if (complaint.line, complaint.rule) not in allowed and (complaint.line - 1, complaint.rule) not in allowed:
            kept.append(complaint)
    return kept


def check_shape(paths, top_level):
    """Complaints about the tree itself: top level entries, and folders with sources but without a README."""
    for entry in sorted(top_level):
        if entry not in TOP_LEVEL and not entry.startswith(".") and entry not in SKIPPED_FOLDERS:
            yield Complaint(entry, 1, "top-level", "not among the agreed entries")
    files = set(paths)
    for layer in LAYERS + ["tests"]:
        if any(layer_of(p) == layer for p in files) and f"{layer}/README.md" not in files:
            yield Complaint(layer, 1, "readme", f"{layer}/README.md is missing")


def check_tree(root):
    paths = walk(root)
    complaints = list(check_shape(paths, os.listdir(root)))
    lines = {"source": 0, "test": 0}
    for path in paths:
        if path.startswith(FUZZ_INPUTS):
            continue
        if not path.endswith(TEXT_SUFFIXES) and os.path.splitext(path)[1]:
            continue
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                text = file.read()
        except UnicodeDecodeError:
            complaints.append(Complaint(path, 1, "encoding", "not UTF-8"))
            continue
        complaints += check_file(path, text)
        if path.endswith(SOURCE_SUFFIXES):
            lines["test" if layer_of(path) == "tests" else "source"] += text.count("\n")
    return complaints, lines


def main(arguments):
    root = arguments[1] if len(arguments) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    complaints, lines = check_tree(root)
    for c in complaints:
        print(f"{c.path}:{c.line}: [{c.rule}] {c.text}")
    print(f"{len(complaints)} complaints; {lines['source']} source lines, {lines['test']} test lines")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
