"""The store: JSON documents under a partition and a sort key. Calls return at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, Union

from .. import port
from ..port import Change, Lost, Put, Range, RawItem, RawPage, well_formed
from ..problem import Problem
from ..typed import dump_json
from .error import ConditionError, StorageError, StorageErrorCode, interference, to_error
from .key import ClientPresence, ClientRevision, Condition, Item, Key, Partition, Revision, to_item, to_precondition
from .page import ItemPage, Page

__all__ = [
    "Check",
    "Condition",
    "ConditionError",
    "Delete",
    "Item",
    "ItemPage",
    "Key",
    "Operation",
    "Page",
    "Partition",
    "Revision",
    "StorageError",
    "StorageErrorCode",
    "Write",
    "delete",
    "get",
    "get_many",
    "put",
    "query",
    "query_index",
    "transact",
    "update",
]

T = TypeVar("T")
R = TypeVar("R")

ATTEMPTS_MAX = 5
"""How often `update` tries again if other requests interfere."""


@dataclass(frozen=True)
class Write(Generic[T]):
    """An operation of a transaction that writes an item."""

    key: Key[T]
    value: T
    when: Condition | None = None
    index: Key[Any] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Delete:
    """An operation of a transaction that removes an item."""

    key: Key[Any]
    when: Condition | None = None


@dataclass(frozen=True)
class Check:
    """An operation that writes nothing, and on which the transaction depends."""

    key: Key[Any]
    when: Condition


Operation = Union[Write[Any], Delete, Check]


def get(key: Key[T], *, consistency: port.Consistency = "strong") -> Item[T] | None:
    """The item; `None` if there is none. `strong` sees every acknowledged write; `eventual` may lag, and costs half."""
    raw = key.raw()
    found = _call(lambda host: host.get(raw, consistency))
    return None if found is None else to_item(key.partition, raw, found)


def get_many(keys: Sequence[Key[T]], *, consistency: port.Consistency = "strong") -> list[Item[T] | None]:
    """The items of 1 to 100 different keys, in their order."""
    raws = [key.raw() for key in keys]
    found = _call(lambda host: host.get_many(raws, consistency))
    return [None if item is None else to_item(key.partition, raw, item) for key, raw, item in zip(keys, raws, found)]


def put(
    key: Key[T],
    value: T,
    *,
    when: Condition | None = None,
    index: Key[Any] | None = None,
    expires_at: datetime | None = None,
) -> Item[T]:
    """
    Writes an item, replacing what is there. Raises a `ConditionError`, which is answered with 404, 409 or 412, if the condition does not hold.
    `index` is a secondary key, by which `query_index` finds the item; from `expires_at` on, in whole seconds, it counts as deleted.
    """
    raw = _put(key, value, when, index, expires_at)
    outcome = _call(lambda host: host.put(raw))
    if isinstance(outcome, Lost):
        raise _lost(key, when, outcome.item)
    return to_item(key.partition, raw.key, RawItem(raw.document, outcome, raw.secondary, raw.expires_at))


def delete(key: Key[Any], *, when: Condition | None = None) -> None:
    """Removes an item. Without a condition it need not be there."""
    raw = key.raw()
    outcome = _call(lambda host: host.delete(raw, to_precondition(when)))
    if outcome is not None:
        raise _lost(key, when, outcome.item)


def update(key: Key[T], change: Callable[[T], T]) -> Item[T]:
    """
    Reads an item, changes it and writes it, again if another request interferes: `change` returns the new value. 404 if there is none.
    Secondary key and expiry stay.
    """
    for _ in range(ATTEMPTS_MAX):
        item = get(key)
        if item is None:
            raise Problem.not_found("what the request changes is not there")
        index = None if item.index is None else Key(Partition(item.index.partition, object), item.index.sort)
        try:
            return put(key, change(item.value), when=item.revision, index=index, expires_at=item.expires_at)
        except ConditionError:
            continue
    raise interference()


def query(
    partition: Partition[T],
    page: Any = None,
    *,
    prefix: str | None = None,
    start: str | None = None,
    end: str | None = None,
    direction: Literal["ascending", "descending"] = "ascending",
    limit: int = 20,
    cursor: str | None = None,
    consistency: port.Consistency = "strong",
) -> ItemPage[T]:
    """
    A page of a partition, in the order of the sort keys: all, those with a prefix, or those between two keys, both included. `page` is what
    `request.pagination()` returns, in the place of direction, limit and cursor. A limit is 1 to 1000.
    """
    if page is not None:
        direction, limit, cursor = page.direction, page.limit, page.cursor
    return _query(partition, False, consistency, _range(prefix, start, end), direction, limit, cursor)


def query_index(
    partition: Partition[T],
    page: Any = None,
    *,
    prefix: str | None = None,
    start: str | None = None,
    end: str | None = None,
    direction: Literal["ascending", "descending"] = "ascending",
    limit: int = 20,
    cursor: str | None = None,
) -> ItemPage[T]:
    """The same by secondary key, always eventual. The type of the partition is that of the items."""
    if page is not None:
        direction, limit, cursor = page.direction, page.limit, page.cursor
    return _query(partition, True, "eventual", _range(prefix, start, end), direction, limit, cursor)


def transact(operations: Iterable[Operation], *, token: str | None = None) -> list[Revision | None]:
    """
    Applies 1 to 100 operations on different keys, all or nothing. Returns the new revision of each write. With a token of 1 to 36 bytes, the
    transaction happens once within ten minutes, however often it is sent.
    """
    listed = list(operations)
    raws = [_operation(operation) for operation in listed]
    outcome = _call(lambda host: host.transact(raws, token))
    if isinstance(outcome, Lost):
        operation = listed[outcome.position]
        raise _lost(operation.key, operation.when, outcome.item, outcome.position)
    return [None if revision is None else Revision(revision) for revision in outcome]


def _call(work: Callable[[port.Port], R]) -> R:
    return port.call("the store", work, to_error)


def _lost(key: Key[Any], when: Condition | None, item: RawItem | None, position: int | None = None) -> ConditionError:
    revision = None if item is None else item.revision
    is_of_client = isinstance(when, (ClientPresence, ClientRevision))
    return ConditionError(key.sort, str(when or "present"), revision, position, is_of_client=is_of_client)


def _put(key: Key[T], value: T, when: Condition | None, index: Key[Any] | None, expires_at: datetime | None) -> Put:
    if expires_at is not None and expires_at.tzinfo is None:
        raise ValueError("`expires_at` has no time zone")
    return Put(
        key.raw(),
        dump_json(value),
        to_precondition(when),
        None if index is None else index.raw(),
        None if expires_at is None else int(expires_at.timestamp()),
    )


def _operation(operation: Operation) -> port.Operation:
    if isinstance(operation, Write):
        return _put(operation.key, operation.value, operation.when, operation.index, operation.expires_at)
    kind: Literal["delete", "check"] = "check" if isinstance(operation, Check) else "delete"
    return Change(kind, operation.key.raw(), to_precondition(operation.when))


def _range(prefix: str | None, start: str | None, end: str | None) -> Range:
    if prefix is not None:
        if start is not None or end is not None:
            raise ValueError("a query has either a prefix or bounds")
        return Range("prefix", well_formed(prefix))
    if start is not None:
        first = well_formed(start)
        return Range("at-least", first) if end is None else Range("between", first, well_formed(end))
    return Range("all") if end is None else Range("at-most", well_formed(end))


def _query(
    partition: Partition[T],
    is_index: bool,
    consistency: port.Consistency,
    range_: Range,
    direction: Literal["ascending", "descending"],
    limit: int,
    cursor: str | None,
) -> ItemPage[T]:
    name = well_formed(partition.name)
    raw = port.Query(name, is_index, consistency, range_, direction, limit, cursor)
    try:
        found: RawPage = _call(lambda host: host.query(raw))
    except StorageError as error:
        # A cursor usually comes from the query: one that is not valid is the client's mistake.
        if cursor is not None and error.code == "invalid":
            raise Problem(400, "invalid-cursor", "`cursor` is not from an earlier page of this list") from error
        raise
    return ItemPage([to_item(_partition(partition, key), key, item) for key, item in found.entries], found.cursor)


def _partition(asked: Partition[T], key: port.RawKey) -> Partition[T]:
    """The partition of an entry: that of its own key, also in a query by secondary key."""
    return asked if asked.name == key.partition else Partition(key.partition, asked.type)
