"""Permissions: compares the roles of the stack with a table of allowed and denied actions, by simulation and by calls.

The emulator does not support `dynamodb:LeadingKeys`. Rules about partitions are read back from IAM and evaluated here.
"""

import os
from fnmatch import fnmatchcase
from pathlib import Path

from botocore.exceptions import ClientError

GUEST, FACTS, TOKENS, CHANNEL = "default#items", "#tenon", "#token", "#channel"


def matrix(names):
    """Role, whether it may, action, resource, partition."""
    table, index, other = names["table"], names["table"] + "/index/index", names["other table"]
    artifact, elsewhere, bucket = names["bucket"] + "/guests/x", names["bucket"] + "/other/x", names["bucket"]
    documents = ["BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query"]
    for action in documents:
        yield "host", True, f"dynamodb:{action}", table, GUEST
        yield "host", False, f"dynamodb:{action}", other, GUEST
        yield "host", False, f"dynamodb:{action}", table, "another#items"  # another guest's namespace
    for action in ("GetItem", "PutItem"):
        yield "host", True, f"dynamodb:{action}", table, FACTS
        yield "host", True, f"dynamodb:{action}", table, TOKENS
    yield "host", True, "dynamodb:Query", index, GUEST
    yield "host", False, "dynamodb:GetItem", index, GUEST
    yield "host", True, "dynamodb:GetItem", table, CHANNEL
    for action in ("PutItem", "UpdateItem", "DeleteItem"):
        yield "host", False, f"dynamodb:{action}", table, CHANNEL
    for action in ("Scan", "BatchWriteItem", "PartiQLSelect", "DeleteTable", "UpdateTable", "CreateTable", "CreateBackup", "UpdateTimeToLive"):
        yield "host", False, f"dynamodb:{action}", table, None
        yield "publisher", False, f"dynamodb:{action}", table, None
    yield "host", True, "s3:GetObject", artifact, None
    yield "host", False, "s3:GetObject", elsewhere, None
    for action in ("PutObject", "DeleteObject", "PutObjectAcl"):
        yield "host", False, f"s3:{action}", artifact, None
    for role in ("host", "publisher"):
        yield role, False, "s3:ListBucket", bucket, None
        yield role, False, "s3:PutBucketPolicy", bucket, None
        yield role, False, "lambda:UpdateFunctionCode", names["function"], None
        yield role, False, "lambda:InvokeFunction", names["function"], None
        yield role, False, "iam:PassRole", names["publisher"], None
        yield role, False, "sts:AssumeRole", names["publisher"], None
        yield role, False, "logs:PutLogEvents", names["access logs"], None
    yield "host", True, "logs:PutLogEvents", names["host logs"], None
    yield "host", True, "logs:CreateLogStream", names["host logs"], None
    yield "host", False, "logs:DeleteLogGroup", names["host logs"], None
    yield "host", False, "logs:FilterLogEvents", names["host logs"], None
    yield "host", True, "xray:PutTraceSegments", "*", None
    for action in ("GetItem", "PutItem", "Query"):
        yield "publisher", True, f"dynamodb:{action}", table, CHANNEL
        yield "publisher", False, f"dynamodb:{action}", table, GUEST
        yield "publisher", False, f"dynamodb:{action}", table, FACTS
        yield "publisher", False, f"dynamodb:{action}", other, CHANNEL
    yield "publisher", False, "dynamodb:UpdateItem", table, CHANNEL
    yield "publisher", False, "dynamodb:DeleteItem", table, CHANNEL
    yield "publisher", True, "s3:GetObject", artifact, None
    yield "publisher", True, "s3:PutObject", artifact, None
    yield "publisher", False, "s3:PutObject", elsewhere, None
    yield "publisher", False, "s3:DeleteObject", artifact, None


def simulate(emulator, names):
    """Asks IAM for each line of the matrix; returns those with another result, and the number of lines."""
    iam = emulator.client("iam")
    statements = {role: attached(iam, names[role]) for role in ("host", "publisher")}
    failures, count = [], 0
    for role, is_allowed, action, resource, partition in matrix(names):
        result = iam.simulate_principal_policy(PolicySourceArn=names[role], ActionNames=[action], ResourceArns=[resource])
        decisions = [result["EvaluationResults"][0]["EvalDecision"] == "allowed"]
        if partition:
            # The emulator ignores the request's context, here the partition.
            decisions.append(any(reaches(statement, action, resource, partition) for statement in statements[role]))
        count += 1
        if all(decisions) != is_allowed:
            expected = "allowed" if is_allowed else "denied"
            failures.append(f"{role}: {action} on {resource} {partition or ''}: expected {expected}, got {decisions}")
    return failures, count


