"""Debian's docker-registry on this machine, and images from image layouts on disk into any registry without a password.

Usage: registry.py configure FOLDER HOST:PORT        writes FOLDER/config.yml, for `docker-registry serve`
       registry.py await HOST:PORT                   until a registry answers there, at most 20 s
       registry.py push HOST:PORT LAYOUT [NAME]      every tag of the layout as NAME:TAG; NAME: the layout's folder's
"""
import http.client
import json
import os
import sys
import time

REGISTRY = "/usr/bin/docker-registry"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
READY_SECONDS_MAX = 20
TAG = "org.opencontainers.image.ref.name"


def configure(folder, address, http_more="", lines=()):
    """The path of the file; `http_more` goes into its `http`, `lines` at its end."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "config.yml")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join([
            "version: 0.1", "log: {level: warn}",
            f"storage: {{filesystem: {{rootdirectory: '{folder}/data'}}, delete: {{enabled: true}}}}",
            f"http: {{addr: '{address}', secret: 'only of this machine'{http_more}}}", *lines]) + "\n")
    return path


def call_at(address):
    """call(method, path, body, headers) at HOST:PORT over plain HTTP: (status, headers, body)."""
    def call(method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(address, timeout=READY_SECONDS_MAX)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()
    return call


def push(call, layout, repository, tag):
    """The image of that tag from an image layout on disk. Its digest."""
    def blob(name):
        with open(f"{layout}/blobs/sha256/{name.split(':')[1]}", "rb") as file:
            return file.read()

    def checked(status, wanted, said):
        if status != wanted:
            raise OSError(f"the registry answered {status}: {said.decode(errors='replace')[:300]}")
    link = next(one for one in links_of(layout) if one["annotations"][TAG] == tag)
    manifest = json.loads(blob(link["digest"]))
    for one in [manifest["config"], *manifest["layers"]]:
        status, headers, said = call("POST", f"/v2/{repository}/blobs/uploads/")
        checked(status, 202, said)
        place = headers["Location"]
        place = place[place.index("/v2/"):]
        place += ("&" if "?" in place else "?") + "digest=" + one["digest"]
        status, _, said = call("PUT", place, blob(one["digest"]), {"Content-Type": "application/octet-stream"})
        checked(status, 201, said)
    status, _, said = call("PUT", f"/v2/{repository}/manifests/{tag}", blob(link["digest"]), {"Content-Type": MANIFEST_TYPE})
    checked(status, 201, said)
    return link["digest"]


def links_of(layout):
    with open(f"{layout}/index.json", encoding="ascii") as file:
        return json.load(file)["manifests"]


def push_all(address, layout, name):
    for link in links_of(layout):
        tag = link["annotations"][TAG]
        print(f"{address}/{name}:{tag} is {push(call_at(address), layout, name, tag)}")


def await_ready(address):
    until = time.monotonic() + READY_SECONDS_MAX
    while True:
        try:
            if call_at(address)("GET", "/v2/")[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        if time.monotonic() > until:
            sys.exit(f"no registry answers at {address}")
        time.sleep(0.1)


def main(words):
    if words[:1] == ["configure"] and len(words) == 3:
        print(configure(words[1], words[2]))
    elif words[:1] == ["await"] and len(words) == 2:
        await_ready(words[1])
    elif words[:1] == ["push"] and len(words) in (3, 4):
        try:
            push_all(words[1], words[2], words[3] if len(words) == 4 else os.path.basename(os.path.normpath(words[2])))
        except (OSError, http.client.HTTPException, StopIteration) as problem:
            sys.exit(f"cannot push {words[2]} to {words[1]}: {problem}")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
