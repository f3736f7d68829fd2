"""
`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a request that is sent again has no further effect. Records have the form that
the SDK for Rust gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Generic, TypeVar

from . import store
from .problem import Problem
from .request import Request
from .store import ConditionError, Operation, Partition, StorageError, Write
from .store.error import interference
from .typed import dump_json, parse_json, prepare, read

R = TypeVar("R")

_CHARACTERS_MAX = 255
_RECORD = timedelta(days=1)
_PLAIN = (dict, list, str, int, float, bool, type(None))
"""The types of JSON's own values: what was recorded is returned as it is."""


@dataclass(frozen=True)
class Once(Generic[R]):
    """The outcome of a transaction that happens once."""

    receipt: R
    """What the request recorded with which it happened: this one, or an earlier one."""
    is_repeated: bool
    """Whether it happened in an earlier request."""


def idempotency_key(request: Request) -> IdempotencyKey | None:
    """The client's name for a request, if it sent one. 400 if it is invalid."""
    field = request.headers.get("idempotency-key")
    return None if field is None else IdempotencyKey(_name(field), request)


class IdempotencyKey:
    """A client's name for one logical request. `idempotency_key` makes it."""

    def __init__(self, name: str, request: Request) -> None:
        self._request = request
        self._key = Partition(f"idempotency/{sha256(_owned(name, request).encode()).hexdigest()}", dict[str, Any]).key("-")
        digest = sha256()
        for part in (request.method, request.path, request.query_text):
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8, "little"))
            digest.update(encoded)
        digest.update(request.body)
        self._fingerprint = digest.hexdigest()

    def transact(self, operations: Iterable[Operation], receipt: R) -> Once[R]:
        """
        Applies the operations, at most 99, unless a request with the same key did so within a day: then nothing is written, and the receipt is
        that request's. The response to a repeated request gets `idempotency-replayed: true`. 422 if that request had another method, path,
        query or content. A receipt is JSON, or a value that content can be read as, such as a data class.
        """
        if type(receipt) not in _PLAIN:
            prepare(type(receipt))  # also for the first request, so that the first test shows it
        value = {"fingerprint": self._fingerprint, **_members(receipt)}
        record = Write(self._key, value, when="absent", expires_at=self._request.now + _RECORD)
        try:
            store.transact([record, *operations])
            return Once(receipt, False)
        except ConditionError as error:
            if error.position:
                # Without the record, which the caller does not know of.
                error.position -= 1
                raise
        return Once(self._recorded(type(receipt)), True)

    def _recorded(self, type_: type[R]) -> R:
        item = store.get(self._key)
        if item is None:
            raise interference()
        members = dict(item.value)
        if members.pop("fingerprint", None) != self._fingerprint:
            detail = "this `Idempotency-Key` was used for another request; a new one needs a new key"
            raise Problem(422, "idempotency-key-reused", detail)
        receipt: Any = members["receipt"] if list(members) == ["receipt"] else members
        if type_ not in _PLAIN:
            errors: list[tuple[str, str]] = []
            receipt = read(type_, receipt, errors, is_strict=False)
            if errors:
                pointer, detail = errors[0]
                raise StorageError("internal", f"the receipt of an earlier request is no `{type_.__qualname__}`: `{pointer}` {detail}")
        self._request.is_replayed = True
        return receipt  # type: ignore[no-any-return]


def _name(field: str) -> str:
    """The name in a field: a structured-field string (RFC 9651, 3.3.3), or, as many clients send it, the same without quotes."""
    quoted = re.fullmatch(r'"((?:[ !#-\[\]-~]|\\["\\])*)"', field)
    name = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else field if re.fullmatch(r"[!#-+\--:<-\[\]-~]+", field) else ""
    if not 1 <= len(name) <= _CHARACTERS_MAX:
        detail = f'`Idempotency-Key` is a string of 1 to {_CHARACTERS_MAX} characters, such as `"8e03978e"`'
        raise Problem(400, "invalid-header", detail)
    return name


def _owned(name: str, request: Request) -> str:
    """The name with its caller, each with its length, so that two callers never share a record."""
    identity = request.raw_identity
    if identity is None:
        return f"-|{name}"
    subject, claims = identity
    if subject is None:
        return f"-{len(claims.encode())}{claims}|{name}"
    return f"{len(subject.encode())}:{subject}|{name}"


def _members(receipt: object) -> dict[str, Any]:
    """The members of a record for a receipt: its own, or one with it."""
    plain = parse_json(dump_json(receipt))
    if not isinstance(plain, dict):
        return {"receipt": plain}
    if "fingerprint" in plain:
        raise TypeError("a receipt has no member `fingerprint`: the record has one of this name")
    # An object with this member alone would be read as the member.
    return {"receipt": plain} if next(iter(plain), None) == "receipt" else plain
