"""What users get wrong, through the real gateway: each bad body is refused with its position, the node goes on, and its
memory does not grow."""
import http.client
import json
import os
import unittest

from client import request
from cluster import TROUPE, Scratch, free_ports, until
from first_steps_test import hello, serves

ROUNDS = 40
GROWTH_MB_MAX = 64
BIG_BODY_BYTES = 10 * 1024 * 1024


def post(port, body):
    """(status, parsed answer) of POST /api/v3/jobs with these bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", "/api/v3/jobs", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (BrokenPipeError, ConnectionResetError):
        # A body that is far too large is refused before it was sent whole.
        return 413, {"code": "body_too_large", "violations": []}
    finally:
        connection.close()


def rss_mb(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def with_change(change):
    job = hello()
    change(job)
    return json.dumps(job).encode()


def bad_bodies():
    """name: (bytes, wanted path of the complaint or None, is a position wanted)."""
    def env(job):
        job["container"]["env"] = {"PATH": None}

    def negative(job):
        job["batch"]["size"] = -1

    def wrong_type(job):
        job["container"]["resources"]["cpu"] = "much"

    def unknown(job):
        job["container"]["imagee"] = {}

    return {
        "not JSON": (b"{\n  \"owner\": oops }", None, True),
        "null in env": (with_change(env), "container.env.PATH", True),
        "negative size": (with_change(negative), "batch.size", True),
        "wrong type": (with_change(wrong_type), "container.resources.cpu", True),
        "unknown field": (with_change(unknown), "container.imagee", True),
        "duplicate key": (b'{"owner": {}, "owner": {}}', None, True),
        "NUL byte": (b'{"applicationName": "a\\u0000b"}', None, True),
        "raw NUL": (b'{"applicationName": "a\x00b"}', None, True),
        "bad UTF-8": (b'{"applicationName": "\xff\xfe"}', None, True),
        "deep nesting": (b"[" * 100_000, None, True),
        "truncated": (json.dumps(hello()).encode()[:-5], None, True),
        "empty": (b"", None, False),
        "10 MB": (b'{"x": "' + b"y" * BIG_BODY_BYTES + b'"}', None, False),
        "a list": (b"[1, 2]", None, False),
    }


class BadInput(unittest.TestCase):
    def check(self, name, port, body, path, positioned):
        status, answer = post(port, body)
        self.assertTrue(400 <= status < 500, f"{name}: {status} {answer}")
        self.assertTrue(answer["code"], name)
        if path:
            self.assertIn(path, [violation["path"] for violation in answer["violations"]], name)
        if positioned:
            violation = answer["violations"][0]
            self.assertGreater(violation["line"], 0, f"{name}: {answer}")
            self.assertGreater(violation["column"], 0, f"{name}: {answer}")

    def test_M7_alpha_bad_bodies_are_refused_and_leave_nothing_behind(self):
        with Scratch("bad_input") as scratch:
            port = free_ports(1)[0]
            up = scratch.process("up", [TROUPE, "up", "--data", f"{scratch.folder}/cell", "--http", f"127.0.0.1:{port}",
                                        "--hosts", "1"])
            up.start()
            until("the gateway answers", lambda: serves(port), 20)
            bodies = bad_bodies()
            for name, (body, path, positioned) in bodies.items():
                with self.subTest(name):
                    self.check(name, port, body, path, positioned)
            before = rss_mb(up.child.pid)
            for _ in range(ROUNDS):
                for body, _, _ in bodies.values():
                    post(port, body)
            grown = rss_mb(up.child.pid) - before
            print(f"memory after {ROUNDS * len(bodies)} bad requests: {grown:+.1f} MB", flush=True)
            self.assertLess(grown, GROWTH_MB_MAX)
            good = request(port, "POST", "/api/v3/jobs", body=hello(), key="good")
            self.assertEqual(good.status, 202, "the node goes on")
            self.assertEqual(request(port, "GET", "/api/v3/jobs").body["pagination"]["totalItems"], 1,
                             "nothing came of the bad ones")
            scratch.passed = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
