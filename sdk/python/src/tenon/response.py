"""Responses and header fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Union

from .typed import dump_json

HeaderSource = Union[Mapping[str, str], Iterable[tuple[str, str]], None]


class Headers:
    """Header fields by their names, which are in lower case. A field may be there more than once."""

    def __init__(self, fields: HeaderSource = None) -> None:
        source = fields.items() if isinstance(fields, Mapping) else fields or ()
        self._fields = [(_name(name), _value(value)) for name, value in source]

    def get(self, name: str) -> str | None:
        """The value, those of repeated fields joined with `, `; `None` if there is none."""
        values = self.all(name)
        return ", ".join(values) if values else None

    def all(self, name: str) -> list[str]:
        """The values of a field."""
        wanted = name.lower()
        return [value for other, value in self._fields if other == wanted]

    def set(self, name: str, value: str) -> None:
        """Replaces a field."""
        self.remove(name)
        self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Adds a field beside those of the same name."""
        self._fields.append((_name(name), _value(value)))

    def remove(self, name: str) -> None:
        """Removes all fields of this name."""
        wanted = name.lower()
        self._fields = [(other, value) for other, value in self._fields if other != wanted]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(other == name.lower() for other, _ in self._fields)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(list(self._fields))

    def __repr__(self) -> str:
        return f"Headers({[name for name, _ in self._fields]})"  # no values: they may be credentials


_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


def content_of(fields: Headers, body: str | bytes, json: object) -> bytes:
    """The content of a request: text, bytes, or a value as JSON, whose type is then among the fields unless they say another one."""
    if json is None:
        return body.encode() if isinstance(body, str) else body
    if "content-type" not in fields:
        fields.set("content-type", "application/json")
    return dump_json(json).encode()


def _name(name: str) -> str:
    lower = name.lower()
    if not lower or not _TOKEN.issuperset(lower):
        raise ValueError(f"`{name}` is not the name of a header field")
    return lower


def _value(value: str) -> str:
    if any(character < " " and character != "\t" or character == "\x7f" for character in value):
        raise ValueError("the value of a header field contains a control character")
    return value.strip(" \t")


class Response:
    """A response, whole. A text is sent as plain text in UTF-8."""

    def __init__(self, body: bytes | str = b"", status: int = 200, headers: HeaderSource = None) -> None:
        self.status = status
        self.headers = Headers(headers)
        if not isinstance(body, (str, bytes, bytearray, memoryview)):
            # `bytes` makes as many zeros of a number.
            raise TypeError(f"the content of a response is a text or bytes, not a `{type(body).__qualname__}`: `Response.json` takes other values")
        self.body = body.encode(errors="replace") if isinstance(body, str) else bytes(body)
        if isinstance(body, str) and "content-type" not in self.headers:
            self.headers.set("content-type", "text/plain; charset=utf-8")

    @classmethod
    def json(cls, value: object, status: int = 200, headers: HeaderSource = None) -> Response:
        """A value as JSON: what `json` writes, and data classes, enumerations, UUIDs and times."""
        response = cls(dump_json(value).encode(), status, headers)
        if "content-type" not in response.headers:
            response.headers.set("content-type", "application/json")
        return response

    def __repr__(self) -> str:
        return f"Response(status={self.status}, {len(self.body)} bytes)"
