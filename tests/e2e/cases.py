"""The cases of `tests/cases` over HTTP, against any deployed API.

A case is an event, the stored entries before it, the response, and the stored entries afterwards. Here the event becomes the HTTP request from
which a gateway would have made it. State is created and read through the API itself, so that only a URL is needed. Values that a live
system generates (ids, revisions, times, cursors) are compared by rule: see `Names`.
"""

import base64
import hashlib
import json
import re
import secrets
import time
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, unquote, urlencode

from client import Request

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests/cases"

# Headers that the gateway or the connection sets.
HOP_HEADERS = re.compile(r"^(host|content-length|user-agent|connection|via|x-forwarded-.*|x-amzn-.*|x-amz-.*)$")
# Response headers that the guest sets: an unexpected one is an error.
GUEST_HEADERS = {
    "accept-patch", "access-control-allow-headers", "access-control-allow-methods", "access-control-max-age", "allow", "cache-control",
    "content-location", "etag", "idempotency-replayed", "link", "location", "retry-after",
}  # fmt: skip
# REST APIs (AWS: API Gateway quotas): the request line with its headers. The gateway refuses larger ones.
GATEWAY_HEADER_BYTES_MAX = 10_240

RUN = secrets.token_hex(4)

# A list is read eventually consistent, and may lag behind.
LAG_SECONDS_MAX = 5

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
REVISION = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
CURSOR = re.compile(r"(cursor=)[A-Za-z0-9_.~%-]+")


class Skipped(Exception):
    """This case cannot be run over HTTP; the text says why."""


class Case:
    """One case folder."""

    def __init__(self, folder):
        self.folder = folder
        self.name = str(folder.relative_to(CASES))
        self.event = load(folder / "event.json")
        self.before = load(folder / "before.json") or []
        self.after = load(folder / "after.json") or []
        self.response = load(folder / "response.json")

    def request(self):
        """The HTTP request behind the event."""
        if not isinstance(self.event, dict) or "refusal" in self.response:
            raise Skipped("it is no HTTP request, which is what the case is about")
        if "authorizer" in json.dumps(self.event, default=str):
            raise Skipped("the API has no authorizer")
        context = self.event.get("requestContext") or {}
        if "http" in context:
            method, path, query = context["http"]["method"], self.event["rawPath"], self.event.get("rawQueryString") or ""
            if ".execute-api." in context["domainName"]:  # HTTP APIs decode the path, and put a named stage before it
                stage = context["stage"]
                path = path.removeprefix(f"/{stage}") if stage != "$default" else path
                path = quote(path, safe="/:@!$&'()*+,;=-._~%")
        else:
            method, path = self.event["httpMethod"], self.event["path"]
            query = query_of(self.event, is_encoded="elb" in context)
        headers = [(name, value) for name, value in headers_of(self.event) if not HOP_HEADERS.match(name.lower())]
        body = self.event.get("body") or ""
        try:
            content = base64.b64decode(body) if self.event.get("isBase64Encoded") else body.encode()
        except ValueError:
            raise Skipped("no gateway makes bad base64") from None
        return Request(method, path, query, [own_key(self.name, *header) for header in headers], content)


class Names:
    """Maps texts of a case's files to those that the live system uses instead.

    Items of a case are created with their own ids, and get current revisions and times; a revision in the case refers to the revision of its
    item. Of new ids, revisions and times only the form is checked.
    """

    def __init__(self):
        self.revisions = {}  # in the case -> here
        self.ids = {}
        self.cursors = {}
        self.created = {}  # (side, id) -> time
        self.updated = {}

    def here(self, text):
        """A text of the case, with its names replaced by those of the live system."""
        for table in (self.revisions, self.ids, self.cursors):
            for old, new in table.items():
                text = text.replace(old, new)
        return text

    def plain(self, text):
        """The comparable form of a text: known names unchanged, others by their kind."""
        known = {*self.revisions.values()}
        text = REVISION.sub(lambda found: found[0] if found[0] in known else "<revision>", text)
        known = {*self.ids.values()}
        text = UUID.sub(lambda found: found[0] if found[0] in known else "<id>", text)
        return CURSOR.sub(r"\1<cursor>", text)

    def document(self, value, side):
        """The same for a JSON value of one side, `case` or `here`."""
        if isinstance(value, list):
            return [self.document(element, side) for element in value]
        if isinstance(value, str):
            return self.plain(self.here(value) if side == "case" else value)
        if not isinstance(value, dict):
            return value
        result = {name: self.document(member, side) for name, member in value.items()}
        if "next" in value:
            result["next"] = "<cursor>"
        if "request_id" in value:
            result["request_id"] = "<request>"
        for name, times in (("created_at", self.created), ("updated_at", self.updated)):
            if name in value:
                # Whether it is the item's previous time.
                result[name] = "<as before>" if value[name] == times.get((side, value.get("id"))) else "<now>"
        return result


