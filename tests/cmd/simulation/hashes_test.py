"""The same seed gives the same history in twenty lives over two processes."""
import re
import subprocess
import sys

TIMES = 10


def begin(program):
    command = [program, "sim", "--seed", "3", "--small", "--times", str(TIMES)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def main():
    lives = [begin(sys.argv[1]) for _ in range(2)]
    outputs = [life.communicate(timeout=100)[0] for life in lives]
    for life, output in zip(lives, outputs):
        if life.returncode != 0:
            sys.exit(f"a life went wrong, or its repetitions differ:\n{output}")
    hashes = {tuple(re.findall(r"events=(\d+) .* hash=(\w+)", output)) for output in outputs}
    if len(hashes) != 1 or not next(iter(hashes)):
        sys.exit("two processes lived the same seed differently:\n" + "".join(outputs))


main()
