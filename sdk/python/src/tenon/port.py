"""
What a program gets from its host, in shapes of this package. There are two hosts: a component has the imports of `wit/`, and a test has
`tenon.testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple, Protocol, TypeVar, Union

Consistency = Literal["eventual", "strong"]
Level = Literal["debug", "info", "warn", "error"]
Algorithm = Literal["sha1", "sha256", "sha512"]


class RawKey(NamedTuple):
    """A partition and a sort key."""

    partition: str
    sort: str


class RawItem(NamedTuple):
    """What is stored under a key."""

    document: str
    revision: str
    secondary: RawKey | None
    expires_at: int | None


class Precondition(NamedTuple):
    """What has to hold for a write."""

    kind: Literal["none", "absent", "present", "revision"]
    revision: str = ""


class Put(NamedTuple):
    """A write of an item."""

    key: RawKey
    document: str
    precondition: Precondition
    secondary: RawKey | None
    expires_at: int | None


class Change(NamedTuple):
    """The removal of an item, or a check that writes nothing."""

    kind: Literal["delete", "check"]
    key: RawKey
    precondition: Precondition


Operation = Union[Put, Change]


class Lost(NamedTuple):
    """A write did not happen, because its precondition did not hold; the item that is there, and the operation's position from 0."""

    item: RawItem | None
    position: int = 0


class Range(NamedTuple):
    """The sort keys of a query; the second text is only that of `between`."""

    kind: Literal["all", "prefix", "between", "at-least", "at-most"]
    first: str = ""
    second: str = ""


class Query(NamedTuple):
    """A list of a partition."""

    partition: str
    is_index: bool
    consistency: Consistency
    range: Range
    direction: Literal["ascending", "descending"]
    limit: int
    cursor: str | None


class RawPage(NamedTuple):
    """A page of a list."""

    entries: list[tuple[RawKey, RawItem]]
    cursor: str | None


class Message(NamedTuple):
    """A request to another service."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    timeout_ms: int | None


class Reply(NamedTuple):
    """The response of another service."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class RawIdentity(NamedTuple):
    """The caller; its claims are the text of a JSON object."""

    subject: str | None
    claims: str


class RawRequest(NamedTuple):
    """A request, with what the host knows about it; see `request` and `context` in `wit/http.wit`."""

    method: str
    path: str
    query: str
    headers: str
    body: bytes
    request_id: str
    received_at_ms: int
    scheme: str
    authority: str
    client_address: str | None
    base_path: str
    is_path_decoded: bool
    identity: RawIdentity | None


class HostError(Exception):
    """An error that the interface declares, by the name of its case and its value."""

    def __init__(self, case: str, value: object = None) -> None:
        super().__init__(case if value is None else f"{case}: {value}")
        self.case = case
        self.value = value


class Port(Protocol):
    """The calls of a host. Those that fail raise `HostError`."""

    def get(self, key: RawKey, consistency: Consistency) -> RawItem | None:
        """Reads an item."""

    def get_many(self, keys: list[RawKey], consistency: Consistency) -> list[RawItem | None]:
        """Reads items."""

    def put(self, put: Put) -> str | Lost:
        """Writes an item; its new revision."""

    def delete(self, key: RawKey, precondition: Precondition) -> Lost | None:
        """Removes an item."""

    def query(self, query: Query) -> RawPage:
        """Reads a page."""

    def transact(self, operations: list[Operation], token: str | None) -> list[str | None] | Lost:
        """Applies operations, all or nothing."""

    def log(self, level: Level, message: str, attributes: list[tuple[str, str]]) -> None:
        """Writes a line with values as JSON."""

    def send(self, message: Message) -> Reply:
        """Sends a request to another service."""

    def sign(self, name: str, algorithm: Algorithm, message: bytes) -> bytes:
        """An HMAC."""

    def verify(self, name: str, algorithm: Algorithm, message: bytes, tag: bytes) -> bool:
        """Whether a tag is the HMAC of a message."""

    def reveal(self, name: str) -> bytes:
        """The value of a secret."""

    def random_bytes(self, length: int) -> bytes:
        """Random bytes, which follow from the request's seed."""

    def environment(self) -> dict[str, str]:
        """The variables of the guest."""


_current: Port | None = None


class NoHostError(RuntimeError):
    """Something was called that needs a host, where there is none."""


def current(what: str) -> Port:
    """The host of the request that is under way; `what` is for the error."""
    if _current is None:
        raise NoHostError(
            f"there is no host for {what}: use it in a handler, or in a test in `client.run`; modules are imported when a component is built"
        )
    return _current


def has_host() -> bool:
    """Whether a request is under way."""
    return _current is not None


@contextmanager
def during(port: Port) -> Iterator[None]:
    """Lets calls go to this host meanwhile."""
    global _current
    if _current is not None:
        raise RuntimeError("a request is under way")
    _current = port
    try:
        yield
    finally:
        _current = None


def enter(port: Port) -> None:
    """Lets calls go to this host from now on: in a component, whose instance ends with the request."""
    global _current
    _current = port


T = TypeVar("T")


def call(what: str, work: Callable[[Port], T], to_error: Callable[[str, object], Exception]) -> T:
    """The result of a call; the error that the interface declares becomes one for users."""
    port = current(what)
    try:
        return work(port)
    except HostError as error:
        raise to_error(error.case, error.value) from None


def well_formed(text: str) -> str:
    """The text with U+FFFD in the place of lone surrogates, which UTF-8 does not have."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
