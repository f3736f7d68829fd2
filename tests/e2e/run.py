"""Tests the whole system as deployed: `cargo xtask e2e` runs this.

usage: run.py --url URL
       run.py --folder F --packages P --template T --changed T2 [--host-cli H --guest G]

The first runs the cases against any deployed API with an empty store, with the key in TENON_E2E_API_KEY if it needs one. The second creates
the stack on an emulator, and checks everything that is visible there.
"""

import argparse
import os
import sys

import cases
from client import Client, Request
from report import Report

# Cases with other results on the emulator.
DEVIATIONS = {
    "list/query-is-not-utf8": "the emulator replaces bytes that are no UTF-8",
    "paths/not-utf8": "the emulator replaces bytes that are no UTF-8",
    "read/id-that-no-item-can-have": "the emulator decodes a path before it looks for its route",
}
NOTE = {"name": "kept"}


def against_emulator(arguments, report):
    """Creates the stack, calls, inspects, changes and deletes it."""
    import observed
    import permissions
    from botocore.exceptions import ClientError
    from emulator import ACCOUNT, REGION, Emulator
    from stack import Stack

    with Emulator(arguments.folder) as emulator:
        with report.step("the stack is created"):
            stack = Stack(emulator, "tenon", arguments.template, arguments.packages)
            stack.create(CanaryDeployment="false")
            outputs, resources = stack.outputs(), stack.resources()
        key = emulator.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
        # As on AWS: the API is a host, and the stage begins the path, so that references can be followed.
        url, host = f"{emulator.url}/{outputs['Stage']}", f"{outputs['ApiId']}.execute-api.localhost:{emulator.port}"
        client = Client(url, key, host)
        with report.step("only callers with a key get in, to health everybody"):
            stranger, impostor = Client(url, None, host), Client(url, "wrong", host)
            for path, status in (("/items", 403), ("/openapi.json", 403), ("/health", 200)):
                for caller in (stranger, impostor):
                    answer = caller.send(Request("GET", path, "", [], b""))
                    report.expect(answer.status == status, f"GET {path} without a key: expected {status}, got {answer.status}")
        with report.step("references lead back to the API"):
            report.add(cases.follow_references(client))
        with report.step("cases"):
            report.add(cases.run_all(client, DEVIATIONS))
        arn = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}".format
        names = {
            "host": outputs["HostRole"],
            "publisher": outputs["PublisherRole"],
            "table": arn("dynamodb", f"table/{outputs['Table']}"),
            "other table": arn("dynamodb", "table/other"),
            "bucket": f"arn:aws:s3:::{resources['Artifacts']}",
            "function": arn("lambda", f"function:{outputs['Function']}"),
            "host logs": arn("logs", f"log-group:{outputs['HostLogs']}:*"),
            "access logs": arn("logs", f"log-group:{outputs['AccessLogs']}:*"),
        }
        for what, check in (("roles, simulated", permissions.simulate), ("roles, called", permissions.call)):
            with report.step(what):
                failures, count = check(emulator, names)
                print(f"{count} questions")
                report.add(failures)
        with report.step("logs and metrics"):
            failures, count = observed.logs(emulator, outputs)
            print(f"{count} summaries of requests")
            report.add(failures)
        with report.step("alarms and dashboard"):
            failures, count = observed.alarms(emulator, resources)
            print(f"{count} alarms")
            report.add(failures)
        content = [("content-type", "application/json")]
        client.send(Request("PUT", "/items/kept", "", content, cases.dump(NOTE)))
        with report.step("an update keeps data, and goes live"):
            before = live(emulator, outputs)
            changed = Stack(emulator, "tenon", arguments.changed, arguments.packages)
            changed.update(CanaryDeployment="false", LogLevel="debug")
            after = live(emulator, outputs)
            report.expect(before["Version"] != after["Version"], f"the alias still names version {after['Version']}")
            level = after["Environment"]["Variables"]["TENON_LOG_LEVEL"]
            report.expect(level == "debug", f"the alias serves with the log level {level}")
            report.expect([item["id"] for item in client.items()] == ["kept"], "the item is gone after an update")
        if arguments.host_cli:
            with report.step("a guest is promoted and rolled back without a deployment"):
                report.add(swapped(arguments, emulator, outputs, client, changed))
        with report.step("deletion keeps table and bucket"):
            stack.delete()
            answer = client.send(Request("GET", "/items/kept", "", [], b""))
            report.expect(answer.status >= 400, f"the deleted API answers {answer.status}")
            dynamodb = emulator.client("dynamodb")
            stored = dynamodb.get_item(TableName=outputs["Table"], Key={"pk": {"S": "default#items"}, "sk": {"S": "kept"}})
            report.expect("Item" in stored, "the item is gone with the stack")
            emulator.client("s3").head_bucket(Bucket=resources["Artifacts"])
            try:
                dynamodb.delete_table(TableName=outputs["Table"])
                report.add(["the table can be deleted by one call"])
            except ClientError as error:
                report.expect("protect" in str(error), f"the table is kept for another reason: {error}")


def swapped(arguments, emulator, outputs, client, stack):
    """Lets the function follow a channel, and puts guests on it."""
    import observed
    import releases

    folder = emulator.folder / "releases"
    folder.mkdir()
    publisher = releases.Publisher(emulator, outputs, arguments.host_cli, folder)
    variants = releases.Variants(folder, arguments.guest)
    public_key = publisher.make_key("release.key")
    releases.first(publisher, variants.file(releases.OLD), "release.key")  # a host does not start on a channel that is not there
    following = {"Channel": releases.CHANNEL, "PublicKeys": public_key, "ChannelIntervalMs": releases.INTERVAL_MS}
    stack.template = stack.renamed_version("Following")
    stack.update(CanaryDeployment="false", **following)

    def version():
        return live(emulator, outputs)["Version"]

    def refused():
        return observed.counts(emulator, outputs, "ChannelFailures")

    return releases.swap(publisher, variants, client, public_key, "release.key", version, refused)


def live(emulator, outputs):
    """The settings that the alias serves with."""
    return emulator.client("lambda").get_function_configuration(FunctionName=outputs["Function"], Qualifier="live")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--url", "--folder", "--packages", "--template", "--changed", "--host-cli", "--guest"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    report = Report()
    if arguments.url:
        client = Client(arguments.url, os.environ.get("TENON_E2E_API_KEY"))
        with report.step("references lead back to the API"):
            report.add(cases.follow_references(client))
        with report.step("cases"):
            report.add(cases.run_all(client, {}))
    else:
        against_emulator(arguments, report)
    if report.failures:
        sys.exit(f"{len(report.failures)} failures")


main()
