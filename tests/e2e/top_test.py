"""`troupe top` in a real terminal: a pseudo terminal into which keys are typed, as a person would."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import unittest

from cluster import TROUPE, Cell, until

REDRAW = b"\x0c"  # Otherwise only what differs is written.
ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[A-Za-z]|\([A-Z0-9]|[=>])")


class Terminal:
    """What a program shows on a terminal of 120 x 30, all of it since the last key."""

    def __init__(self, command):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm"}
        self.child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment,
                                      start_new_session=True)
        os.close(slave)
        self.seen = b""

    def read(self):
        """What it wrote since the last key, without what moves and colours; runs of blanks are one."""
        while select.select([self.master], [], [], 0)[0]:
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:
                break
        return " ".join(ESCAPES.sub(b" ", self.seen).decode("utf-8", "replace").split())

    def press(self, keys):
        self.read()
        self.seen = b""
        os.write(self.master, keys)

    def awaits(self, *texts):
        def shows():
            os.write(self.master, REDRAW)
            return all(text in self.read() for text in texts)
        until(f"the screen shows {texts}", shows, 20)

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self.master)


class Top(unittest.TestCase):
    def test_a_person_looks_around_and_a_nodes_death_is_survived(self):
        with Cell("top", nodes=3, agents=2) as cell:
            cell.start()
            terminal = Terminal([TROUPE, "top", "--every", "200ms", "--address", f"127.0.0.1:{cell.http[1]}"])
            try:
                terminal.awaits("[nodes]", "LEADER", "hosts 2 of 2 connected")
                terminal.press(b"h")
                terminal.awaits("[hosts]", "host-1", "host-2")
                terminal.press(b"/")
                terminal.press(b"name = host-2\r")
                terminal.awaits("where name = host-2")
                terminal.press(b"\r")
                terminal.awaits("host/host-2", "hostGroup")
                terminal.press(b"q")
                terminal.press(b"n")
                terminal.awaits("[nodes]")
                cell.nodes[1].kill()
                terminal.press(b"r")
                terminal.awaits("NO:")
                terminal.press(b"q")
                until("top has left", lambda: terminal.child.poll() is not None, 20)
                self.assertEqual(terminal.child.returncode, 0)
            finally:
                terminal.close()
            cell.passed = True


if __name__ == "__main__":
    unittest.main()
