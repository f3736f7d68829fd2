"""The host of a test."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..port import (
    Algorithm,
    Consistency,
    HostError,
    Level,
    Lost,
    Message,
    Operation,
    Precondition,
    Put,
    Query,
    RawItem,
    RawKey,
    RawPage,
    Reply,
)
from .memory_store import MemoryStore


@dataclass(frozen=True)
class LogLine:
    """A line that was logged; its values are as JSON has them."""

    level: Level
    message: str
    attributes: dict[str, Any]


class TestHost:
    """What one application of a test has."""

    __test__ = False  # for pytest

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.lines: list[LogLine] = []
        self.calls: list[str] = []
        self.failures: list[HostError] = []
        self.variables: dict[str, str] = {}
        self.secrets: dict[str, bytes] = {}
        self.answer: Callable[[Message], Reply] = _not_granted

    def get(self, key: RawKey, consistency: Consistency) -> RawItem | None:
        """See `wit/storage.wit`, as for the others."""
        return _item(self._ask("get", {"key": key._asdict(), "consistency": consistency}))

    def get_many(self, keys: list[RawKey], consistency: Consistency) -> list[RawItem | None]:
        """See `wit/storage.wit`."""
        found = self._ask("get-many", {"keys": [key._asdict() for key in keys], "consistency": consistency})
        return [_item(item) for item in found]

    def put(self, put: Put) -> str | Lost:
        """See `wit/storage.wit`."""
        outcome = self._ask("put", _put(put))
        return str(outcome["val"]) if outcome["tag"] == "done" else Lost(_item(outcome["val"]))

    def delete(self, key: RawKey, precondition: Precondition) -> Lost | None:
        """See `wit/storage.wit`."""
        outcome = self._ask("delete", {"key": key._asdict(), "precondition": _precondition(precondition)})
        return None if outcome["tag"] == "done" else Lost(_item(outcome["val"]))

    def query(self, query: Query) -> RawPage:
        """See `wit/storage.wit`."""
        options = {
            "range": _range(query),
            "direction": query.direction,
            "limit": query.limit if 0 <= query.limit < 1 << 32 else 0,
            "cursor": query.cursor,
        }
        if query.is_index:
            page = self._ask("query-index", {"partition": query.partition, "options": options})
        else:
            page = self._ask("query", {"partition": query.partition, "consistency": query.consistency, "options": options})
        return RawPage([(RawKey(**entry["key"]), _present(entry["item"])) for entry in page["entries"]], page["cursor"])

    def transact(self, operations: list[Operation], token: str | None) -> list[str | None] | Lost:
        """See `wit/storage.wit`."""
        outcome = self._ask("transact", {"operations": [_operation(one) for one in operations], "token": token})
        if outcome["tag"] == "done":
            return list(outcome["val"])
        return Lost(_item(outcome["val"]["item"]), outcome["val"]["position"])

    def log(self, level: Level, message: str, attributes: list[tuple[str, str]]) -> None:
        """Keeps the line."""
        self.lines.append(LogLine(level, message, {key: json.loads(value) for key, value in attributes}))

    def send(self, message: Message) -> Reply:
        """Asks the test."""
        return self.answer(message)

    def sign(self, name: str, algorithm: Algorithm, message: bytes) -> bytes:
        """See `wit/secrets.wit`."""
        return hmac.new(self.reveal(name), message, getattr(hashlib, algorithm)).digest()

    def verify(self, name: str, algorithm: Algorithm, message: bytes, tag: bytes) -> bool:
        """See `wit/secrets.wit`."""
        return hmac.compare_digest(self.sign(name, algorithm, message), tag)

    def reveal(self, name: str) -> bytes:
        """See `wit/secrets.wit`."""
        if name not in self.secrets:
            raise HostError("unknown", f"unknown secret `{name}`; `set_secret` sets one in a test")
        return self.secrets[name]

    def random_bytes(self, length: int) -> bytes:
        """Random bytes of the request."""
        numbers = [int(self.store.ask("random"), 16) for _ in range(-(-length // 8))]
        return b"".join(number.to_bytes(8, "little") for number in numbers)[:length]

    def environment(self) -> dict[str, str]:
        """The variables of the guest."""
        return self.variables

    def _ask(self, name: str, parameters: dict[str, Any]) -> Any:
        self.calls.append(name)
        if self.failures:
            raise self.failures.pop(0)
        return self.store.ask(name, parameters)


def _not_granted(message: Message) -> Reply:
    raise HostError("not-granted", "nothing answers for other services; `answer_outgoing` does in a test")


def _precondition(precondition: Precondition) -> dict[str, str]:
    if precondition.kind == "revision":
        return {"tag": "revision", "val": precondition.revision}
    return {"tag": precondition.kind}


def _put(put: Put) -> dict[str, Any]:
    options = {
        "precondition": _precondition(put.precondition),
        "index": None if put.secondary is None else put.secondary._asdict(),
        "expiresAt": put.expires_at,
    }
    return {"key": put.key._asdict(), "document": put.document, "options": options}


def _operation(operation: Operation) -> dict[str, Any]:
    if isinstance(operation, Put):
        return {"tag": "put", "val": _put(operation)}
    return {"tag": operation.kind, "val": {"key": operation.key._asdict(), "precondition": _precondition(operation.precondition)}}


def _range(query: Query) -> dict[str, Any]:
    kind, first, second = query.range
    if kind == "all":
        return {"tag": kind}
    return {"tag": kind, "val": [first, second] if kind == "between" else first}


def _present(item: dict[str, Any]) -> RawItem:
    index = item["index"]
    return RawItem(item["document"], item["revision"], None if index is None else RawKey(**index), item["expiresAt"])


def _item(item: dict[str, Any] | None) -> RawItem | None:
    return None if item is None else _present(item)
