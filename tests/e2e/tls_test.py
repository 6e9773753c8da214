"""A node whose HTTP is under TLS and that asks for client certificates; authorities and certificates are made here."""
import json
import socket
import ssl
import subprocess
import unittest
import urllib.request

from cluster import TROUPE, Scratch, free_ports, until

REFUSED, TRY_AGAIN = 4, 75


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)


class Certificates:
    """An authority of the test's own and what it has signed, in a folder."""

    def __init__(self, folder, name):
        self.path, self.file = f"{folder}/{name}", f"{folder}/{name}.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", f"{self.path}.key", "-out", self.file)

    def sign(self, name, *extensions):
        """[certificate, key]"""
        files = [f"{self.path}-{name}.{kind}" for kind in ("pem", "key")]
        request = f"{self.path}-{name}.csr"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/O=Example/CN={name}",
                *[part for one in extensions for part in ("-addext", one)], "-keyout", files[1], "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", f"{self.path}.key", "-CAcreateserial", "-days", "2",
                "-copy_extensions", "copy", "-out", files[0])
        return files


class Tls(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch("tls")
        self.addCleanup(self.scratch.__exit__, None, None, None)
        folder = self.scratch.folder
        nodes, people = Certificates(folder, "nodes"), Certificates(folder, "people")
        self.ca = nodes.file
        self.node_files = nodes.sign("node", "subjectAltName=IP:127.0.0.1")
        self.certificates = {name: people.sign(name) for name in ("ann", "ci", "stranger")}
        self.people = people.file
        with open(f"{folder}/identities.json", "w", encoding="utf-8") as file:
            json.dump([{"certificate": "CN=ann,O=Example", "caller": "ann@example.com", "roles": ["operator"]},
                       {"certificate": "CN=ci,O=Example", "roles": ["submitter"]}], file)
        self.peer, self.http = free_ports(2)

    def start(self, *more):
        folder = self.scratch.folder
        with open(f"{folder}/node.yaml", "w", encoding="utf-8") as file:
            file.write("\n".join([
                "node: 1", "cell: e2e", f"data: {folder}/node-1", "nodes:",
                f"  - {{id: 1, peer: '127.0.0.1:{self.peer}', http: '127.0.0.1:{self.http}'}}",
                "tls:", f"  certificate: {self.node_files[0]}", f"  key: {self.node_files[1]}", *more]) + "\n")
        node = self.scratch.process("node", [TROUPE, "node", "--config", f"{folder}/node.yaml"])
        node.start()
        return node

    def run_as(self, name, *arguments, json_too=False):
        files = self.certificates.get(name)
        own = ["--cert", files[0], "--key", files[1]] if files else []
        return subprocess.run([TROUPE, *arguments, "--address", f"127.0.0.1:{self.http}", "--ca", self.ca, *own,
                               *(["--json"] if json_too else [])],
                              capture_output=True, text=True, timeout=30, check=False)

    def test_who_calls_is_who_the_certificate_says(self):
        node = self.start("  client_certificates: required", f"  client_authorities: {self.people}",
                          f"identities: {self.scratch.folder}/identities.json")
        until("ann is answered", lambda: self.run_as("ann", "cell", "status").returncode == 0, 20)
        nobody = self.run_as(None, "cell", "status")
        self.assertEqual(nobody.returncode, REFUSED, nobody.stderr)
        self.assertIn("the node asks for a client certificate", nobody.stderr)
        refused = self.run_as("stranger", "job", "ls")
        self.assertEqual(refused.returncode, REFUSED, refused.stderr)
        self.assertIn("CN=stranger,O=Example", refused.stderr)
        self.assertEqual(self.run_as("ci", "job", "ls").returncode, 0)
        shape = ["--tier", "Flex", "--cpu", "1", "--memory", "512", "--count", "1"]
        made = self.run_as("ann", "capacity-group", "create", "teams", *shape)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.run_as("ci", "capacity-group", "create", "others", *shape).returncode, REFUSED)
        told = self.run_as("ann", "audit", "ls", json_too=True)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn('"caller":"ann@example.com"', told.stdout.replace('": "', '":"'))
        self.plain_http_is_not_answered()
        self.another_client_is_let_in()
        self.assertEqual(node.signal(15), 0)
        self.scratch.passed = True

    def plain_http_is_not_answered(self):
        plain = subprocess.run([TROUPE, "cell", "status", "--address", f"127.0.0.1:{self.http}"], capture_output=True, text=True,
                               timeout=30, check=False)
        self.assertEqual(plain.returncode, TRY_AGAIN, plain.stderr)
        self.assertEqual(plain.stdout, "")
        self.assertIn("the request was sent but not answered: the connection was lost", plain.stderr)
        with socket.create_connection(("127.0.0.1", self.http), timeout=10) as raw:
            raw.sendall(b"GET /api/v3/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertEqual(raw.recv(4096), b"", "the end, and not a word of HTTP before it")

    def another_client_is_let_in(self):
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(*self.certificates["ci"])
        with urllib.request.urlopen(f"https://127.0.0.1:{self.http}/api/v3/limits", context=context, timeout=10) as answer:
            self.assertEqual(json.load(answer)["caller"]["name"], "CN=ci,O=Example")

    def test_a_file_that_is_no_good_is_told_with_its_line(self):
        self.node_files[1] = self.certificates["ann"][1]
        node = self.start()
        self.assertNotEqual(node.wait_end(10), 0)
        self.assertIn(f"node.yaml: line 7: TLS: no key of {self.node_files[0]} in {self.node_files[1]}", node.text())
        self.scratch.passed = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
