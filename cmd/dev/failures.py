#!/usr/bin/env python3
"""failures.py RESULTS: what each failed test printed last, from ctest's JUnit file, bounded for the end of a log."""
import sys
import xml.etree.ElementTree as ElementTree

TESTS_MAX = 8
LINES_MAX = 25
LINE_CHARACTERS_MAX = 400


def excerpts(path):
    """The last lines of each failed test, the first TESTS_MAX of them; one line says how many are left out."""
    failed = [case for case in ElementTree.parse(path).getroot().iter("testcase") if case.get("status") == "fail"]
    for case in failed[:TESTS_MAX]:
        yield f"== {case.get('name')} printed last:"
        for line in (case.findtext("system-out") or "").splitlines()[-LINES_MAX:]:
            yield line[:LINE_CHARACTERS_MAX]
    if len(failed) > TESTS_MAX:
        yield f"== and {len(failed) - TESTS_MAX} more failed"


def main(arguments):
    if len(arguments) != 1:
        print("usage: failures.py RESULTS", file=sys.stderr)
        return 2
    try:
        print("\n".join(excerpts(arguments[0])))
    except (OSError, ElementTree.ParseError) as error:
        print(f"failures.py: {arguments[0]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
