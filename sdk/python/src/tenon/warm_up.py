"""
What a build does so that requests do not: each request begins with the memory of the build. Some requests to an application of its own let the
interpreter specialise the code of this package and fill the caches of the standard library, which takes a quarter off the time of a request.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable
from types import ModuleType

from . import port, store
from .app import App
from .port import Change, Level, Lost, Message, Operation, Precondition, Put, Query, RawItem, RawKey, RawPage, RawRequest, Reply
from .problem import Problem
from .request import Request
from .respond import Created
from .store.key import Item, Partition
from .store.page import Page
from .typed import prepare

_ROUNDS = 40
"""More than the interpreter of CPython 3.14 takes to specialise an instruction."""


def warm_up(modules: Iterable[ModuleType]) -> None:
    """Prepares this package, and the types of content in the modules of a program."""
    for module in modules:
        for value in list(vars(module).values()):
            if isinstance(value, type) and (dataclasses.is_dataclass(value) or typing.is_typeddict(value)):
                try:
                    prepare(value)
                except Exception:
                    continue  # a type that is for something else than content
    app = _application()
    with port.during(_FixedHost()):
        for _ in range(_ROUNDS):
            for method, path, query, body in [
                ("GET", "/items/a", "", b""),
                ("GET", "/items", "limit=2&cursor=c", b""),
                ("POST", "/items", "", b'{"text":"a","number":1}'),
                ("POST", "/items", "", b'{"text":1}'),
                ("DELETE", "/items/a", "", b""),
                ("GET", "/none", "", b""),
            ]:
                app.answer(_request(method, path, query, body))


@dataclasses.dataclass
class _Thing:
    text: str
    number: int = 0


def _application() -> App:
    app = App()
    things = Partition("things", _Thing)

    @app.get("/items/{id}")
    def read(request: Request, id: str) -> Item[_Thing]:
        item = store.get(things.key(id))
        if item is None:
            raise Problem.not_found(f"there is no `{id}`")
        return item

    @app.get("/items")
    def all(request: Request) -> Page[_Thing]:
        return store.query(things, request.pagination()).values()

    @app.post("/items")
    def create(request: Request) -> Created:
        id = request.uuid()
        return Created("items", id, content=store.put(things.key(id), request.json(_Thing), when="absent"))

    @app.delete("/items/{id}")
    def delete(id: str) -> None:
        store.delete(things.key(id))

    return app


def _request(method: str, path: str, query: str, body: bytes) -> RawRequest:
    headers = "accept: */*\ncontent-type: application/json\nhost: api.example\nuser-agent: warm-up\n"
    return RawRequest(method, path, query, headers, body, "id", 0, "https", "api.example", None, "", False, None)


class _FixedHost:
    """A host that always answers the same."""

    _item = RawItem('{"number":1,"text":"a"}', "revision", None, None)

    def get(self, key: RawKey, consistency: port.Consistency) -> RawItem | None:
        return self._item

    def get_many(self, keys: list[RawKey], consistency: port.Consistency) -> list[RawItem | None]:
        return [self._item for _ in keys]

    def put(self, put: Put) -> str | Lost:
        return "revision"

    def delete(self, key: RawKey, precondition: Precondition) -> Lost | None:
        return None

    def query(self, query: Query) -> RawPage:
        return RawPage([(RawKey("things", "a"), self._item)], "cursor")

    def transact(self, operations: list[Operation], token: str | None) -> list[str | None] | Lost:
        return [None if isinstance(operation, Change) else "revision" for operation in operations]

    def log(self, level: Level, message: str, attributes: list[tuple[str, str]]) -> None:
        return None

    def send(self, message: Message) -> Reply:
        return Reply(200, [], b"")

    def sign(self, name: str, algorithm: port.Algorithm, message: bytes) -> bytes:
        return b""

    def verify(self, name: str, algorithm: port.Algorithm, message: bytes, tag: bytes) -> bool:
        return False

    def reveal(self, name: str) -> bytes:
        return b""

    def random_bytes(self, length: int) -> bytes:
        return bytes(length)

    def environment(self) -> dict[str, str]:
        return {}
