#!/usr/bin/env python3
"""Installs the build tree, then configures, compiles, links and runs a project that knows only the installed package.

Usage: consumer_test.py BUILD_FOLDER. Prints what each step took; fails where one fails, or where the project's own file
compiles too slowly: the public headers include the standard library only, and no more of it than they need.
"""
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILE_SECONDS_MAX = 3.0
STEP_SECONDS_MAX = 50


def run(name, command, **more):
    """Its output; what it took is printed. Ends the test where it fails."""
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=STEP_SECONDS_MAX,
                          check=False, **more)
    seconds = time.monotonic() - began
    print(f"{name}: {seconds:.2f} s", flush=True)
    if done.returncode != 0:
        print(f"{' '.join(command)}\n{done.stdout}")
        sys.exit(1)
    return done.stdout, seconds


def cpu_seconds(command):
    """The compiler's own time: a busy machine is not its fault."""
    before = os.times()
    run("compile", command)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main(build):
    work = os.path.join(build, "consumer")
    shutil.rmtree(work, ignore_errors=True)
    prefix, tree = os.path.join(work, "prefix"), os.path.join(work, "build")
    run("install", ["cmake", "--install", build, "--prefix", prefix])
    # Neither ccache nor another linker: what an ordinary project has.
    run("configure", ["cmake", "-S", HERE, "-B", tree, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                      f"-DCMAKE_PREFIX_PATH={prefix}"])
    compiled = cpu_seconds(["ninja", "-C", tree, "CMakeFiles/app.dir/app.cpp.o"])
    run("link", ["ninja", "-C", tree, "app"])
    output, _ = run("run", [os.path.join(tree, "app")], env=dict(os.environ, TMPDIR=work))
    print(f"compiled in {compiled:.2f} s of processor time, at most {COMPILE_SECONDS_MAX} s; "
          f"program {os.path.getsize(os.path.join(tree, 'app')) / 1e6:.1f} MB, "
          f"archive {os.path.getsize(os.path.join(build, 'package/libtroupe_embedded.a')) / 1e6:.1f} MB")
    problems = []
    if compiled > COMPILE_SECONDS_MAX:
        problems.append("the public headers have become too heavy")
    if output.splitlines() != ["simulated: hello", "real: hello"]:
        problems.append(f"the program said:\n{output}")
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
