"""The swap, deployed: a second guest is published to S3 and promoted through the table, and the running function serves it."""

import os
import re
import subprocess
import time
from pathlib import Path

from client import Request

CHANNEL = "stable"
INTERVAL_MS = 1000
SWAP_SECONDS_MAX = 30

# What /health answers, in the guest and in one that differs in nothing else.
OLD, NEW, FORGED = b'{"status":"ok"}', b'{"status":"OK"}', b'{"status":"no"}'


class Publisher:
    """`host-cli` with the publisher's role, and keys of its own."""

    def __init__(self, emulator, outputs, host_cli, guest):
        self.folder = emulator.folder / "releases"
        self.folder.mkdir()
        self.host_cli, self.outputs = host_cli, outputs
        self.component = Path(guest).read_bytes()
        if self.component.count(OLD) != 1:
            raise RuntimeError(f"the guest does not answer {OLD!r} in one place")
        session = emulator.client("sts").assume_role(RoleArn=outputs["PublisherRole"], RoleSessionName="release")["Credentials"]
        self.environment = {
            "PATH": os.environ["PATH"],
            "USER": "e2e",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }

    def run(self, *arguments):
        """Runs `host-cli`; gives what it printed on stdout."""
        done = subprocess.run(
            [self.host_cli, *map(str, arguments)], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"host-cli {' '.join(map(str, arguments))} failed with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def make_key(self, name):
        """Gives the public key."""
        return self.run("keygen", name).splitlines()[-1]

    def publish(self, answer, key):
        """Publishes the guest that answers so; gives its digest."""
        file = self.folder / f"{re.sub('[^A-Za-z]', '', answer.decode())}.wasm"
        file.write_bytes(self.component.replace(OLD, answer))
        return self.run("publish", file, "--to", self.outputs["Artifacts"], "--key", key)

    def promote(self, digest, key, *options):
        self.run("promote", CHANNEL, digest, *self.stores(key), *options)

    def rollback(self, key):
        self.run("rollback", CHANNEL, *self.stores(key))

    def stores(self, key):
        return ["--artifacts", self.outputs["Artifacts"], "--table", self.outputs["Table"], "--key", key]


def serves(client, answer):
    """Asks until the function answers so; gives the seconds that it took, or `None`."""
    start = time.monotonic()
    while time.monotonic() - start < SWAP_SECONDS_MAX:
        body = client.send(Request("GET", "/health", "", [], b"")).body
        if body == answer:
            return time.monotonic() - start
        if body not in (OLD, NEW):
            raise RuntimeError(f"while guests are swapped, /health answers {body!r}")
        time.sleep(0.1)
    return None


def swap(publisher, client, public_key_of_the_host, key, version, refused):
    """Publishes, promotes, rolls back, and tries it with a key that the host does not know.

    `version` gives what the alias names, `refused` whether the log counts a guest that was refused.
    """
    failures = []
    before = version()
    first, second = publisher.publish(OLD, key), publisher.publish(NEW, key)
    publisher.promote(first, key)
    if serves(client, OLD) is None:  # so that an instance runs when the next one comes
        failures.append("the first guest of the channel is not served")
    publisher.promote(second, key)
    for what, answer in (("promoted", NEW), ("rolled back", OLD)):
        if what == "rolled back":
            publisher.rollback(key)
        seconds = serves(client, answer)
        if seconds is None:
            failures.append(f"{what}, but not served after {SWAP_SECONDS_MAX} s")
        else:
            print(f"{what}, and served after {seconds:.1f} s")
    publisher.make_key("other")
    forged = publisher.publish(FORGED, "other")
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