def run(case, client, all_cases, routes):
    """Runs one case on an empty store; returns the differences."""
    request = case.request()
    names = Names()
    for entry in case.before:
        make(entry, request, client, names, case)
    find_cursor(request, client, all_cases, names)
    live = Request(
        request.method, names.here(request.path), names.here(request.query), [(name, names.here(value)) for name, value in request.headers], request.body
    )
    is_turned_away = not is_let_through(live, routes)
    deadline = time.monotonic() + LAG_SECONDS_MAX
    while True:
        answer = client.send(live)
        if is_turned_away:
            return [] if 400 <= answer.status < 500 else [f"status: expected the gateway to refuse this, got {answer.status}"]
        if answer.is_of_gateway() and answer.status == 400 and not has_object(live):
            return []  # the gateway may look into content before the guest does
        found = differences(case, answer, names, client.target.path)
        if not found or live.method not in ("GET", "HEAD") or time.monotonic() > deadline:
            return found + stored_differences(case, client, names)
        time.sleep(0.5)


def is_let_through(request, routes):
    """Whether the API has this method, and the gateway accepts a request of this size."""
    segments = request.path.split("/")
    size = len(request.path) + len(request.query) + sum(len(name) + len(value) + 4 for name, value in request.headers)
    return size <= GATEWAY_HEADER_BYTES_MAX and any(method == request.method and is_at(path, segments) for method, path in routes)


def is_at(path, segments):
    """Whether these segments match a path of the API with parameters."""
    parts = path.split("/")
    return len(parts) == len(segments) and all(
        segment and part.startswith("{") or part == unquote(segment) for part, segment in zip(parts, segments)
    )


def has_object(request):
    """Whether a body declared as JSON is an object, which the gateway requires."""
    return isinstance(parsed(request.body.decode(errors="replace")), dict)


def differences(case, answer, names, base_path):
    """The unexpected parts of the response. `base_path` is the API's path on its server, with which references begin."""
    expected = case.response
    found = []
    if answer.status != expected["statusCode"]:
        found.append(f"status: expected {expected['statusCode']}, got {answer.status} {answer.body[:300]!r}")
    wanted = {}
    for name, value in headers_of(expected):
        value = below(base_path_of(case.event), name, value)
        wanted.setdefault(name.lower(), []).append(names.plain(names.here(value)))
    actual = {}
    for name, value in answer.headers:
        actual.setdefault(name.lower(), []).append(names.plain(below(base_path, name, value)))
    for name in sorted(wanted | dict.fromkeys(GUEST_HEADERS & actual.keys())):
        if ", ".join(wanted.get(name, [])) != ", ".join(actual.get(name, [])) and name != "content-length":
            found.append(f"header {name}: expected {wanted.get(name)}, got {actual.get(name)}")
    body = expected.get("body") or ""
    if isinstance(body, str) and expected.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    wanted_body, actual_body = names.document(parsed(body), "case"), names.document(parsed(answer.body.decode()), "here")
    return found + places("body", wanted_body, actual_body)


def base_path_of(event):
    """What precedes the path of an event in the URL that the client used."""
    context = event.get("requestContext") or {}
    if "http" in context:
        stage = context.get("stage", "$default")
        return f"/{stage}" if f"{event['rawPath']}/".startswith(f"/{stage}/") else ""
    return (context.get("path") or "").removesuffix(event["path"]).rstrip("/")


def below(base_path, name, value):
    """The value of a header without the base path of its reference; a marked value if it does not begin with it."""
    if name.lower() not in ("location", "content-location", "link"):
        return value
    mark = "<" if value.startswith("<") else ""
    inside = value.removeprefix(mark)
    return mark + inside.removeprefix(base_path) if inside.startswith(f"{base_path}/") else f"outside of {base_path}: {value}"


