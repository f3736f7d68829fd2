"""A project of its own on AWS, from its packages to a rollback, with the installed `host-cli`: `cargo xtask installed` runs this.

usage: project.py --folder F --host-cli H --project P --packages P2 --template T --guests SERVED COMPATIBLE DIFFERENT

The emulator enforces permissions. `T` is the project's template, expanded; `COMPATIBLE` answers the project's cases like `SERVED`, and another
request differently; `DIFFERENT` answers one of the cases differently.
"""

import argparse
import json
import re
import sys
import time
from copy import copy
from pathlib import Path

from client import Client, Request
from emulator import Emulator
from releases import INTERVAL_MS, SWAP_SECONDS_MAX, Publisher
from report import Report
from stack import Stack

KEY = "release.key"
# What only a guest that was promoted over the served one answers differently.
UNKNOWN = "/notes/unknown"

# Values that differ from run to run.
GENERATED = [
    (re.compile(r"cursor=[\w-]+"), "cursor=CURSOR"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "TIME"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{24}\b"), "REVISION"),
]
# A value of its own in a response: only its presence can be compared.
OPAQUE = {"next"}


def general(value):
    """A value with placeholders for what differs from run to run."""
    if isinstance(value, dict):
        return {name: "OPAQUE" if name in OPAQUE else general(member) for name, member in value.items()}
    if isinstance(value, list):
        return [general(element) for element in value]
    if isinstance(value, str):
        for pattern, placeholder in GENERATED:
            value = pattern.sub(placeholder, value)
    return value


class Deployed:
    """The project's stack, and its folder."""

    def __init__(self, arguments, emulator, stack):
        self.emulator, self.stack = emulator, stack
        self.outputs = stack.outputs()
        key = emulator.client("apigateway").get_api_key(apiKey=self.outputs["ApiKeyId"], includeValue=True)["value"]
        host = f"{self.outputs['ApiId']}.execute-api.localhost:{emulator.port}"
        self.prefix = f"/{self.outputs['Stage']}"
        self.client = Client(f"{emulator.url}{self.prefix}", key, host)
        self.stranger = Client(f"{emulator.url}{self.prefix}", None, host)
        self.project = Path(arguments.project)
        self.publisher = Publisher(emulator, self.outputs, arguments.host_cli, self.project, channel=self.project.name)
        # What an operator may, who is the account's root here: the publisher's role reaches neither documents nor logs.
        self.operator = copy(self.publisher)
        self.operator.environment = {name: value for name, value in self.publisher.environment.items() if name != "AWS_SESSION_TOKEN"}
        self.operator.environment.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")

    def store(self):
        """The guest's part of the table, for `host-cli store`."""
        name = self.function()["Environment"]["Variables"]["TENON_NAMESPACE"]
        return f"dynamodb:{self.outputs['Table']}#{name}@{self.emulator.url}"

    def function(self):
        return self.emulator.client("lambda").get_function_configuration(FunctionName=self.outputs["Function"], Qualifier="live")

    def get(self, path):
        return self.client.send(Request("GET", path, "", [], b""))

    def unknown(self):
        """What the guest says about a note that is not there."""
        return json.loads(self.get(UNKNOWN).body).get("detail", "")

    def pull(self, name):
        """Fetches what was recorded; returns the number of requests."""
        self.operator.run("pull", self.outputs["HostLogs"], "--endpoint", self.emulator.url, "--output", name)
        return len((self.project / name).read_text().splitlines()) - 1

    def serves(self, expected):
        """Waits until the function says this about an unknown note; returns the seconds that it took, or `None`."""
        start = time.monotonic()
        while time.monotonic() - start < SWAP_SECONDS_MAX:
            if expected(self.unknown()):
                return time.monotonic() - start
            time.sleep(0.1)
        return None


def run_cases(deployed):
    """Sends the events of the project's cases to the deployed API, over what they expect to be stored."""
    failures, count = [], 0
    for folder in sorted((deployed.project / "cases").iterdir()):
        before = folder / "before.json"
        if before.exists():
            deployed.operator.run("store", "import", before, "--store", deployed.store())
        event = json.loads((folder / "event.json").read_text())
        headers = [(name, value) for name, values in event["multiValueHeaders"].items() for value in values if name.lower() == "content-type"]
        query = event["multiValueQueryStringParameters"] or {}
        query = "&".join(f"{name}={value}" for name, values in query.items() for value in values)
        body = (event["body"] or "").encode()
        answer = deployed.client.send(Request(event["httpMethod"], event["path"], query, headers, body))
        failures += [f"{folder.name}: {failure}" for failure in differences(deployed, json.loads((folder / "response.json").read_text()), answer)]
        count += 1
    return failures, count


def differences(deployed, expected, answer):
    if answer.status != expected["statusCode"]:
        yield f"expected {expected['statusCode']}, got {answer.status} {answer.body[:300]!r}"
        return
    body = general(json.loads(answer.body))
    if body != general(expected["body"]):
        yield f"expected {general(expected['body'])}, got {body}"
    got = {}
    for name, value in answer.headers:
        got.setdefault(name.lower(), []).append(value)
    for name, values in expected["multiValueHeaders"].items():
        # The case knows no stage, which precedes the paths of a deployed API.
        values = [value.replace("/notes", f"{deployed.prefix}/notes", 1) if name in ("location", "content-location", "link") else value for value in values]
        if general(got.get(name)) != general(values):
            yield f"{name}: expected {general(values)}, got {general(got.get(name))}"


def follow_channel(deployed, served, report):
    """Publishes the guest that is deployed already, and lets the function follow the channel and record."""
    digest = deployed.publisher.publish(served, KEY)
    deployed.publisher.promote(digest, KEY)
    public_key = (deployed.project / f"{KEY}.pub").read_text().strip().splitlines()[-1]
    deployed.stack.template = deployed.stack.renamed_version("Following")
    deployed.stack.update(
        CanaryDeployment="false", Channel=deployed.publisher.channel, PublicKeys=public_key, ChannelIntervalMs=INTERVAL_MS, Tape="all"
    )
    report.expect(deployed.function()["Environment"]["Variables"]["TENON_TAPE"] == "all", "nothing is recorded")
    return digest


def main():
    parser = argparse.ArgumentParser()
    for name in ("--folder", "--host-cli", "--project", "--packages", "--template"):
        parser.add_argument(name, required=True)
    parser.add_argument("--guests", nargs=3, required=True)
    arguments = parser.parse_args()
    served, compatible, different = arguments.guests
    report = Report()
    with Emulator(arguments.folder) as emulator:
        with report.step("the project's stack is created"):
            stack = Stack(emulator, Path(arguments.project).name, arguments.template, arguments.packages)
            stack.create(CanaryDeployment="false")
            deployed = Deployed(arguments, emulator, stack)
            # It refuses connections without TLS, which are all that the emulator has.
            emulator.client("s3").delete_bucket_policy(Bucket=stack.resources()["Artifacts"])
        with report.step("only callers with a key get in"):
            status = deployed.stranger.send(Request("GET", "/notes", "", [], b"")).status
            report.expect(status == 403, f"without a key: expected 403, got {status}")
            status = deployed.get("/no-such-route").status
            report.expect(status == 404, f"another path: expected 404, got {status}")
        with report.step("the project's cases, at its URL"):
            failures, count = run_cases(deployed)
            print(f"{count} cases")
            report.add(failures)
            report.expect(count >= 4, "there are too few cases")
        with report.step("the function follows a channel, and records"):
            deployed.publisher.make_key(KEY)
            first = follow_channel(deployed, served, report)
            report.expect(deployed.serves(lambda detail: "there is no note" in detail) is not None, "the channel's guest is not served")
            report.add(run_cases(deployed)[0])
        with report.step("recordings are pulled and replayed"):
            count = deployed.pull("day.tape")
            report.expect(count >= 4, f"the tape has {count} requests")
            replayed = deployed.operator.run("replay", "day.tape", "--guest", served)
            print(replayed.splitlines()[-1])
            report.expect("as expected" in replayed and "differing" not in replayed, f"the replay differs: {replayed}")
        with report.step("a gate keeps out a guest that answers differently"):
            digest = deployed.publisher.publish(different, KEY)
            output = deployed.publisher.promote(digest, KEY, "--gate", "day.tape", "--gate", "cases", code=1)
            report.expect("differs POST /notes" in output and "1 to 2000 characters" in output, f"the gate does not show the request: {output}")
        with report.step("a guest that answers the same is promoted, and rolled back"):
            version = deployed.function()["Version"]
            digest = deployed.publisher.publish(compatible, KEY)
            deployed.publisher.promote(digest, KEY, "--gate", "cases")
            seconds = deployed.serves(lambda detail: "there is no note" not in detail)
            report.expect(seconds is not None, "the promoted guest is not served")
            deployed.publisher.rollback(KEY)
            back = deployed.serves(lambda detail: "there is no note" in detail)
            report.expect(back is not None, "the rollback is not served")
            report.expect(deployed.function()["Version"] == version, "the function was updated meanwhile")
            if seconds and back:
                print(f"promoted in {seconds:.1f} s, rolled back in {back:.1f} s")
            listed = deployed.publisher.run("releases", deployed.publisher.channel, *deployed.publisher.stores(KEY)[:4])
            report.expect(first[:12] in listed, f"the channel does not list the first guest: {listed}")
    if report.failures:
        sys.exit(f"{len(report.failures)} failures")


main()
