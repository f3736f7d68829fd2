"""The items API in Python with boto3, as a typical Lambda function, for the comparison in `cargo xtask bench lambda`.

Only the routes that are measured. The runtime loop is the shortest that speaks Lambda's runtime API; Amazon's own does more.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import sys
import time
from datetime import datetime, timezone
from decimal import Decimal

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

TABLE = os.environ["TENON_TABLE"]
PARTITION = "items#items"
CURSOR_KEY = secrets.token_bytes(32)
ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "accept-patch, allow, content-location, etag, idempotency-replayed, link, location, retry-after",
    "content-type": "application/json",
    "x-content-type-options": "nosniff",
}
ABSENT = {"ConditionExpression": "attribute_not_exists(pk)"}
RECORD_SECONDS = 24 * 3600
MEMBERS = {"name", "description", "price", "tags", "category", "attributes"}

client = boto3.client(
    "dynamodb",
    config=Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"}, tcp_keepalive=True),
)
serialize = TypeSerializer().serialize
deserialize = TypeDeserializer().deserialize


class Problem(Exception):
    def __init__(self, status, detail):
        super().__init__(detail)
        self.status = status


def number(value):
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)


def text(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True, default=number)


def answer(status, body, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"statusCode": status, "headers": {**HEADERS, "cache-control": "private, no-cache", **headers}, "body": body, "isBase64Encoded": False}


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def uuid7():
    bits = time.time_ns() // 1_000_000 << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def draft(event):
    try:
        content = json.loads(event.get("body") or "", parse_float=Decimal)
    except ValueError as error:
        raise Problem(400, "the body is not JSON") from error
    if not isinstance(content, dict) or not content.keys() <= MEMBERS:
        raise Problem(422, "the body is not an item")
    name, price, tags = content.get("name"), content.get("price", 0), content.get("tags", [])
    if not isinstance(name, str) or not 1 <= len(name) <= 200:
        raise Problem(422, "`name` must be a string of 1 to 200 characters")
    if isinstance(price, bool) or not isinstance(price, (int, Decimal)) or price < 0:
        raise Problem(422, "`price` must be a number from 0")
    if not isinstance(tags, list) or len(tags) > 20 or not all(isinstance(tag, str) and 1 <= len(tag) <= 50 for tag in tags):
        raise Problem(422, "`tags` must be a list of at most 20 strings")
    return content


def entry(item):
    revision = secrets.token_hex(12)
    attributes = {"pk": {"S": PARTITION}, "sk": {"S": item["id"]}, "doc": serialize(item), "rev": {"S": revision}}
    if "category" in item:
        attributes["ipk"] = {"S": f"items#category/{item['category']}"}
        attributes["isk"] = {"S": f"{item['id']}\0\0{PARTITION}\0\0{item['id']}"}
    return attributes, revision


def write(item, condition):
    attributes, revision = entry(item)
    client.put_item(TableName=TABLE, Item=attributes, **condition)
    return revision


def created(item_id, body, revision, **headers):
    location = f"/items/{item_id}"
    return answer(201, body, content_location=location, location=location, etag=f'"{revision}"', **headers)


def create_idempotently(event, item, name):
    """Writes the item and a record of the response in one transaction; a repeated POST gets the recorded response."""
    body = text(item)
    fingerprint = hashlib.sha256(event["body"].encode()).hexdigest()
    key = {"pk": {"S": f"items#idempotency/{hashlib.sha256(name.encode()).hexdigest()}"}, "sk": {"S": "-"}}
    record = {"fingerprint": fingerprint, "id": item["id"], "body": body}
    expires_at = {"N": str(int(time.time()) + RECORD_SECONDS)}
    recorded = {**key, "doc": serialize(record), "rev": {"S": secrets.token_hex(12)}, "expires_at": expires_at}
    attributes, revision = entry(item)
    puts = [{"Put": {"TableName": TABLE, "Item": put, **ABSENT}} for put in (recorded, attributes)]
    try:
        client.transact_write_items(TransactItems=puts)
    except client.exceptions.TransactionCanceledException:
        found = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
        if found is None:
            raise
        record = deserialize(found["doc"])
        if record["fingerprint"] != fingerprint:
            raise Problem(422, "this `Idempotency-Key` was used with other content") from None
        return created(record["id"], record["body"], found["rev"]["S"], idempotency_replayed="true")
    return created(item["id"], body, revision)


def create(event):
    item = draft(event)
    item["id"] = uuid7()
    item["created_at"] = item["updated_at"] = now()
    name = event["headers"].get("idempotency-key")
    if name is not None:
        return create_idempotently(event, item, name)
    return created(item["id"], text(item), write(item, ABSENT))


def read(item_id):
    found = client.get_item(TableName=TABLE, Key={"pk": {"S": PARTITION}, "sk": {"S": item_id}}, ConsistentRead=True).get("Item")
    if found is None:
        raise Problem(404, "there is no such item")
    return answer(200, text(deserialize(found["doc"])), etag=f'"{found["rev"]["S"]}"')


def replace(event, item_id):
    item = draft(event)
    found = client.get_item(TableName=TABLE, Key={"pk": {"S": PARTITION}, "sk": {"S": item_id}}, ConsistentRead=True).get("Item")
    item["id"] = item_id
    item["updated_at"] = now()
    item["created_at"] = deserialize(found["doc"])["created_at"] if found else item["updated_at"]
    condition = (
        {"ConditionExpression": "rev = :rev", "ExpressionAttributeValues": {":rev": found["rev"]}}
        if found
        else ABSENT
    )
    revision = write(item, condition)
    return answer(200 if found else 201, text(item), content_location=f"/items/{item_id}", etag=f'"{revision}"')


def signature(item_id):
    return hmac.new(CURSOR_KEY, item_id.encode(), hashlib.sha256).digest()[:16]


def listing(event):
    query = event.get("queryStringParameters") or {}
    limit = query.get("limit", "20")
    if not limit.isdecimal() or not 1 <= int(limit) <= 100:
        raise Problem(400, "`limit` is a whole number from 1 to 100")
    start = {}
    if "cursor" in query:
        try:
            cursor = base64.urlsafe_b64decode(query["cursor"] + "==")
        except ValueError as error:
            raise Problem(400, "`cursor` is none of ours") from error
        item_id = cursor[16:].decode(errors="replace")
        if not hmac.compare_digest(cursor[:16], signature(item_id)):
            raise Problem(400, "`cursor` is none of ours")
        start = {"ExclusiveStartKey": {"pk": {"S": PARTITION}, "sk": {"S": item_id}}}
    page = client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": PARTITION}},
        Limit=int(limit),
        **start,
    )
    body = {"items": [deserialize(item["doc"]) for item in page["Items"]]}
    if "LastEvaluatedKey" not in page:
        return answer(200, text(body))
    item_id = page["LastEvaluatedKey"]["sk"]["S"]
    body["next"] = base64.urlsafe_b64encode(signature(item_id) + item_id.encode()).rstrip(b"=").decode()
    return answer(200, text(body), link=f'</items?limit={limit}&cursor={body["next"]}>; rel="next"')


def route(event):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    if path == "/health" and method == "GET":
        return answer(200, '{"status":"ok"}', cache_control="no-store")
    if path == "/items" and method in ("GET", "POST"):
        return listing(event) if method == "GET" else create(event)
    item_id = path.removeprefix("/items/")
    if path.startswith("/items/") and ID.match(item_id) and method in ("GET", "PUT"):
        return read(item_id) if method == "GET" else replace(event, item_id)
    raise Problem(404, "there is nothing here")


def handle(event):
    try:
        return route(event)
    except Problem as problem:
        status, detail = problem.status, str(problem)
    except ClientError as error:
        is_lost = error.response["Error"]["Code"] == "ConditionalCheckFailedException"
        status, detail = (412, "the item has changed") if is_lost else (503, "the store is not available")
    return answer(status, text({"status": status, "detail": detail}), content_type="application/problem+json")


def main():
    # Connects, as the others do before their first event.
    client.get_item(TableName=TABLE, Key={"pk": {"S": "#tenon"}, "sk": {"S": "cursor-key"}})
    runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        runtime.request("GET", "/2018-06-01/runtime/invocation/next")
        response = runtime.getresponse()
        request_id = response.getheader("lambda-runtime-aws-request-id")
        event = json.loads(response.read())
        started = time.perf_counter()
        payload = handle(event)
        line = {"level": "INFO", "message": "request", "requestId": request_id, "status": payload["statusCode"]}
        line["totalMs"] = round((time.perf_counter() - started) * 1000, 3)
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        body = json.dumps(payload, separators=(",", ":")).encode()
        runtime.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", body)
        runtime.getresponse().read()


main()