def follow_references(client):
    """Follows references in responses, as clients do; returns those with a wrong target. Does not change the store."""
    failures, made = [], []
    try:
        for _ in range(2):
            answer = client.send(Request("POST", "/items", "", [("content-type", "application/json")], b'{"name":"referred to"}'))
            headers = {name.lower(): value for name, value in answer.headers}
            if answer.status != 201:
                return [f"POST /items answered {answer.status}: {answer.body[:300]!r}"]
            made.append(json.loads(answer.body)["id"])
            for name in ("location", "content-location"):
                found = client.follow(headers[name])
                if found.status != 200 or json.loads(found.body)["id"] != made[-1]:
                    failures.append(f"{name} {headers[name]} answered {found.status}")
        deadline = time.monotonic() + LAG_SECONDS_MAX
        while True:
            headers = {name.lower(): value for name, value in client.send(Request("GET", "/items", "limit=1", [], b"")).headers}
            if "link" in headers or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        link = re.fullmatch(r'<([^>]+)>; rel="next"', headers.get("link", ""))
        found = link and client.follow(link[1])
        if not found or found.status != 200:
            failures.append(f"link {headers.get('link')} answered {found and found.status}")
    finally:
        for identifier in made:
            client.send(Request("DELETE", f"/items/{identifier}", "", [], b""))
    return failures


def stored_differences(case, client, names):
    """The differences in stored entries, as far as the API shows them."""
    wanted = sorted((names.document(entry["document"], "case") for entry in case.after if entry["partition"] == "items"), key=str)
    deadline = time.monotonic() + LAG_SECONDS_MAX
    while True:
        items = client.items()
        actual = sorted((names.document(item, "here") for item in items), key=str)
        found = places("stored", wanted, actual)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def places(place, wanted, actual):
    """The smallest places where two JSON values differ."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        names = sorted(wanted.keys() | actual.keys())
        return [line for name in names for line in places(f"{place}/{name}", wanted.get(name), actual.get(name))]
    if isinstance(wanted, list) and isinstance(actual, list) and len(wanted) == len(actual):
        return [line for index, pair in enumerate(zip(wanted, actual)) for line in places(f"{place}/{index}", *pair)]
    return [] if wanted == actual else [f"{place}: expected {wanted}, got {actual}"]


def make(entry, request, client, names, case):
    """Creates the case's initial entries through the API."""
    document, partition = entry["document"], entry["partition"]
    if partition.startswith("idempotency/"):
        if case.name == "idempotency/expired-record":
            raise Skipped("a key is remembered for a day, which this cannot wait for")
        remember(entry, request, client, names, case)
        return
    if partition != "items":
        raise Skipped(f"nothing in the API makes what is stored in `{partition}`")
    content = {name: value for name, value in document.items() if name not in ("id", "created_at", "updated_at")}
    identifier = entry["sort"]
    if identifier in names.ids:  # made by `remember`
        return
    answer = client.send(Request("PUT", f"/items/{quote(identifier, safe='')}", "", [("content-type", "application/json")], dump(content)))
    note(names, answer, 201, entry, identifier)


def remember(entry, request, client, names, case):
    """Creates the record of an idempotency key by sending its original request, which creates the item that the record names."""
    record = entry["document"]
    items = [other for other in case.before if other["partition"] == "items"]
    item = next((other for other in items if other["sort"] == record["id"]), None)
    key = [(name, value) for name, value in request.headers if name.lower() == "idempotency-key"]
    if hashlib.sha256(request.body).hexdigest() == record["fingerprint"]:
        body = request.body  # its bytes are what is compared
    elif item:
        body = dump({name: value for name, value in item["document"].items() if name not in ("id", "created_at", "updated_at")})
    else:
        raise RuntimeError(f"`{case.name}`: nothing says what was sent with the key before")
    answer = client.send(Request("POST", "/items", "", [("content-type", "application/json"), *key], body))
    if item:
        note(names, answer, 201, item, record["id"])
        return
    times = {"created_at": record["created_at"], "updated_at": record["created_at"]}
    made = note(names, answer, 201, {"document": times, "revision": entry["revision"]}, record["id"])
    client.send(Request("DELETE", f"/items/{made}", "", [], b""))


