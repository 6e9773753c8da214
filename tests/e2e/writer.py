"""A user who never stops submitting, whatever happens to the cell."""
import threading

from client import Broken


class Writer(threading.Thread):
    """Submits one short job after another; remembers what was acknowledged."""

    def __init__(self, cell, name, seconds=0, pause=0):
        super().__init__(daemon=True)
        self.cell, self.plan, self.pause = cell, ([(seconds, 0)], name), pause
        self.jobs, self.failed = [], None
        self.over = threading.Event()

    def run(self):
        try:
            while not self.over.is_set():
                self.jobs.append(self.cell.client.submit(self.cell.descriptor(*self.plan)))
                self.over.wait(self.pause)
        except (AssertionError, Broken) as error:
            self.failed = error

    def finish(self):
        self.over.set()
        self.join(60)
        if self.failed:
            raise AssertionError(f"a submit failed: {self.failed}")
        return self.jobs