def attached(iam, role):
    """Statements of a role's policies, as they are in IAM."""
    name = role.split("/")[-1]
    policies = [iam.get_role_policy(RoleName=name, PolicyName=policy) for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def reaches(statement, action, resource, partition):
    """Whether a statement allows an action on a resource in a partition."""
    bound = [pattern for keys in statement.get("Condition", {}).values() for pattern in several(keys.get("dynamodb:LeadingKeys"))]
    return (
        action in several(statement["Action"])
        and resource in several(statement["Resource"])
        and any(fnmatchcase(partition, pattern) for pattern in bound)
    )


def several(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def call(emulator, names):
    """Makes real calls with the credentials of the running function, and with those of the publisher's role."""
    session = emulator.client("sts").assume_role(RoleArn=names["publisher"], RoleSessionName="e2e")["Credentials"]
    credentials = {
        "host": function_credentials(emulator),
        "publisher": (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]),
        "nobody": ("AKIANOBODY", "wrong", None),
    }
    table, bucket = names["table"].split("/")[-1], names["bucket"].split(":")[-1]
    artifact = {"Bucket": bucket, "Key": "guests/e2e"}
    publisher = emulator.client("s3", credentials["publisher"])
    failures = []
    if outcome_of(publisher, "put_object", {**artifact, "Body": b"x"}) == "allowed":
        failures.append("artifacts can be written without TLS")
    # The emulator does not support TLS; the roles can be tested without that rule.
    emulator.client("s3").delete_bucket_policy(Bucket=bucket)
    key = {"pk": {"S": CHANNEL}, "sk": {"S": "e2e"}}
    calls = [
        ("publisher", True, "s3", "put_object", {**artifact, "Body": b"x"}),
        ("publisher", True, "s3", "get_object", artifact),
        ("publisher", True, "dynamodb", "put_item", {"TableName": table, "Item": key}),
        ("publisher", False, "dynamodb", "delete_item", {"TableName": table, "Key": key}),
        ("publisher", False, "dynamodb", "scan", {"TableName": table}),
        ("publisher", False, "s3", "put_object", {"Bucket": bucket, "Key": "elsewhere", "Body": b"x"}),
        ("publisher", False, "s3", "delete_object", artifact),
        ("host", True, "dynamodb", "get_item", {"TableName": table, "Key": key}),
        ("host", True, "s3", "get_object", artifact),
        ("host", False, "dynamodb", "scan", {"TableName": table}),
        ("host", False, "dynamodb", "update_item", {"TableName": table, "Key": key}),
        ("host", False, "dynamodb", "delete_table", {"TableName": table}),
        ("host", False, "dynamodb", "get_item", {"TableName": names["other table"].split("/")[-1], "Key": key}),
        ("host", False, "s3", "put_object", {**artifact, "Body": b"x"}),
        ("host", False, "s3", "list_objects_v2", {"Bucket": bucket}),
        ("host", False, "sts", "assume_role", {"RoleArn": names["publisher"], "RoleSessionName": "e2e"}),
        ("nobody", False, "dynamodb", "get_item", {"TableName": table, "Key": key}),
        ("nobody", False, "s3", "get_object", artifact),
    ]
    for who, is_allowed, service, operation, arguments in calls:
        outcome = outcome_of(emulator.client(service, credentials[who]), operation, arguments)
        if (outcome == "allowed") != is_allowed:
            failures.append(f"{who}: {service} {operation} {arguments}: expected {'allowed' if is_allowed else 'denied'}, got {outcome}")
    return failures, len(calls) + 1


def outcome_of(client, operation, arguments):
    """`allowed`, or the code of an error that denies access. Any other error is raised."""
    try:
        getattr(client, operation)(**arguments)
        return "allowed"
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status in (400, 403) and ("Denied" in code or "Forbidden" in code or code in ("InvalidAccessKeyId", "UnrecognizedClientException", "403")):
            return code
        raise


def function_credentials(emulator):
    """The credentials that the emulator gave the running function, from its environment."""
    for folder in Path("/proc").iterdir():
        try:
            variables = dict(pair.split("=", 1) for pair in (folder / "environ").read_text().split("\0") if "=" in pair)
        except (OSError, ValueError):
            continue
        if variables.get("AWS_ENDPOINT_URL") == emulator.url and "AWS_LAMBDA_RUNTIME_API" in variables and os.getpid() != int(folder.name):
            return variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], variables.get("AWS_SESSION_TOKEN")
    raise RuntimeError("no function is running")
