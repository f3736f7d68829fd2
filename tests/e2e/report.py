"""What the steps of a test found."""

import time
from contextlib import contextmanager


class Report:
    """Steps, how long they took, and what they found."""

    def __init__(self):
        self.failures = []

    @contextmanager
    def step(self, name):
        start, before = time.monotonic(), len(self.failures)
        yield
        verdict = "ok" if len(self.failures) == before else "FAILED"
        print(f"-- {name}: {verdict}, {time.monotonic() - start:.1f} s", flush=True)

    def add(self, failures):
        for failure in failures:
            print(f"error: {failure}")
        self.failures += failures

    def expect(self, holds, what):
        self.add([] if holds else [what])
