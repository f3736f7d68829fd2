"""An application on `wasi:http/incoming-handler`, as for any other host. Nothing in it knows this project."""

import asyncio
import hashlib
import json
import random
import re
import secrets
import sys
import time
import traceback
import uuid
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlsplit

from componentize_py_types import Ok
from poll_loop import PollLoop, Sink, Stream, register, send
from wit_world import exports
from wit_world.imports import environment, monotonic_clock, types

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
METHODS = {
    types.Method_Get: "GET",
    types.Method_Head: "HEAD",
    types.Method_Post: "POST",
    types.Method_Put: "PUT",
    types.Method_Delete: "DELETE",
    types.Method_Options: "OPTIONS",
    types.Method_Patch: "PATCH",
}
ROUTES = []


class Request:
    """What a route reads."""

    def __init__(self, incoming):
        method = incoming.method()
        self.method = getattr(method, "value", None) or METHODS[type(method)]
        target = urlsplit(incoming.path_with_query() or "/")
        self.path = target.path
        self.query = parse_qs(target.query, keep_blank_values=True)
        self.headers = [(name.lower(), value.decode("latin-1")) for name, value in incoming.headers().entries()]
        self.incoming = incoming

    def header(self, name):
        return next((value for found, value in self.headers if found == name), None)

    async def chunks(self):
        # Read to its end: a body that is dropped before its stream is a trap.
        body = Stream(self.incoming.consume())
        while (chunk := await body.next()) is not None:
            yield chunk

    async def read(self):
        return b"".join([chunk async for chunk in self.chunks()])


class Response:
    """What a route returns; `body` is bytes or an asynchronous generator of them."""

    def __init__(self, body=b"", status=200, headers=()):
        self.body = body.encode() if isinstance(body, str) else body
        self.status = status
        self.headers = list(headers)


def text(body, status=200, *headers):
    return Response(body, status, [("content-type", TEXT), *headers])


def as_json(value, status=200):
    return Response(json.dumps(value, ensure_ascii=False), status, [("content-type", JSON)])


def route(method, pattern):
    """Registers a function for a method and a path, whose `{name}` are passed as arguments."""
    compiled = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern))

    def register_route(function):
        ROUTES.append((method, compiled, function))
        return function

    return register_route


@route("GET", "/")
async def home(request):
    return text("Hello from Python\n")


@route("GET", "/json")
async def document(request):
    return as_json({"text": "zażółć", "list": [1, 2.5, None], "big": 9007199254740993})


@route("GET", "/users/{user}")
async def user(request, user):
    return as_json({"id": user})


@route("GET", "/users/{user}/posts/{post}")
async def post(request, user, post):
    return as_json({"id": user, "post": post})


@route("GET", "/query")
async def query(request):
    values = request.query.get("a", [])
    return as_json({"one": values[0] if values else None, "all": values})


@route("GET", "/headers")
async def headers(request):
    own = sorted(f"{name}={value}\n" for name, value in request.headers if name.startswith("x-test-"))
    return text("".join(own), 200, ("x-count", str(len(own))))


@route("POST", "/echo")
async def echo(request):
    kind = request.header("content-type")
    return Response(request.chunks(), headers=[("content-type", kind)] if kind else [])


@route("PUT", "/binary")
async def binary(request):
    return Response((await request.read())[::-1], headers=[("content-type", "application/octet-stream")])


@route("POST", "/json")
async def parse(request):
    try:
        return as_json({"got": json.loads(await request.read())}, 201)
    except ValueError:
        return as_json({"error": "not JSON"}, 400)


@route("GET", "/status/{status}")
async def status(request, status):
    return Response(status=int(status))


@route("GET", "/redirect")
async def redirect(request):
    return Response(status=303, headers=[("location", "/users/1?from=redirect")])


@route("GET", "/cookies")
async def cookies(request):
    pairs = (pair.strip().split("=", 1) for pair in (request.header("cookie") or "").split(";") if "=" in pair)
    response = as_json(dict(pairs))
    response.headers += [("set-cookie", "a=1; Path=/; HttpOnly"), ("set-cookie", "b=2; Max-Age=60; SameSite=Lax")]
    return response


