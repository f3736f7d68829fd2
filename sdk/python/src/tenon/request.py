"""One request, as a handler sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, quote
from uuid import UUID

from .port import RawIdentity, RawRequest, current, well_formed
from .problem import Problem, Violation
from .response import Headers
from .store.key import ClientPresence, ClientRevision, Revision
from .typed import parse_json, read

T = TypeVar("T")


@dataclass(frozen=True)
class Identity:
    """The caller, as an authorizer in front of the host established it."""

    subject: str | None
    """The authorizer's stable name for the caller, if it gave one."""
    claims: Mapping[str, Any]
    """Everything that the authorizer said."""


@dataclass(frozen=True)
class Pagination:
    """The query parameters of a list."""

    limit: int = 20
    direction: Literal["ascending", "descending"] = "ascending"
    cursor: str | None = None


class Query:
    """The parameters of the query, decoded. A parameter may be there more than once."""

    def __init__(self, text: str) -> None:
        self.pairs = parse_qsl(text, keep_blank_values=True) if text else []

    def get(self, name: str) -> str | None:
        """The value; `None` if there is none, 400 if there are two."""
        values = self.all(name)
        if len(values) > 1:
            raise invalid_query(f"`{name}` is given twice")
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """All values."""
        return [value for other, value in self.pairs if other == name]


class Request:
    """A request with what the host knows about it."""

    def __init__(self, raw: RawRequest, path_parameters: Mapping[str, str]) -> None:
        self.method = raw.method
        self.path = raw.path
        """The path without the base path, percent-encoded."""
        self.path_parameters = path_parameters
        """The decoded parameters of the path."""
        self.body = raw.body
        self.headers = headers_of(raw)
        self.request_id = raw.request_id
        """Unique; appears in every log line and in problem documents."""
        self.now = datetime.fromtimestamp(raw.received_at_ms / 1000, timezone.utc)
        """When the host received the request. The clock stands still at this time."""
        self.scheme = raw.scheme
        self.authority = raw.authority
        """Host and optional port that the client asked for; may be empty."""
        self.client_address = raw.client_address
        """The client's IP address as the gateway saw it."""
        self.base_path = raw.base_path
        """What precedes the path in the client's URL, such as `/live`."""
        self.is_path_decoded = raw.is_path_decoded
        """Whether the gateway decoded the path, so that `%2F` and `/` cannot be told apart."""
        self.is_replayed = False
        """Whether an earlier request has done what this one asks for; `IdempotencyKey.transact` finds out."""
        self._raw = raw
        self._query: Query | None = None

    @property
    def query(self) -> Query:
        """The parameters of the query."""
        if self._query is None:
            self._query = Query(self._raw.query)
        return self._query

    @property
    def query_text(self) -> str:
        """What follows `?`, as it was sent."""
        return self._raw.query

    @property
    def raw_identity(self) -> RawIdentity | None:
        """The caller, as the host gave it."""
        return self._raw.identity

    @property
    def identity(self) -> Identity | None:
        """The caller; `None` if no authorizer identified one."""
        identity = self._raw.identity
        return None if identity is None else Identity(identity.subject, parse_json(identity.claims))

    def require_identity(self) -> Identity:
        """The caller; 401 if nobody has said who it is."""
        identity = self.identity
        if identity is None:
            raise Problem.unauthorized("the request does not say who the caller is")
        return identity

    def json(self, type_: type[T]) -> T:
        """The content as the type: 415 and 400 if it is not JSON, 422 with all rules of the type that it breaks."""
        media_type = (self.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not (media_type.startswith("application/") and media_type.endswith("+json")):
            headers = {"accept": "application/json"}
            raise Problem(415, "unsupported-media-type", "the content has to be `application/json`", headers=headers)
        try:
            value = parse_json(self.body.decode())
        except (ValueError, RecursionError) as error:
            detail = f"the content is not JSON: {well_formed(str(error))}"
            raise Problem(400, "invalid-json", detail) from None
        errors: list[tuple[str, str]] = []
        result = read(type_, value, errors, is_strict=True)
        if errors:
            raise Problem.invalid_content([Violation(pointer, detail) for pointer, detail in errors])
        return result  # type: ignore[no-any-return]

    def pagination(self, *, limit: int = 20, limit_max: int = 100) -> Pagination:
        """`limit`, `order` (`asc` or `desc`) and `cursor` of the query; 400 if one is out of range."""
        wanted, order, cursor = self.query.get("limit"), self.query.get("order"), self.query.get("cursor")
        if wanted is not None:
            is_number = wanted.isascii() and wanted.isdigit() and len(wanted) < 10
            if not is_number or not 1 <= int(wanted) <= limit_max:
                raise invalid_query(f"`limit` is a whole number from 1 to {limit_max}")
            limit = int(wanted)
        if order not in (None, "asc", "desc"):
            raise invalid_query("`order` is `asc` or `desc`")
        if cursor == "":
            raise invalid_query("`cursor` is empty")
        return Pagination(limit, "descending" if order == "desc" else "ascending", cursor)

    def if_match(self) -> Revision | Literal["present", "absent"] | None:
        """
        The condition of the header `if-match`, or "absent" for `if-none-match: *`, for `when`: a write whose condition does not hold is then
        answered with 412. `None` if there is no such header.
        """
        field = self.headers.get("if-match")
        if self.headers.get("if-none-match") == "*":
            if field is not None:
                raise Problem(412, "precondition-failed", "`if-match` and `if-none-match: *` never hold together")
            return ClientPresence("absent")  # type: ignore[return-value]
        if field is None:
            return None
        if field == "*":
            return ClientPresence("present")  # type: ignore[return-value]
        tag = field[1:-1]
        if len(field) < 3 or field[0] != '"' or field[-1] != '"' or '"' in tag:
            raise Problem(400, "invalid-header", "`if-match` has to be `*` or one strong entity tag")
        return ClientRevision(tag)

    def require_match(self) -> Revision | Literal["present", "absent"]:
        """The same; 428 if there is no such header."""
        condition = self.if_match()
        if condition is None:
            raise Problem(428, "precondition-required", "say in `if-match` which state is to be changed")
        return condition

    def uuid(self) -> UUID:
        """A new UUID of version 7: in the order of creation. From the same seed, the other SDKs make the same one."""
        content = current("randomness").random_bytes(16)
        high = int.from_bytes(content[:8], "little")
        low = int.from_bytes(content[8:], "little")
        high = self._raw.received_at_ms << 16 | 0x7000 | high & 0x0FFF
        return UUID(int=(high & (1 << 64) - 1) << 64 | 1 << 63 | low >> 2)

    def reference(self, *segments: str) -> str:
        """The path of a resource of this API in the client's URL: the base path and the percent-encoded segments."""
        return self.base_path + "".join(f"/{quote(well_formed(str(segment)), safe='')}" for segment in segments)


def headers_of(raw: RawRequest) -> Headers:
    """The header fields, from their lines in `wit/http.wit`."""
    return Headers(line.split(": ", 1) for line in raw.headers.split("\n") if line)  # type: ignore[misc]


def invalid_query(detail: str) -> Problem:
    """400: a parameter of the query is not as it has to be."""
    return Problem(400, "invalid-query", detail)
