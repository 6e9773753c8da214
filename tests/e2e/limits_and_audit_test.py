"""A run-away submitter beside a healthy one, and who did what: through the command line and HTTP of a real cell."""
import http.client
import json
import os
import subprocess
import time
import unittest

from cluster import TROUPE, Scratch, free_ports, until
from first_steps_test import hello, serves

BURST, PER_MINUTE = 5, 120
RUN_AWAY_SECONDS = 3
CALLER_JOBS_MAX = 3


def call(port, caller, method, path, body=None, reason=""):
    """(status, headers, parsed answer) of one attempt."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    headers = {"X-Titus-CallerId": caller, "X-Titus-CallReason": reason, "Content-Type": "application/json"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())
    finally:
        connection.close()


class LimitsAndAudit(unittest.TestCase):
    def cell(self, scratch):
        port = free_ports(1)[0]
        scratch.process("up", [TROUPE, "up", "--data", f"{scratch.folder}/cell", "--http", f"127.0.0.1:{port}",
                               "--hosts", "1", "--set", "audit_sign_ms=500"]).start()
        until("the gateway answers", lambda: serves(port), 20)
        until("the cell has a leader and its policy", lambda: call(port, "e2e", "GET", "/api/v3/limits")[0] == 200, 20)
        until("the cell takes changes", lambda: call(port, "e2e", "PUT", "/api/v3/cell/policy", {})[0] == 200, 20)
        return port

    def troupe(self, port, *arguments, text="", wanted=0, caller="operator"):
        done = subprocess.run([TROUPE, "--address", f"127.0.0.1:{port}", "--caller", caller, *arguments],
                              input=text, capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, wanted, f"{arguments}: {done.stdout} {done.stderr}")
        return done.stdout

    def submit(self, port, caller, reason=""):
        return call(port, caller, "POST", "/api/v3/jobs", hello(), reason)

    def test_M6_alpha_a_run_away_submitter_is_held_to_its_rate_and_the_others_do_not_notice(self):
        with Scratch("limits") as scratch:
            port = self.cell(scratch)
            self.troupe(port, "cell", "set-policy", "-", text=json.dumps({"rates": [
                {"name": "ci", "caller": "ci-*", "endpoint": "POST /api/v3/jobs", "burst": BURST,
                 "perMinute": PER_MINUTE}]}))
            begin, taken, held = time.monotonic(), 0, 0
            while time.monotonic() - begin < RUN_AWAY_SECONDS:
                status, headers, body = self.submit(port, "ci-7")
                self.assertIn(status, (202, 429), body)
                if status == 202:
                    taken += 1
                    continue
                held += 1
                self.assertEqual(body["limit"]["name"], "rate.ci")
                self.assertGreaterEqual(int(headers["Retry-After"]) * 1000, body["limit"]["retryAfterMs"])
                if held % 20 == 0:
                    self.assertEqual(self.submit(port, "people")[0], 202)
            allowed = BURST + (time.monotonic() - begin) * PER_MINUTE / 60 + 1
            print(f"{taken} of {taken + held} submissions were taken, {allowed:.1f} allowed", flush=True)
            self.assertLessEqual(taken, allowed)
            self.assertGreater(held, 20)
            self.assertIn("POST /api/v3/jobs", self.troupe(port, "limits", caller="ci-7"))
            self.assertNotIn("POST /api/v3/jobs", self.troupe(port, "limits", caller="people"))
            # Without the rate the cap still holds, whatever the submitter does.
            self.troupe(port, "cell", "set-policy", "-", text="rates: []\ncallerJobsMax: %d\n" % CALLER_JOBS_MAX)
            answers = [self.submit(port, "bulk") for _ in range(3 * CALLER_JOBS_MAX)]
            refused = [body for status, _, body in answers if status == 429]
            self.assertTrue(refused)
            self.assertEqual({body["limit"]["name"] for body in refused}, {"caller.jobs"})
            self.assertEqual({body["limit"]["max"] for body in refused}, {CALLER_JOBS_MAX})
            scratch.passed = True

    def test_M10_alpha_who_did_what_and_why_is_told_and_cannot_be_rewritten_unseen(self):
        with Scratch("audit") as scratch:
            port = self.cell(scratch)
            status, _, made = self.submit(port, "ann", reason="release 7")
            self.assertEqual(status, 202)
            call(port, "bob", "DELETE", f"/api/v3/jobs/{made['id']}")
            call(port, "cid", "DELETE", f"/api/v3/jobs/{made['id']}")
            entries = json.loads(self.troupe(port, "audit", "ls", "--about", f"job/{made['id']}", "--json"))["items"]
            told = [(entry["caller"], entry["command"], entry["callReason"]) for entry in entries]
            self.assertIn(("ann", "create_job", "release 7"), told)
            self.assertIn(("bob", "kill_job", ""), told)
            self.assertEqual(entries[0]["caller"], "cid", "refused ones, too; newest first")
            self.assertEqual(entries[0]["outcome"], "refused")
            nobody = {key: value for key, value in hello().items() if key != "owner"}
            self.assertEqual(call(port, "ann", "POST", "/api/v3/jobs", nobody)[0], 400, "each job has an owner")
            heads = os.path.join(scratch.folder, "heads")
            self.troupe(port, "audit", "verify", "--save", heads)
            self.submit(port, "ann")
            self.assertIn("1 saved heads", self.troupe(port, "audit", "verify", "--against", heads))
            with open(heads, encoding="ascii") as file:
                ordinal, chain = file.read().split()
            with open(heads, "w", encoding="ascii") as file:
                file.write(f"{ordinal} {'0' * len(chain)}\n")
            self.troupe(port, "audit", "verify", "--against", heads, wanted=70)
            # Each node signs heads for a file that is carried outside, and for its log.
            node = os.path.join(scratch.folder, "cell", "node-1")
            signed, key = os.path.join(node, "audit.heads"), os.path.join(node, "audit.pub")
            until("a head is signed", lambda: os.path.exists(signed) and os.path.getsize(signed) > 0, 20)
            self.assertIn("signed heads are in the chain",
                          self.troupe(port, "audit", "verify", "--signed", signed, "--key", key))
            self.assertEqual(os.stat(os.path.join(node, "audit.key")).st_mode & 0o777, 0o600)
            with open(signed, encoding="ascii") as file:
                head = file.readline().split()
            forged = os.path.join(scratch.folder, "forged")
            with open(forged, "w", encoding="ascii") as file:
                file.write(" ".join([head[0], "0" * len(head[1]), *head[2:]]) + "\n")
            self.troupe(port, "audit", "verify", "--signed", forged, "--key", key, wanted=70)
            scratch.passed = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
