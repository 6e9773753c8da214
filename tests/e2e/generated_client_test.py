"""A client that is generated from the contract, as the cell serves it, and then used in earnest.

The generator is openapi-python-client, which no Debian package offers: cmd/dev/install puts it into build/python from
cmd/dev/python.txt. Where it is not there, the test is skipped.
"""
import json
import os
import subprocess
import unittest

from client import Broken, request
from cluster import ROOT, TROUPE, Scratch, free_ports, until

PYTHON = os.path.join(ROOT, "build/python/bin/python")
STORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "generated_client_story.py")
SECONDS_MAX = 60


def serves(port):
    try:
        return request(port, "GET", "/health", timeout=2).status == 200
    except Broken:
        return False


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "build/python/python.txt")),
                     "there is no generator: cmd/dev/install brings it where the network is")
class GeneratedClient(unittest.TestCase):
    def generate(self, port, folder):
        """From the document as it is served; what the generator complains about fails the test."""
        document, config = f"{folder}/openapi.json", f"{folder}/config.json"
        with open(document, "w", encoding="utf-8") as file:
            json.dump(request(port, "GET", "/api/v3/openapi.json").body, file)
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"post_hooks": [], "project_name_override": "troupe-client",
                       "package_name_override": "troupe_client"}, file)
        made = subprocess.run([PYTHON, "-m", "openapi_python_client", "generate", "--path", document, "--config", config,
                               "--fail-on-warning", "--output-path", f"{folder}/client"],
                              capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)

    def test_it_submits_watches_resizes_moves_and_is_told_what_is_wrong(self):
        with Scratch("generated_client") as scratch:
            port = free_ports(1)[0]
            up = scratch.process("up", [TROUPE, "up", "--data", f"{scratch.folder}/cell", "--http", f"127.0.0.1:{port}"])
            up.start()
            until("the cell serves", lambda: serves(port), 20)
            self.generate(port, scratch.folder)
            told = subprocess.run([PYTHON, STORY, f"http://127.0.0.1:{port}"], capture_output=True, text=True,
                                  timeout=SECONDS_MAX, check=False, env={**os.environ, "PYTHONPATH": f"{scratch.folder}/client"})
            self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
            self.assertEqual(up.signal(15), 0)
            scratch.passed = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
