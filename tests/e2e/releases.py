"""Swapping guests on the deployed stack: a second guest is published to S3 and promoted through the table, and the running function serves it."""

import os
import re
import subprocess
import time
from pathlib import Path
from statistics import median

from client import Request

CHANNEL = "stable"
INTERVAL_MS = 1000
SWAP_SECONDS_MAX = 30
# One promotion, then back and forth.
SWAPS = 10

# The response of /health, in the guest and in one that differs in nothing else.
OLD, NEW, FORGED = b'{"status":"ok"}', b'{"status":"OK"}', b'{"status":"no"}'


class Publisher:
    """`host-cli` with the publisher's role, and keys of its own, in a folder."""

    def __init__(self, emulator, outputs, host_cli, folder, channel=CHANNEL):
        self.folder = folder
        self.host_cli, self.outputs, self.channel = host_cli, outputs, channel
        session = emulator.client("sts").assume_role(RoleArn=outputs["PublisherRole"], RoleSessionName="release")["Credentials"]
        self.environment = {
            "PATH": os.environ["PATH"],
            "USER": "e2e",
            "XDG_STATE_HOME": str(self.folder / "state"),
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }

    def run(self, *arguments, code=0):
        """Runs `host-cli`; returns its stdout."""
        done = subprocess.run(
            [self.host_cli, *map(str, arguments)], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode != code:
            raise RuntimeError(f"host-cli {' '.join(map(str, arguments))} failed with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def make_key(self, name):
        """Returns the public key."""
        return self.run("keygen", name).splitlines()[-1]

    def publish(self, file, key):
        """Publishes a component; returns its digest."""
        return self.run("publish", file, "--to", self.outputs["Artifacts"], "--key", key)

    def promote(self, digest, key, *options, code=0):
        return self.run("promote", self.channel, digest, *self.stores(key), *options, code=code)

    def rollback(self, key):
        self.run("rollback", self.channel, *self.stores(key))

    def stores(self, key):
        return ["--artifacts", self.outputs["Artifacts"], "--table", self.outputs["Table"], "--key", key]


class Variants:
    """The reference guest with other responses to /health."""

    def __init__(self, folder, guest):
        self.folder = folder
        self.component = Path(guest).read_bytes()
        if self.component.count(OLD) != 1:
            raise RuntimeError(f"the guest does not answer {OLD!r} in one place")

    def file(self, answer):
        """A component with this response."""
        file = self.folder / f"{re.sub('[^A-Za-z]', '', answer.decode())}.wasm"
        file.write_bytes(self.component.replace(OLD, answer))
        return file


class Asker:
    """Requests /health, and records the duration of each response: the first after a swap separately."""

    def __init__(self, client):
        self.client = client
        self.seconds, self.seconds_at_swaps = [], []

    def ask(self):
        start = time.monotonic()
        response = self.client.send(Request("GET", "/health", "", [], b""))
        if response.status != 200 or response.body not in (OLD, NEW):
            raise RuntimeError(f"while guests are swapped, /health answers {response.status} {response.body!r}")
        return response.body, time.monotonic() - start

    def serves(self, answer):
        """Sends requests until the function gives this response; returns the seconds that it took, or `None`."""
        start = time.monotonic()
        while time.monotonic() - start < SWAP_SECONDS_MAX:
            body, seconds = self.ask()
            if body == answer:
                self.seconds_at_swaps.append(seconds)
                return time.monotonic() - start
            self.seconds.append(seconds)
        return None


def first(publisher, file, key):
    """Publishes and promotes the first guest of the channel; returns its digest."""
    digest = publisher.publish(file, key)
    publisher.promote(digest, key)
    return digest


def swap(publisher, variants, client, public_key_of_the_host, key, version, refused):
    """Publishes, promotes, rolls back, and tries the same with an untrusted key.

    `version` returns the alias's version, `refused` whether the log counts a refused guest.
    """
    failures = []
    asker = Asker(client)
    before = version()
    second = publisher.publish(variants.file(NEW), key)
    if asker.serves(OLD) is None:  # so that an instance runs when the next one comes
        failures.append("the first guest of the channel is not served")
    asker.seconds_at_swaps.clear()
    durations = []
    for number in range(SWAPS):
        if number % 2 == 0:
            publisher.promote(second[:12], key)
        else:
            publisher.rollback(key)
        seconds = asker.serves(NEW if number % 2 == 0 else OLD)
        if seconds is None:
            return [*failures, f"swap {number} is not served after {SWAP_SECONDS_MAX} s"]
        durations.append(seconds)
    usual, at_swaps = median(asker.seconds), median(asker.seconds_at_swaps)
    answers = len(asker.seconds) + len(asker.seconds_at_swaps)
    print(
        f"{SWAPS} swaps, {answers} answers, none failed or mixed; visible after {median(durations):.1f} s (median), {max(durations):.1f} s (last); "
        f"an answer takes {usual * 1000:.0f} ms, the first after a swap {at_swaps * 1000:.0f} ms"
    )
    if at_swaps > 3 * usual:
        failures.append("the first answers after swaps take more than three times as long as others")
    publisher.make_key("other")
    forged = publisher.publish(variants.file(FORGED), "other")
    publisher.promote(forged, "other", "--public-key", public_key_of_the_host)
    deadline = time.monotonic() + 5 * INTERVAL_MS / 1000
    while time.monotonic() < deadline:
        answer = client.send(Request("GET", "/health", "", [], b"")).body
        if answer != OLD:
            failures.append(f"signed by another key, and yet served: {answer!r}")
            break
        time.sleep(0.1)
    if not refused():
        failures.append("no request counts the guest that was refused")
    if version() != before:
        failures.append("the function was updated meanwhile")
    return failures
