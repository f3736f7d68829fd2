"""Keys and items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Generic, Literal, TypeVar, Union

from ..port import Precondition, RawItem, RawKey, well_formed
from ..problem import Problem
from ..typed import parse_json, prepare, read
from .error import StorageError

T = TypeVar("T")

SORT_BYTES_MAX = 1024
"""Of a sort key, in UTF-8 (`wit/storage.wit`)."""


class Revision(str):
    """Names a state of an item; as an entity tag, it is in quotation marks."""

    __slots__ = ()


class ClientRevision(Revision):
    """A revision that a client named in `if-match`."""

    __slots__ = ()


class ClientPresence(str):
    """The condition "present" of a client that sent `if-match: *`, or "absent" of one that sent `if-none-match: *`."""

    __slots__ = ()


Condition = Union[Literal["absent", "present"], Revision]
"""What must hold for a write: nothing is there, something is there, or it has this revision."""


@dataclass(frozen=True)
class Key(Generic[T]):
    """The key of an item whose document is a `T`."""

    partition: Partition[T]
    sort: str

    def __str__(self) -> str:
        return self.sort

    def raw(self) -> RawKey:
        """The key for the host. A sort key often comes from the path: one that no item has is the client's mistake."""
        sort = well_formed(str(self.sort))
        length = len(sort.encode())
        if not 1 <= length <= SORT_BYTES_MAX:
            raise Problem(400, "invalid-key", f"a sort key has 1 to {SORT_BYTES_MAX} bytes, not {length}")
        return RawKey(well_formed(self.partition.name), sort)


class Partition(Generic[T]):
    """A named group of items, in the order of the UTF-8 bytes of their sort keys. Their documents are of the type."""

    def __init__(self, name: str, type_: type[T]) -> None:
        self.name = name
        self.type = type_
        prepare(type_)

    def key(self, sort: object) -> Key[T]:
        """The key of an item of this partition: a text, or what `str` makes one of, such as a UUID."""
        return Key(self, sort if isinstance(sort, str) else str(sort))

    def __repr__(self) -> str:
        return f"Partition({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Partition) and (self.name, self.type) == (other.name, other.type)

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True)
class Item(Generic[T]):
    """What is stored. As a response it is its value with an entity tag; a client that has it already gets 304."""

    key: Key[T]
    value: T
    revision: Revision
    """Names this state of the item."""
    index: RawKey | None = None
    """The secondary key."""
    expires_at: datetime | None = None
    """When the item counts as deleted."""


def to_item(partition: Partition[T], key: RawKey, raw: RawItem) -> Item[T]:
    """The item of a key."""
    errors: list[tuple[str, str]] = []
    try:
        value: Any = read(partition.type, parse_json(raw.document), errors, is_strict=False)
    except ValueError as error:
        raise StorageError("internal", f"the document of `{key.sort}` is not JSON") from error
    if errors:
        pointer, detail = errors[0]
        name = getattr(partition.type, "__qualname__", partition.type)
        raise StorageError("internal", f"the document of `{key.sort}` is no `{name}`: `{pointer}` {detail}")
    expires_at = None if raw.expires_at is None else datetime.fromtimestamp(raw.expires_at, timezone.utc)
    return Item(Key(partition, key.sort), value, Revision(raw.revision), raw.secondary, expires_at)


def to_precondition(condition: Condition | None) -> Precondition:
    """The condition as the host takes it."""
    if condition is None:
        return Precondition("none")
    if isinstance(condition, Revision):
        return Precondition("revision", str(condition))
    if condition in ("absent", "present"):
        return Precondition(condition)
    raise TypeError('`when` is "absent", "present" or a `Revision`')
