"""The HTTP API as a careful caller uses it: one request id per change, repetition by the answer's retry class.

Every answer is held to the promises about errors: 503 says when to come back, 504 is an unknown outcome with its
request id, a change is never answered 404 for want of a leader.
"""
import http.client
import json
import threading
import time
import uuid
from collections import Counter, namedtuple

Reply = namedtuple("Reply", "status headers body")
ATTEMPT_SECONDS_MAX = 15


class Broken(Exception):
    """No answer: refused, reset, or silent for too long. The request may have happened."""


class Promise(AssertionError):
    """An answer that the API promises never to give."""


def request(port, method, path, body=None, key=None, timeout=ATTEMPT_SECONDS_MAX):
    """One attempt at one node. Raises Broken without an answer, Promise for a forbidden one."""
    headers = {"X-Titus-CallerId": "e2e"}
    if key:
        headers["Idempotency-Key"] = key
    data = None
    if body is not None:
        data = json.dumps(body)
        headers["Content-Type"] = "application/json"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Broken(f"{method} {path} at {port}: {error!r}") from error
    finally:
        connection.close()
    is_json = (answer.getheader("content-type") or "").startswith("application/json")
    reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()},
                  json.loads(text) if is_json and text else text.decode(errors="replace"))
    hold_to_promises(method, path, reply, key)
    return reply


def hold_to_promises(method, path, reply, key):
    def broken(what):
        raise Promise(f"{method} {path}: {what}: {reply}")
    if reply.status == 503 and not reply.headers.get("retry-after"):
        broken("503 without Retry-After")
    if path in ("/health", "/metrics"):
        return
    if reply.status == 504:
        if reply.body.get("code") != "outcome_unknown" or "retry-after" in reply.headers:
            broken("504 that is no plain outcome_unknown")
        if key and reply.body.get("requestId") != key:
            broken("outcome_unknown without the request id")
    if reply.status >= 500 and reply.status not in (503, 504):
        broken("an internal error")
    if reply.status == 404 and reply.body.get("code") != "not_found":
        broken("404 that is no not_found")


class Client:
    """Calls any of some nodes until one answers for good. Safe in many threads."""

    def __init__(self, ports):
        self.ports = list(ports)
        self.seen = Counter()
        self._lock = threading.Lock()
        self._turn = 0

    def _note(self, what):
        with self._lock:
            self.seen[what] += 1

    def _next_turn(self):
        with self._lock:
            self._turn += 1
            return self._turn

    def call(self, method, path, body=None, key=None, seconds=30, ports=None):
        """The final answer. A change gets a key of its own if it has none, so that repeating it is safe."""
        if method != "GET" and key is None:
            key = str(uuid.uuid4())
        ports = list(ports or self.ports)
        turn = self._next_turn()
        deadline = time.monotonic() + seconds
        last = None
        while time.monotonic() < deadline:
            turn += 1
            port = ports[turn % len(ports)]
            try:
                reply = request(port, method, path, body, key, min(ATTEMPT_SECONDS_MAX, seconds))
            except Broken as broken:
                last = broken
                self._note("no answer")
                time.sleep(0.005)
                continue
            self._note(reply.status)
            retry = reply.body.get("retry", "never") if reply.status >= 400 and isinstance(reply.body, dict) else "never"
            if retry == "never":
                return reply
            last = reply
            if retry == "later":
                time.sleep(min(float(reply.headers.get("retry-after", 1)), max(0.0, deadline - time.monotonic())))
        raise AssertionError(f"{method} {path}: no final answer in {seconds} s; the last was {last}")

    def get(self, path, **options):
        reply = self.call("GET", path, **options)
        if reply.status != 200:
            raise AssertionError(f"GET {path}: {reply}")
        return reply.body

    def submit(self, descriptor, key=None, **options):
        """The job's id."""
        reply = self.call("POST", "/api/v3/jobs", descriptor, key, **options)
        if reply.status != 202:
            raise AssertionError(f"submit: {reply}")
        return reply.body["id"]

    def job(self, job_id, **options):
        return self.get(f"/api/v3/jobs/{job_id}", **options)

    def tasks(self, job_id, **options):
        """All tasks that the job has or had."""
        page = self.get(f"/api/v3/tasks?jobIds={job_id}&taskStates=any&pageSize=1000", **options)
        if page["pagination"]["hasMore"]:
            raise AssertionError(f"job {job_id} has more tasks than a page")
        return page["items"]


def frames(port, path, timeout=ATTEMPT_SECONDS_MAX):
    """The events of a stream, as they come."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise AssertionError(f"GET {path}: {answer.status} {answer.read()!r}")
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
    finally:
        connection.close()