@route("GET", "/large")
async def large(request):
    return text("x" * (1 << 20))


async def sleep(milliseconds):
    await register(asyncio.get_event_loop(), monotonic_clock.subscribe_duration(milliseconds * 1_000_000))


@route("GET", "/stream")
async def stream(request):
    async def chunks():
        for left in range(4, 0, -1):
            yield f"chunk {left}\n".encode()
            await sleep(5)

    return Response(chunks(), headers=[("content-type", TEXT)])


@route("GET", "/sleep")
async def slept(request):
    start = time.monotonic_ns()
    await sleep(50)
    return text(f"slept at least 50 ms: {time.monotonic_ns() - start >= 50_000_000}\n")


@route("GET", "/time")
async def now(request):
    return as_json({"now": time.time_ns() // 1_000_000, "utc": datetime.now(timezone.utc).isoformat()})


@route("GET", "/random")
async def draw(request):
    return as_json({"bytes": list(secrets.token_bytes(16)), "uuid": str(uuid.uuid4()), "float": random.random()})


@route("GET", "/digest")
async def digest(request):
    return text(hashlib.sha256(b"abc").hexdigest() + "\n")


async def ask(method, path, body=None):
    """A request to the service that the environment names."""
    base = urlsplit(dict(environment.get_environment())["UPSTREAM"])
    request = types.OutgoingRequest(types.Fields.from_list([("x-asked", b"python")]))
    request.set_method(method)
    request.set_scheme(types.Scheme_Http())
    request.set_authority(base.netloc)
    request.set_path_with_query(base.path + path)
    outgoing = request.body()
    answer = asyncio.ensure_future(send(request))
    sink = Sink(outgoing)
    if body:
        await sink.send(body)
    sink.close()
    incoming = await answer
    kind = incoming.headers().get("content-type")
    reader, chunks = Stream(incoming.consume()), []
    while (chunk := await reader.next()) is not None:
        chunks.append(chunk)
    return incoming.status(), kind[0].decode() if kind else None, b"".join(chunks)


@route("GET", "/fetch/{name}")
async def fetch(request, name):
    if "UPSTREAM" not in dict(environment.get_environment()):
        return as_json({"error": "no UPSTREAM"}, 501)
    try:
        status, kind, body = await ask(types.Method_Get(), f"/{name}")
    except Exception:
        return as_json({"error": "upstream"}, 502)
    return as_json({"status": status, "type": kind, "body": body.decode()})


@route("POST", "/fetch")
async def fetch_all(request):
    parts = (await request.read()).split(b",")
    answers = await asyncio.gather(*(ask(types.Method_Post(), "/echo", part) for part in parts))
    return as_json([body.decode() for _, _, body in answers])


@route("GET", "/throw")
async def throw(request):
    raise TypeError("planted")


@route("GET", "/exit")
async def leave(request):
    sys.exit(3)


async def answer(request):
    found = [(method, match, function) for method, pattern, function in ROUTES if (match := pattern.fullmatch(request.path))]
    for method, match, function in found:
        if method == request.method:
            return await function(request, **match.groupdict())
    if found:
        return as_json({"error": "method"}, 405)
    return as_json({"error": "not found", "path": request.path}, 404)


async def handle(incoming, outparam):
    request = Request(incoming)
    print(request.method, request.path)
    try:
        response = await answer(request)
    except Exception:
        traceback.print_exc()
        response = as_json({"error": "internal"}, 500)
    headers = [*response.headers, ("x-app", "python")]
    outgoing = types.OutgoingResponse(types.Fields.from_list([(name, value.encode()) for name, value in headers]))
    outgoing.set_status_code(response.status)
    sink = Sink(outgoing.body())
    types.ResponseOutparam.set(outparam, Ok(outgoing))
    if isinstance(response.body, bytes):
        if response.body:
            await sink.send(response.body)
    else:
        async for chunk in response.body:
            await sink.send(chunk)
    sink.close()


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request, response_out):
        loop = PollLoop()
        asyncio.set_event_loop(loop)
        loop.run_until_complete(handle(request, response_out))
