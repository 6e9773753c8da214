"""The demo against a binary that plays the cell: right results succeed, and each thing that goes wrong is noticed."""
import os
import subprocess
import sys
import tempfile
import unittest

import tree

# Plays `troupe job submit|logs|show`: runs each task at `logs`, as the process driver would.
CELL = r'''#!/usr/bin/env python3
import json, os, subprocess, sys
here = os.path.dirname(os.path.abspath(__file__))
if sys.argv[2] == "submit":
    job = json.load(open(sys.argv[3]))
    json.dump(job, open(here + "/job.json", "w"))
    print("job-1")
elif sys.argv[2] == "logs":
    job = json.load(open(here + "/job.json"))
    box = job["container"]
    for index in range(job["batch"]["size"] - int(os.environ.get("LOSE_TASKS", 0))):
        subprocess.run(box["entryPoint"] + box["command"], env=dict(os.environ, TROUPE_TASK_INDEX=str(index)), check=True)
else:
    print(json.dumps({"status": {"state": os.environ.get("STATE", "Finished")}}))
'''


class Demo(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        os.makedirs(self.root + "/input/below")
        for name, text in [("a b", "one\n" * 1000), ("below/c'd", ""), ("below/e$f", "three")]:
            with open(f"{self.root}/input/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        with open(self.root + "/troupe", "w", encoding="utf-8") as file:
            file.write(CELL)
        os.chmod(self.root + "/troupe", 0o755)

    def demo(self, folder="input", **environment):
        return subprocess.run([sys.executable, tree.ROOT + "/cmd/dev/demo", f"{self.root}/{folder}"], capture_output=True,
                              text=True, env=dict(os.environ, TROUPE_BINARY=self.root + "/troupe", **environment), check=False)

    def test_every_file_is_checked_and_packed(self):
        result = self.demo()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("Finished, 3 of 3 results right", result.stdout)
        self.assertIn("done with", result.stdout)

    def test_a_lost_task_is_noticed(self):
        result = self.demo(LOSE_TASKS="1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("2 of 3 results right", result.stdout)

    def test_a_job_that_did_not_finish_is_noticed(self):
        self.assertEqual(self.demo(STATE="Killed").returncode, 1)

    def test_an_empty_folder_is_refused(self):
        os.makedirs(self.root + "/empty")
        self.assertNotEqual(self.demo("empty").returncode, 0)


if __name__ == "__main__":
    unittest.main()
