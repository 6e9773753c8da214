"""The first minutes of a user: `troupe up` on an empty folder, one job, its first line. Prints what they wait for."""
import http.client
import os
import statistics
import time
import unittest

from client import Broken, Client, frames, request
from cluster import TROUPE, Scratch, free_ports, until

STARTS = 5
SUBMITS = 9
HEALTHY_SECONDS_MAX = 5.0
FIRST_LINE_SECONDS_MAX = 2.0


def serves(port):
    try:
        return request(port, "GET", "/health", timeout=2).status == 200
    except Broken:
        return False


def hello():
    return {
        "owner": {"teamEmail": "e2e@example.com"},
        "applicationName": "hello",
        "container": {"image": {"name": "process", "tag": "latest"}, "entryPoint": ["/bin/sh"],
                      "command": ["-c", "echo hello; sleep 0.5; echo done"],
                      "resources": {"cpu": 0.1, "memoryMB": 32, "diskMB": 16}},
        "batch": {"size": 1, "runtimeLimitSec": 60},
    }


class FirstSteps(unittest.TestCase):
    def start(self, scratch, number):
        """A fresh cell that serves: its process, its first port, and the seconds that took."""
        port = free_ports(1)[0]
        up = scratch.process(f"up-{number}", [TROUPE, "up", "--data", f"{scratch.folder}/cell-{number}",
                                             "--http", f"127.0.0.1:{port}"])
        begin = time.monotonic()
        up.start()
        until("the gateway answers /health with 200", lambda: serves(port), 20, pause=0.005)
        return up, port, time.monotonic() - begin

    def first_line(self, port):
        """Seconds from the submission to the first line of its output, followed through the API."""
        begin = time.monotonic()
        job = Client([port]).submit(hello())
        events = frames(port, f"/api/v3/jobs/{job}/events")
        task = next(event["taskId"] for event in events if event.get("taskId"))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        connection.request("GET", f"/api/v3/tasks/{task}/logs?follow=true")
        answer = connection.getresponse()
        line = answer.readline()
        seconds = time.monotonic() - begin
        self.assertEqual((answer.status, line), (200, b"hello\n"))
        self.assertEqual(answer.read(), b"done\n", "what follows, to its end")
        connection.close()
        events.close()
        return seconds

    def test_a_cell_serves_within_a_second_and_a_job_speaks_at_once(self):
        with Scratch("first_steps") as scratch:
            starts, lines = [], []
            for number in range(STARTS):
                up, port, seconds = self.start(scratch, number)
                starts.append(seconds)
                if number + 1 == STARTS:
                    lines = [self.first_line(port) for _ in range(SUBMITS)]
                self.assertEqual(up.signal(15), 0)
            for name, values in (("start to /health 200", starts), ("submit to first line", lines)):
                print(f"{name}: n={len(values)} median={statistics.median(values) * 1000:.0f} ms "
                      f"max={max(values) * 1000:.0f} ms", flush=True)
            self.assertLess(statistics.median(starts), HEALTHY_SECONDS_MAX)
            self.assertLess(statistics.median(lines), FIRST_LINE_SECONDS_MAX)
            scratch.passed = True

    def test_the_folder_of_a_killed_cell_starts_again_with_its_jobs(self):
        with Scratch("first_steps.again") as scratch:
            port = free_ports(1)[0]
            up = scratch.process("up", [TROUPE, "up", "--data", f"{scratch.folder}/cell", "--http", f"127.0.0.1:{port}"])
            up.start()
            until("the cell serves", lambda: serves(port), 20)
            client = Client([port])
            job = client.submit(hello())
            up.kill()
            up.start()
            until("the cell serves again", lambda: serves(port), 20)
            ended = lambda: client.job(job)["status"]["state"] == "Finished"
            until("the job ends", ended, 30)
            self.assertEqual(client.job(job)["status"]["reasonCode"], "normal")
            self.assertEqual(up.signal(15), 0)
            self.assertTrue(os.path.isdir(f"{scratch.folder}/cell"))
            scratch.passed = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
