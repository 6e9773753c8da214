"""Where the tests of containers may be skipped, and where a skip is a failure."""
import os
import subprocess
import sys
import unittest

import tree

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import oci_case
missing, machine = sys.argv[2].split(), sys.argv[3].split()
oci_case.machine_lacks = lambda: machine
sys.argv[1:] = []
oci_case.run_here(missing)
"""


class OciRequired(unittest.TestCase):
    def run_with(self, required, missing, machine=""):
        """(exit status, what it said), of a program without a test of its own."""
        env = {name: value for name, value in os.environ.items() if name != "TROUPE_OCI_REQUIRED"}
        done = subprocess.run([sys.executable, "-B", "-c", PROGRAM, os.path.join(tree.ROOT, "tests/e2e"), missing, machine],
                              env={**env, **({"TROUPE_OCI_REQUIRED": required} if required else {})},
                              capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_a_developers_machine_may_lack_anything(self):
        self.assertEqual(self.run_with("", "crun")[0], 0)

    def test_a_machine_that_could_run_containers_must_have_the_packages(self):
        status, said = self.run_with("able", "crun")
        self.assertEqual(status, 1, said)
        self.assertIn("the oci tests are required, but this machine lacks crun", said)
        self.assertEqual(self.run_with("able", "")[0], 0)

    def test_a_machine_that_cannot_run_them_may_skip_them(self):
        self.assertEqual(self.run_with("able", "root crun", "root")[0], 0)

    def test_who_says_that_they_must_run_gets_no_skip(self):
        self.assertEqual(self.run_with("1", "root", "root")[0], 1)

    def test_the_whole_run_requires_them_where_they_can_run(self):
        with open(os.path.join(tree.ROOT, "cmd/dev/test"), encoding="utf-8") as file:
            self.assertIn('TROUPE_OCI_REQUIRED="${TROUPE_OCI_REQUIRED:-able}"', file.read())


if __name__ == "__main__":
    unittest.main()
