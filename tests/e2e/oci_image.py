"""Images for the oci tests, sound ones and hostile ones, as image layouts on disk."""
import gzip
import os
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../cmd/dev"))
from busybox_image import BUSYBOX, Layout, busybox_entries, digest, entry, folder, symlink, tar_of  # noqa: E402

__all__ = ["BUSYBOX", "add_hostile", "add_sound", "busybox_entries", "tar_of"]


def add_sound(images):
    """busybox:1 (one layer) and busybox:2 (two more, which hide things of the first). The digest of the first."""
    layout = Layout(images, "busybox")
    base = tar_of(busybox_entries())
    first = layout.add("1", [base])
    middle = tar_of([folder("shop"), entry("shop/old", data=b"old"), folder("attic"), entry("attic/a", data=b"a"),
                     entry("attic/b", data=b"b")])
    top = tar_of([folder("shop"), entry("shop/.wh.old"), entry("shop/new", data=b"new"), folder("attic"),
                  entry("attic/.wh..wh..opq"), entry("attic/c", data=b"c")])
    layout.add("2", [base, middle, top], {"Env": ["PATH=/bin"], "WorkingDir": "/data", "User": "7:8"})
    return first


def add_hostile(images):
    """{tag of hostile: what the refusal must say}"""
    layout = Layout(images, "hostile")
    sound = tar_of([folder("a"), entry("a/file", data=b"x")])
    zeros = bytes(8 << 20)
    tars = {
        "dotdot": ([entry("a/../../escape", data=b"x")], "leads out of the layer"),
        "absolute": ([entry("/tmp/escape", data=b"x")], "is an absolute path"),
        "symlink": ([symlink("a", "/tmp"), entry("a/escape", data=b"x")], "through symlink"),
        "hardlink": ([entry("a", tarfile.LNKTYPE, linkname="../../etc/passwd")], "is a hard link"),
        "hardlink-symlink": ([symlink("s", "/etc"), entry("a", tarfile.LNKTYPE, linkname="s/passwd")], "cannot be written"),
        "device": ([entry("disk", tarfile.BLKTYPE, devmajor=254, devminor=0)], "is a device node"),
        "whiteout": ([entry(".wh...")], "is no whiteout"),
        "huge": ([entry(f"zeros{i}", data=zeros) for i in range(4)], "makes the layer larger"),
        "many": ([entry(f"f{i}") for i in range(20_001)], "is one entry more"),
    }
    for tag, (entries, _) in tars.items():
        layout.add(tag, [tar_of(entries)])
    ratio = tar_of([entry("zeros", data=bytes(28 << 20))])
    layout.add("ratio", [ratio], packed=[gzip.compress(ratio, 9, mtime=0)])
    other = tar_of([folder("b"), entry("b/file", data=b"y")])
    layout.add("corrupt", [other], packed=[gzip.compress(other + b"\0", 1, mtime=0)],
               blob_names={0: digest(gzip.compress(other, 1, mtime=0))})
    layout.add("other-content", [sound], diff_ids=[digest(b"something else")])
    layout.add("garbage", [sound], packed=[b"this is no archive at all, whatever it says of itself" * 40])
    layout.add("truncated", [sound], packed=[gzip.compress(sound, 1, mtime=0)[:-40]])
    wanted = {tag: why for tag, (_, why) in tars.items()}
    wanted.update({"ratio": "times its packed size", "corrupt": "have the digest", "other-content": "have the digest",
                   "garbage": "", "truncated": ""})
    return wanted
