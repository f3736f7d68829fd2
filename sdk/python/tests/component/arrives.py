"""
A component that says what its host really gives. `cargo xtask python-sdk` runs it and compares: what the SDK's types say and what the host of
tests gives have to be true.
"""

from __future__ import annotations

import os
import random
import secrets
import socket
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone

from tenon import App, Request, environment
from tenon.outgoing import FetchError, fetch
from tenon.port import Change, HostError, Lost, Precondition, Put, Query, Range, RawKey, current

app = App()

KEY = RawKey("p", "s")


@app.get("/")
def run(request: Request) -> dict[str, object]:
    host = current("this")
    missing = host.get(KEY, "strong")
    put = host.put(Put(KEY, '{"a":1.0}', Precondition("none"), None, None))
    lost = host.put(Put(KEY, "{}", Precondition("absent"), None, None))
    item = host.get(KEY, "strong")
    query = Query("p", False, "strong", Range("between", "a", "z"), "ascending", 1, None)
    page = host.query(query)
    index = host.query(query._replace(is_index=True, range=Range("all")))
    transacted = host.transact([Change("check", KEY, Precondition("present")), Change("delete", RawKey("p", "t"), Precondition("none"))], "t")
    failed = host.transact([Change("check", KEY, Precondition("absent"))], None)
    deleted = host.delete(KEY, Precondition("revision", "x")), host.delete(KEY, Precondition("none"))
    indexed = host.put(Put(KEY, "{}", Precondition("none"), RawKey("i", "j"), 4_000_000_000))
    found = host.get_many([KEY, RawKey("p", "t")], "eventual")
    return {
        "missing": missing,
        "put": type(put).__name__,
        "lost": isinstance(lost, Lost) and lost.item == item and lost.position,
        "item": item and [item.document, type(item.revision).__name__, item.secondary, item.expires_at],
        "page": [len(page.entries), page.entries[0][0], page.entries[0][1] == item, page.cursor],
        "index": [index.entries, index.cursor],
        "transacted": transacted,
        "failed": isinstance(failed, Lost) and [failed.position, failed.item == item],
        "deleted": [isinstance(deleted[0], Lost), deleted[1]],
        "indexed": [type(indexed).__name__, found[0] and [found[0].secondary, found[0].expires_at], found[1]],
        "refused": attempt(lambda: host.get(RawKey("", "s"), "strong")),
        "random": [len(host.random_bytes(3)), len({random.random(), random.random(), secrets.token_hex(), str(uuid.uuid4())})],
        "identity": request.identity,
        "address": type(request.client_address).__name__,
        "environment": [environment("GREETING"), environment("UNKNOWN")],
        "fetch": attempt(lambda: fetch("http://127.0.0.1:9/")),
    }


@app.get("/sealed")
def sealed(request: Request) -> dict[str, object]:
    """What the standard library finds in a component; in tests it finds the machine."""
    started = time.monotonic()
    time.sleep(3600)
    return {
        "clock": [round(time.time(), 3) == round(request.now.timestamp(), 3), datetime.now(timezone.utc) == request.now],
        "slept": time.monotonic() - started >= 3600,
        "variables": dict(os.environ),
        "open": attempt(lambda: open("/etc/passwd")),
        "list": attempt(lambda: os.listdir(".")),
        "socket": attempt(socket.socket),
        "datagrams": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
        "name": attempt(lambda: socket.getaddrinfo("example.com", 80)),
        "import": lazily(),
    }


def lazily() -> str:
    from fractions import Fraction

    return str(Fraction(1, 3))


def attempt(work: Callable[[], object]) -> object:
    try:
        return repr(work())
    except HostError as error:
        return [error.case, error.value]
    except FetchError as error:
        return error.code
    except OSError as error:
        return type(error).__name__
