"""Containers of images that come from a registry: Debian's docker-registry on loopback, with a password, cut half-way and
down. Needs what oci_case.py says, and docker-registry."""
import os
import random
import sys
import unittest

import oci_image
from busybox_image import Layout, busybox_entries, entry, tar_of
from client import request
from cluster import Cell, until
from local_registry import REGISTRY, Registry, Road, certificate
from oci_case import MISSING, cgroup_name, cgroup_roots, run_here

LACKS = MISSING + ([] if os.access(REGISTRY, os.X_OK) else ["docker-registry"])
PASSWORD = "e2e:only loopback hears it"
BIG_BYTES = 24 << 20


def add_big(images):
    """An image with a layer that no compression makes small."""
    noise = random.Random(7).randbytes(BIG_BYTES)
    layout = Layout(images, "busybox-big")
    layout.add("big", [tar_of(busybox_entries()), tar_of([entry("noise", data=noise)])])


def add_version(images, version):
    """busybox:live with /version in it; its layout's folder."""
    layout = Layout(f"{images}-{version}", "busybox")
    layout.add("live", [tar_of(busybox_entries()), tar_of([entry("version", data=version.encode(), mode=0o644)])])
    return layout.path


@unittest.skipIf(LACKS, f"this machine lacks {', '.join(LACKS)}")
class OciRegistry(unittest.TestCase):
    def setUp(self):
        self.cell = self.enterContext(Cell("oci_registry", nodes=1, agents=1, seconds_max=150, driver=["driver: oci"]))
        self.images = f"{self.cell.folder}/layouts"
        oci_image.add_sound(self.images)
        self.registry = Registry(self.cell, "registry", PASSWORD)
        self.road = None
        self.secret = f"{self.cell.folder}/password"
        with open(self.secret, "w", encoding="ascii") as file:
            file.write(PASSWORD + "\n")
        os.chmod(self.secret, 0o600)
        self.registry.start()
        self.digest = self.registry.push(f"{self.images}/busybox", "team/busybox", "1")
        self.registry.push(f"{self.images}/busybox", "team/busybox", "2")
        self.name = cgroup_name(f"{self.cell.agent_data(1)}/tasks")
        self.addCleanup(self.remove_groups)

    def remove_groups(self):
        if self.road:
            self.road.end()
        for root in set(cgroup_roots().values()):
            if os.path.isdir(f"{root}/{self.name}"):
                os.rmdir(f"{root}/{self.name}")

    def begin(self, hosts, for_nodes=()):
        """A cell whose agent has the password for these, and whose node asks those."""
        with open(f"{self.cell.folder}/agent-1.yaml", "a", encoding="utf-8") as file:
            file.write("uid_first: 1700000000\nuid_ranges: 64\nregistries:\n" + self.entries(hosts))
        if for_nodes:
            with open(f"{self.cell.folder}/node-1.yaml", "a", encoding="utf-8") as file:
                file.write("registries:\n" + self.entries(for_nodes))
        self.cell.start()

    def entries(self, hosts):
        return "".join(f"  - {{name: '{host}', credentials_file: {self.secret}}}\n" for host in hosts)

    def run_image(self, image, script="echo it runs", seconds=60):
        job = self.submit(image, script)
        return self.ended(job, seconds)

    def submit(self, image, script="echo it runs"):
        return self.cell.client.submit(self.descriptor(image, script))

    @staticmethod
    def descriptor(image, script="echo it runs"):
        return {
            "owner": {"teamEmail": "e2e@example.com"}, "applicationName": "registry",
            "container": {"image": image, "entryPoint": ["/bin/sh", "-c", script],
                          "resources": {"cpu": 0.5, "memoryMB": 64, "diskMB": 16}},
            "batch": {"size": 1, "runtimeLimitSec": 600, "retryPolicy": {"immediate": {"retries": 0}}}}

    def ended(self, job, seconds):
        self.cell.await_job_end(job, seconds)
        return max((task["status"] for task in self.cell.client.tasks(job)), key=lambda status: int(status["timestamp"]))

    def agent_log(self):
        return self.cell.agents[1].text()

    def test_M23_alpha_an_image_comes_with_a_password_and_starts_again_with_the_registry_down(self):
        self.begin([self.registry.host])
        name = f"{self.registry.host}/team/busybox"
        status = self.run_image({"name": name, "tag": "1"})
        self.assertEqual(status["reasonCode"], "normal", status)
        status = self.run_image({"name": name, "tag": "9"})
        self.assertEqual(status["reasonCode"], "invalidRequest", status)
        self.assertIn("404", status["reasonMessage"])
        self.registry.kill()
        for image in ({"name": name, "tag": "1"}, {"name": name, "digest": self.digest}):
            status = self.run_image(image)
            self.assertEqual(status["reasonCode"], "normal", status)
        waiting = self.submit({"name": name, "tag": "2"})
        until("the registry is left alone", lambda: "state=open" in self.agent_log(), 30)
        status = self.run_image({"name": name, "tag": "1"})
        self.assertEqual(status["reasonCode"], "normal", "it does not wait for what cannot be had")
        self.registry.start()
        status = self.ended(waiting, 60)
        self.assertEqual(status["reasonCode"], "normal", f"that was not the user's fault, so it was tried again: {status}")
        with open(self.secret, "w", encoding="ascii") as file:
            file.write("e2e:wrong\n")
        status = self.run_image({"name": name, "tag": "3"})
        self.assertEqual(status["reasonCode"], "invalidRequest", status)
        self.assertIn("password", status["reasonMessage"])
        for secret in (PASSWORD.split(":")[1], "Basic "):
            self.assertNotIn(secret, self.agent_log())
        self.cell.passed = True

    def test_a_pull_that_a_dying_registry_cut_half_way_continues_when_it_is_back(self):
        add_big(self.images)
        self.registry.push(f"{self.images}/busybox-big", "team/big", "big")
        self.road = Road(self.registry.port, cut_after=BIG_BYTES // 2)
        self.begin([self.road.host])
        job = self.submit({"name": f"{self.road.host}/team/big", "tag": "big"}, "test $(stat -c %s /noise) = " + str(BIG_BYTES))
        self.assertTrue(self.road.is_cut.wait(30), "half of it came")
        self.registry.kill()
        parts = f"{self.cell.agent_data(1)}/images/parts"
        part = until("half a layer is there", lambda: [name for name in os.listdir(parts)
                                                       if os.path.getsize(f"{parts}/{name}") > BIG_BYTES // 4], 20)
        self.assertEqual(len(part), 1)
        until("the agent tries again", lambda: "registry_retry" in self.agent_log(), 20)
        self.road.mend()
        self.registry.start()
        status = self.ended(job, 60)
        self.assertEqual(status["reasonCode"], "normal", status)
        ranges = [text for text in self.road.requests if b"range: bytes=" in text.lower()]
        self.assertNotEqual(ranges, [], "it was continued, not begun again")
        self.assertIn("resumed=true", self.agent_log())
        self.assertEqual(os.listdir(parts), [])
        self.cell.passed = True

    def test_a_tag_is_what_it_was_when_the_job_was_submitted_also_for_later_tasks(self):
        name = f"{self.registry.host}/team/app"
        image = {"name": name, "tag": "live"}
        old = self.registry.push(add_version(self.images, "old"), "team/app", "live")
        self.begin([self.registry.host], [self.registry.host])
        until("the cell is on the level of it", lambda: self.cell.client.get("/api/v3/cell")["level"] >= 4, 20)
        service = self.descriptor(image, "cat /version; sleep 600")
        del service["batch"]
        service["service"] = {"capacity": {"min": 0, "desired": 1, "max": 1}, "retryPolicy": {"immediate": {"retries": 0}}}
        job = self.cell.client.submit(service, key="once")
        stored = self.cell.client.job(job)["jobDescriptor"]["container"]["image"]
        self.assertEqual(stored, {**image, "digest": old})
        first = self.cell.await_tasks(job, "Started", 1)[0]
        self.assertEqual(self.output(first), "old")
        new = self.registry.push(add_version(self.images, "new"), "team/app", "live")
        self.assertEqual(self.cell.client.submit(service, key="once"), job, "the same request, though the tag has moved")
        self.cell.client.call("DELETE", f"/api/v3/tasks/{first['id']}")
        second = until("it is relaunched", lambda: [task for task in self.cell.client.tasks(job) if task["id"] != first["id"]
                                                    and task["status"]["state"] == "Started"], 30)[0]
        self.assertEqual(self.output(second), "old", "its job was submitted before")
        later = self.submit(image, "cat /version")
        self.assertEqual(self.cell.client.job(later)["jobDescriptor"]["container"]["image"]["digest"], new)
        self.assertEqual(self.ended(later, 60)["reasonCode"], "normal")
        self.assertEqual(self.output(self.cell.client.tasks(later)[0]), "new", "the control: the tag has moved")
        refused = self.cell.client.call("POST", "/api/v3/jobs", self.descriptor({"name": name, "tag": "9"}))
        self.assertEqual((refused.status, refused.body["code"]), (400, "invalid_argument"), refused)
        self.assertIn(f"{name}:9", refused.body["message"])
        self.assertIn("404", refused.body["message"])
        self.registry.kill()
        unresolved = self.submit({"name": name, "tag": "8"})
        attributes = self.cell.client.job(unresolved)["jobDescriptor"]["attributes"]
        self.assertEqual(attributes.get("titus.sanitization.skipped.image"), "true", "taken, though nobody could say")
        for one in (job, unresolved):
            self.cell.client.call("DELETE", f"/api/v3/jobs/{one}")
            self.cell.await_job_end(one, 30)
        self.cell.passed = True

    def output(self, task):
        def there():
            reply = request(self.cell.http[1], "GET", f"/api/v3/tasks/{task['id']}/logs?stream=stdout")
            return reply.status == 200 and reply.body
        return until("it says something", there, 20)

    def test_a_registry_with_a_certificate_is_believed_only_by_its_own_authority(self):
        sound, other = certificate(self.cell.folder, "sound"), certificate(self.cell.folder, "other")
        registry = Registry(self.cell, "registry-tls", PASSWORD, sound)
        registry.start()
        registry.push(f"{self.images}/busybox", "team/busybox", "1")
        with open(f"{self.cell.folder}/agent-1.yaml", "a", encoding="utf-8") as file:
            file.write(f"uid_first: 1700000000\nuid_ranges: 64\nregistries:\n"
                       f"  - {{name: '127.0.0.1:{registry.port}', credentials_file: {self.secret}, ca_file: {sound[0]}}}\n"
                       f"  - {{name: 'localhost:{registry.port}', credentials_file: {self.secret}, ca_file: {other[0]}}}\n")
        self.cell.start()
        status = self.run_image({"name": f"127.0.0.1:{registry.port}/team/busybox", "tag": "1"})
        self.assertEqual(status["reasonCode"], "normal", status)
        job = self.submit({"name": f"localhost:{registry.port}/team/busybox", "tag": "1"})
        refused = until("it is refused", lambda: [task["status"] for task in self.cell.client.tasks(job)
                                                  if task["status"]["state"] == "Finished"], 20)[0]
        self.assertEqual(refused["reasonCode"], "localSystemError", refused)
        self.assertIn("`ca_file`", refused["reasonMessage"])
        self.cell.client.call("DELETE", f"/api/v3/jobs/{job}")
        self.ended(job, 30)
        self.cell.passed = True


if __name__ == "__main__":
    run_here(LACKS)
