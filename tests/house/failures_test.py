"""What a failed run ends with: the last lines of what failed, and never an endless log."""
import os
import subprocess
import sys
import tempfile
import unittest
from xml.sax.saxutils import escape

import tree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(tree.ROOT, "cmd/dev"))
import failures


def case(name, status, output):
    return f'<testcase name="{name}" status="{status}"><system-out>{escape(output)}</system-out></testcase>'


class Failures(unittest.TestCase):
    def lines(self, *cases):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as results:
            results.write("<testsuite>" + "".join(cases) + "</testsuite>")
            results.flush()
            return list(failures.excerpts(results.name))

    def test_the_last_lines_of_failed_tests_only(self):
        lines = self.lines(case("good", "run", "fine"), case("bad", "fail", "\n".join(map(str, range(100)))),
                           case("skipped", "notrun", "why"))
        self.assertEqual(lines, ["== bad printed last:"] + [str(n) for n in range(75, 100)])

    def test_many_failures_and_long_lines_are_bounded(self):
        lines = self.lines(*(case(f"bad{n}", "fail", "x" * 100_000) for n in range(100)))
        self.assertEqual(lines[-1], "== and 92 more failed")
        self.assertLess(sum(map(len, lines)), 5_000)

    def test_a_real_failure_of_ctest_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/CTestTestfile.cmake", "w") as tests:
                tests.write('add_test(bad "sh" "-c" "echo the reason; exit 3")\nadd_test(good "true")\n')
            ran = subprocess.run(["ctest", "--test-dir", folder, "--output-junit", f"{folder}/results.xml"],
                                 capture_output=True, text=True)
            self.assertEqual(ran.returncode, 8, ran.stdout)
            self.assertEqual(list(failures.excerpts(f"{folder}/results.xml")), ["== bad printed last:", "the reason"])

    def test_no_results_are_said_in_one_line(self):
        ran = subprocess.run([sys.executable, "-B", tree.ROOT + "/cmd/dev/failures.py", "/nonexistent"], capture_output=True,
                             text=True)
        self.assertEqual((ran.returncode, ran.stderr.count("\n")), (1, 1))


if __name__ == "__main__":
    unittest.main()
