"""A small OCI image from Debian's busybox-static, as an image layout on disk.

Usage: busybox_image.py FOLDER   writes FOLDER/busybox with the tag `latest`; nothing is changed where it is there already
"""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

BUSYBOX = "/bin/busybox"
APPLETS = ["sh", "cat", "echo", "ls", "id", "sleep", "true", "false", "ps", "ip", "mount", "mknod", "unshare", "tail", "head",
           "wc", "seq", "hostname", "touch", "rm", "df", "grep", "kill", "dd", "stat", "env", "pwd", "mkdir", "ping", "nc", "chmod"]


def entry(name, kind=tarfile.REGTYPE, data=b"", mode=0o755, **more):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size = kind, mode, len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def folder(name, mode=0o755):
    return entry(name, tarfile.DIRTYPE, mode=mode)


def symlink(name, target):
    return entry(name, tarfile.SYMTYPE, linkname=target)


def tar_of(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def busybox_entries():
    with open(BUSYBOX, "rb") as file:
        program = file.read()
    folders = [folder(name) for name in ("bin", "etc", "proc", "sys", "dev", "mnt", "run", "data")]
    return [*folders, folder("tmp", 0o1777), entry("bin/busybox", data=program),
            *[symlink(f"bin/{name}", "busybox") for name in APPLETS],
            entry("etc/passwd", data=b"root:x:0:0:root:/:/bin/sh\n", mode=0o644)]


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    """FOLDER/NAME as an OCI image layout; images are added by tag."""

    def __init__(self, images, name):
        self.path = os.path.join(images, name)
        self.manifests = []
        os.makedirs(os.path.join(self.path, "blobs/sha256"), exist_ok=True)
        with open(os.path.join(self.path, "oci-layout"), "w", encoding="ascii") as file:
            json.dump({"imageLayoutVersion": "1.0.0"}, file)

    def blob(self, data, named=None):
        """Stores it under its digest, or under a false one."""
        name = named or digest(data)
        with open(os.path.join(self.path, "blobs/sha256", name.split(":")[1]), "wb") as file:
            file.write(data)
        return name

    def add(self, tag, tars, config=None, packed=None, diff_ids=None, blob_names=None):
        """An image of these layers (uncompressed tars). The last three forge what they name."""
        packed = packed or [gzip.compress(tar, 1, mtime=0) for tar in tars]
        names = [self.blob(data, (blob_names or {}).get(i)) for i, data in enumerate(packed)]
        config_text = json.dumps({
            "architecture": "amd64", "os": "linux", "config": config or {"Env": ["PATH=/bin", "FROM_IMAGE=yes"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids or [digest(tar) for tar in tars]}}).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": self.blob(config_text),
                       "size": len(config_text)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": name, "size": len(data)}
                       for name, data in zip(names, packed)]}).encode()
        self.manifests.append({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": self.blob(manifest),
            "size": len(manifest), "annotations": {"org.opencontainers.image.ref.name": tag}})
        with open(os.path.join(self.path, "index.json"), "w", encoding="ascii") as file:
            json.dump({"schemaVersion": 2, "manifests": self.manifests}, file)
        return digest(manifest)


def main(images):
    if not os.access(BUSYBOX, os.X_OK):
        sys.exit(f"{BUSYBOX} is missing: install busybox-static")
    if not os.path.exists(os.path.join(images, "busybox/index.json")):
        Layout(images, "busybox").add("latest", [tar_of(busybox_entries())])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
