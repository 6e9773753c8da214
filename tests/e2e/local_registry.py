"""Debian's docker-registry on loopback, filled by HTTP, and a road to it that a test can cut."""
import http.client
import os
import select
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import warnings

from cluster import free_ports, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../cmd/dev"))
import registry  # noqa: E402  pylint: disable=wrong-import-position

REGISTRY = registry.REGISTRY
PIECE_BYTES = 64 * 1024


def bcrypt(password):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import crypt  # pylint: disable=import-outside-toplevel
        return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2**4))


def certificate(folder, name):
    """(certificate, key) of 127.0.0.1 and localhost, signed by itself."""
    paths = f"{folder}/{name}.pem", f"{folder}/{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", paths[0], "-keyout", paths[1]],
                   check=True, capture_output=True, timeout=30)
    return paths


class Registry:
    """A process of `scratch`, which ends it; asks for a password if it is given one as USER:PASSWORD, speaks TLS if it
    is given (certificate, key)."""

    def __init__(self, scratch, name, password=None, tls=None):
        self.port = free_ports(1)[0]
        self.host = f"127.0.0.1:{self.port}"
        self.password = password
        self.tls = tls
        folder = f"{scratch.folder}/{name}"
        os.makedirs(folder)
        lines = []
        if password:
            user, _, secret = password.partition(":")
            with open(f"{folder}/htpasswd", "w", encoding="ascii") as file:
                file.write(f"{user}:{bcrypt(secret)}\n")
            lines.append(f"auth: {{htpasswd: {{realm: e2e, path: {folder}/htpasswd}}}}")
        path = registry.configure(folder, self.host, f", tls: {{certificate: {tls[0]}, key: {tls[1]}}}" if tls else "", lines)
        self.process = scratch.process(name, [REGISTRY, "serve", path])

    def start(self):
        self.process.start()
        until("the registry answers", self._answers, 20)

    def kill(self):
        self.process.kill()

    def _answers(self):
        try:
            return self.call("GET", "/v2/")[0] == 200
        except (OSError, http.client.HTTPException):
            assert self.process.is_running(), self.process.text()
            return False

    def call(self, method, path, body=None, headers=None):
        """(status, headers, body)"""
        if self.tls:
            trusted = ssl.create_default_context(cafile=self.tls[0])
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=trusted)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = dict(headers or {})
            if self.password:
                import base64  # pylint: disable=import-outside-toplevel
                headers["Authorization"] = "Basic " + base64.b64encode(self.password.encode()).decode()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def push(self, layout, repository, tag):
        """The image of that tag from an image layout on disk. Its digest."""
        return registry.push(self.call, layout, repository, tag)


class Road(socketserver.ThreadingTCPServer):
    """Hands connections on to a port. After `cut_after` bytes of answers it hands on nothing until `mend()`."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port, cut_after):
        super().__init__(("127.0.0.1", 0), None)
        self.to_port = port
        self.left = cut_after
        self.lock = threading.Lock()
        self.is_cut = threading.Event()
        self.requests = []
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def mend(self):
        with self.lock:
            self.left = 1 << 60

    def end(self):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def finish_request(self, request, client_address):
        try:
            with socket.create_connection(("127.0.0.1", self.to_port), timeout=20) as far:
                self.carry(request, far)
        except OSError:
            pass  # The registry is down: so is the road.

    def carry(self, near, far):
        while True:
            ready, _, _ = select.select([near, far], [], [], 20)
            for side in ready:
                piece = side.recv(PIECE_BYTES)
                if not piece:
                    return
                if side is near:
                    with self.lock:
                        self.requests.append(piece)
                    far.sendall(piece)
                elif not self.pass_on(near, piece):
                    return

    def pass_on(self, near, piece):
        with self.lock:
            piece = piece[:max(self.left, 0)]
            self.left -= len(piece)
            is_over = self.left <= 0
        near.sendall(piece)
        if is_over:
            self.is_cut.set()
        return not is_over
