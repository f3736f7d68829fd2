"""Lints what the reference guest answers in the cases, as a gateway sends it, with httplint.

Every note that is not good news has to be explained in `EXPLAINED`, and every explanation has to be needed. Usage: check.py CASES
"""

import json
import sys
from collections import defaultdict
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path

from httplint import HttpRequestLinter, HttpResponseLinter, levels

# Notes by name, with the reason why they stay. A note of the level GOOD needs none.
EXPLAINED = {
    "CORS_ORIGIN_STAR": "any origin may call: a caller proves itself by a header that its own code sets, never by the browser",
    "CORS_PREFLIGHT_RESPONSE": "says only what the answer is",
    "FRESHNESS_NO_CACHE": "an item is asked about before each use, which its entity tag makes cheap",
    "FRESHNESS_NO_CACHE_NO_VALIDATOR": "a list is out of date once it is sent, and has no entity tag: it is fetched again each time",
    "LOCATION_NOT_ABSOLUTE": "RFC 9110, 10.2.2 allows a relative reference, and the guest need not know its own host",
    "REQUEST_HDR_IN_RESPONSE": "RFC 9110, 12.5.3 has `Accept-Encoding` in a 415 for a coding that is not understood",
    "STATUS_BAD_REQUEST": "cases send what is wrong",
    "STATUS_METHOD_NOT_ALLOWED": "cases send what is wrong",
    "STATUS_NOT_ACCEPTABLE": "cases send what is wrong",
    "STATUS_NOT_FOUND": "cases ask for what is not there",
    "STATUS_PRECONDITION_FAILED": "cases send conditions that do not hold",
    "STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE": "a case sends what is too large",
    "STATUS_UNSUPPORTED_MEDIA_TYPE": "cases send what is wrong",
    "STATUS_URI_TOO_LONG": "a case sends what is too long",
    "STORE_NO_STORE": "what does not say how it may be kept may not be",
    "STORE_PRIVATE_CC": "items are for who asks, not for caches that many share",
}


def pairs(message):
    """Header fields of an event or an answer, whichever form the gateway has."""
    fields = defaultdict(list)
    for name, value in (message.get("headers") or {}).items():
        fields[name.lower()] = [value]
    for name, values in (message.get("multiValueHeaders") or {}).items():
        fields[name.lower()] = values
    return [(name.encode(), value.encode()) for name, values in fields.items() for value in values if value is not None]


def request_of(event):
    """The request's method, target and fields."""
    http = (event.get("requestContext") or {}).get("http")
    if http:
        path, query = event.get("rawPath", "/"), event.get("rawQueryString", "")
        method = http["method"]
    else:
        path, query, method = event.get("path", "/"), "", event.get("httpMethod", "GET")
    target = "https://api.example.com" + path + ("?" + query if query else "")
    return method, target, pairs(event)


def notes_of(event, answer):
    """What httplint says of one answer."""
    method, target, fields = request_of(event)
    request = HttpRequestLinter()
    request.process_request_topline(method.encode(), target.encode(), b"HTTP/1.1")
    request.process_headers(fields)
    request.finish_content(True)
    body = answer.get("body") or ""
    content = (body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))).encode()
    status = answer["statusCode"]
    fields = pairs(answer)
    # What every gateway adds.
    fields.append((b"date", formatdate(usegmt=True).encode()))
    if status not in (204, 304) and method != "HEAD":
        fields.append((b"content-length", str(len(content)).encode()))
    response = HttpResponseLinter()
    response.request = request
    response.is_head_response = method == "HEAD"
    response.process_response_topline(b"HTTP/1.1", str(status).encode(), HTTPStatus(status).phrase.encode())
    response.process_headers(fields)
    response.feed_content(b"" if method == "HEAD" else content)
    response.finish_content(True)
    return list(response.notes)


def main(cases):
    found = defaultdict(list)
    count = 0
    for file in sorted(cases.glob("*/*/response.json")):
        answer = json.loads(file.read_text())
        if "statusCode" not in answer:
            continue  # an event that is no HTTP request
        event = json.loads((file.parent / "event.json").read_text())
        count += 1
        for note in notes_of(event, answer):
            if note.level != levels.GOOD:
                found[type(note).__name__].append((file.parent.relative_to(cases), note))
    complaints = [f"`{name}` is explained, but no answer has it" for name in EXPLAINED.keys() - found.keys()]
    for name in found.keys() - EXPLAINED.keys():
        case, note = found[name][0]
        complaints.append(f"{case} and {len(found[name]) - 1} others: {name}: {note.summary}")
    if not count:
        complaints.append(f"there are no answers in `{cases}`")
    for complaint in sorted(complaints):
        print(complaint, file=sys.stderr)
    notes = sum(len(notes) for notes in found.values())
    print(f"{count} answers, {notes} notes, all explained" if not complaints else "not all is explained", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