def note(names, answer, status, entry, identifier):
    """Records the names of a created item."""
    if answer.status != status:
        raise RuntimeError(f"cannot make item `{identifier}`: {answer.status} {answer.body[:300]!r}")
    item = json.loads(answer.body)
    names.ids[identifier] = item["id"]
    etag = dict((name.lower(), value) for name, value in answer.headers)["etag"]
    names.revisions[entry["revision"]] = etag.strip('W/"')
    for name, times in (("created_at", names.created), ("updated_at", names.updated)):
        times["case", identifier] = entry["document"][name]
        times["here", item["id"]] = item[name]
    return item["id"]


def find_cursor(request, client, all_cases, names):
    """A cursor is replaced by the one that the live system returns for the case that produces it; any other is sent unchanged."""
    found = re.search(r"cursor=([^&]+)", request.query)
    for case in all_cases if found else ():
        body = isinstance(case.response, dict) and case.response.get("body")
        if isinstance(body, dict) and body.get("next") == found[1]:
            page = json.loads(client.send(case.request()).body)
            names.cursors[found[1]] = page["next"]
            return


def own_key(case, name, value):
    """A header; an idempotency key is made unique for this case and run, because keys are remembered longer than a run takes."""
    if name.lower() == "idempotency-key" and re.fullmatch(r'"?[A-Za-z0-9-]+"?', value):
        value = re.sub(r"[A-Za-z0-9-]+", lambda key: f"{key[0]}-{case.replace('/', '-')}-{RUN}", value)
    return name, value


def query_of(event, is_encoded):
    """The query of a REST event or of a load balancer's, which decodes nothing."""
    pairs = [(name, value) for name, values in (event.get("multiValueQueryStringParameters") or {}).items() for value in values]
    pairs = pairs or list((event.get("queryStringParameters") or {}).items())
    return "&".join(f"{name}={value}" for name, value in pairs) if is_encoded else urlencode(pairs, quote_via=quote)


def headers_of(message):
    """Pairs of an event or a response, whose maps have one or several values for each name."""
    several = message.get("multiValueHeaders")
    if several:
        return [(name, str(value)) for name, values in several.items() for value in values]
    return [(name, str(value)) for name, value in (message.get("headers") or {}).items()]


def load(file):
    return json.loads(file.read_text(), parse_float=Decimal) if file.is_file() else None


def parsed(text):
    """The parsed JSON, if it is valid. Numbers keep their digits."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        return text


def dump(value):
    """JSON of what `load` gives; floats are written with all their digits."""

    def convert(value):
        if isinstance(value, dict):
            return "{" + ",".join(f"{json.dumps(name)}:{convert(member)}" for name, member in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(convert, value)) + "]"
        return str(value) if isinstance(value, Decimal) else json.dumps(value)

    return convert(value).encode()


def load_all():
    """Every case folder, in order."""
    return [Case(event.parent) for event in sorted(CASES.glob("*/*/event.json"))]


def routes():
    """Methods and paths that the gateway accepts: those of the guest's document, and OPTIONS."""
    document = json.loads((ROOT / "guest/src/openapi.json").read_text())
    found = {(method.upper(), path) for path, item in document["paths"].items() for method in item if method != "parameters"}
    return found | {("OPTIONS", path) for _, path in found}


def run_all(client, deviations):
    """Runs every case; returns the failures. `deviations` lists cases with other results here, and the reasons."""
    if client.items():
        raise SystemExit(f"error: {client.url} has items: the cases need an empty store, and leave it empty")
    all_cases, known_routes = load_all(), routes()
    failures, skipped, count = [], [], 0
    for case in all_cases:
        try:
            found = run(case, client, all_cases, known_routes)
        except Skipped as reason:
            skipped.append(f"{case.name}: {reason}")
            continue
        finally:
            client.clear()
        count += 1
        if case.name in deviations and not found:
            failures.append(f"{case.name}: comes out as expected, take it from the deviations ({deviations[case.name]})")
        elif case.name in deviations:
            skipped.append(f"{case.name}: {deviations[case.name]}")
            count -= 1
        failures += [f"{case.name}: {line}" for line in found if case.name not in deviations]
    for line in skipped:
        print(f"skipped {line}")
    print(f"{count} of {len(all_cases)} cases came out, {len(skipped)} skipped" if not failures else f"{len(failures)} differences")
    return failures
