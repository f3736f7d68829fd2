"""Observability of a stack that has served requests: logs, metrics, alarms, dashboard."""

import json

# Fields of a request's summary that operators search for.
SUMMARY = {"timestamp", "level", "requestId", "method", "route", "status", "totalMs", "guestMs", "storageMs", "storageCalls", "coldStart"}


def logs(emulator, outputs):
    """Every line of the host is one JSON object, and every request has a summary."""
    client = emulator.client("logs")
    group = client.describe_log_groups(logGroupNamePrefix=outputs["HostLogs"])["logGroups"][0]
    failures = [] if group.get("retentionInDays") else ["the host's log group has no retention"]
    summaries = []
    for line in lines(client, outputs["HostLogs"]):
        if line.startswith(("START ", "END ", "REPORT ", "INIT_START ")):
            continue  # Lambda's own; JSON as well on AWS
        try:
            entry = json.loads(line)
        except ValueError:
            failures.append(f"a log line is no JSON: {line[:200]}")
            continue
        missing = {"timestamp", "level", "message"} - entry.keys()
        if missing:
            failures.append(f"a log line has no {missing}: {line[:200]}")
        if entry.get("message") == "request":
            summaries.append(entry)
            has_run = entry.get("guestMs", 0) > 0
            missing = (SUMMARY | {"guest"} if has_run else SUMMARY) - entry.keys()
            if missing:
                failures.append(f"a summary has no {missing}: {line[:300]}")
            failures += metrics_declared(entry)
    if not summaries:
        failures.append("the log has no summary of a request")
    else:
        print_figures([entry for entry in summaries if entry.get("guestMs", 0) > 0])
    return failures, len(summaries)


def print_figures(summaries):
    """The duration of requests here, on one machine. For information only."""
    for name in ("totalMs", "guestMs", "storageMs", "storageCalls", "capacityUnits", "memoryBytesPeak"):
        values = sorted(entry[name] for entry in summaries if name in entry)
        if values:
            print(f"{name}: median {values[len(values) // 2]}, p99 {values[len(values) * 99 // 100]}, largest {values[-1]}")


def metrics_declared(entry):
    """The embedded metric format: what is declared as a metric is a number in the same line, and the dimension is there."""
    failures = []
    for directive in entry.get("_aws", {}).get("CloudWatchMetrics", []):
        if directive["Namespace"] != "Tenon":
            failures.append(f"metrics go to `{directive['Namespace']}`")
        for name in [metric["Name"] for metric in directive["Metrics"]]:
            if not isinstance(entry.get(name), (int, float, list)):
                failures.append(f"metric {name} has no value")
        for dimension in sum(directive["Dimensions"], []):
            if not isinstance(entry.get(dimension), str):
                failures.append(f"dimension {dimension} has no value")
    if not entry.get("_aws"):
        failures.append("a summary declares no metrics")
    return failures


def counts(emulator, outputs, metric):
    """Whether some request has counted this metric."""
    for line in lines(emulator.client("logs"), outputs["HostLogs"]):
        if f'"{metric}"' in line and json.loads(line).get(metric, 0) > 0:
            return True
    return False


def lines(client, group):
    """All messages of a log group."""
    token = {}
    while True:
        page = client.filter_log_events(logGroupName=group, **token)
        for event in page["events"]:
            yield from event["message"].splitlines()
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def alarms(emulator, resources):
    """Every alarm of the template exists, and so does the dashboard, which is JSON."""
    client = emulator.client("cloudwatch")
    there = {alarm["AlarmName"] for alarm in client.describe_alarms(MaxRecords=100)["MetricAlarms"]}
    wanted = {physical for logical, physical in resources.items() if logical.endswith("Alarm")}
    failures = [f"alarm `{name}` is not there" for name in wanted - there]
    body = json.loads(client.get_dashboard(DashboardName=resources["Dashboard"])["DashboardBody"])
    if not body["widgets"]:
        failures.append("the dashboard is empty")
    return failures, len(wanted)
