"""JSON as values of Python's types, and back: data classes, typed dictionaries, lists, enumerations, times, UUIDs and their unions."""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

from .port import well_formed


@dataclass(frozen=True)
class Length:
    """How many characters a text has, or how many elements a list: `Annotated[str, Length(1, 80)]`."""

    min: int = 0
    max: int | None = None


@dataclass(frozen=True)
class Range:
    """From where to where a number is, both included: `Annotated[int, Range(min=1)]`."""

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True)
class Pattern:
    """The regular expression that a whole text matches."""

    regex: str


Errors = list[tuple[str, str]]
"""Broken rules: JSON pointers, and what has to be."""

UNIT = "\0"
"""Where the text of a rule says what is counted."""

Read = Callable[[Any, str, Errors], Any]


def read(type_: Any, value: object, errors: Errors, *, is_strict: bool) -> Any:
    """
    A JSON value as the type. Rules that it breaks are added to `errors`; then the result is not to be used. Strictly, members of objects that
    the type does not have are errors, too; otherwise they are left out.
    """
    return _reader(type_, is_strict)(value, "", errors)


def prepare(type_: Any) -> None:
    """Works out how to read a type now, when the component is built, instead of in each request. Raises `TypeError` if it cannot be read."""
    for is_strict in (True, False):
        _reader(type_, is_strict)


def dump_json(value: object) -> str:
    """The value as the text of JSON, with U+FFFD in the place of lone surrogates, which clients can send as escapes."""
    return well_formed(json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def parse_json(text: str) -> Any:
    """The value of a text; raises `ValueError` for what JSON does not have, such as NaN, and for numbers beyond those of `float`."""
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"`{name}` is not JSON")


def _plain(value: object) -> object:
    """What `json` writes in the place of a value that it does not know."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        raise TypeError("a set has no order: make it a list, sorted")
    raise TypeError(f"a value of type `{type(value).__qualname__}` has no form in JSON")


def timestamp(time: datetime) -> str:
    """A time as RFC 3339 has it, in UTC with milliseconds."""
    if time.tzinfo is None:
        raise ValueError("a time without a time zone has no form in JSON")
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=None)
def _reader(type_: Any, is_strict: bool) -> Read:
    simple = _SIMPLE.get(type_)
    if simple is not None:
        return simple
    origin = typing.get_origin(type_)
    arguments = typing.get_args(type_)
    if origin is typing.Annotated:
        return _annotated(_reader(arguments[0], is_strict), arguments[1:])
    if origin in (typing.Required, typing.NotRequired):
        return _reader(arguments[0], is_strict)
    if origin is typing.Literal:
        return _one_of(arguments)
    if origin is typing.Union or origin is types.UnionType:
        return _union([_reader(argument, is_strict) for argument in arguments])
    if origin is list:
        return _list(_reader(arguments[0], is_strict))
    if origin is dict and arguments[0] is str:
        return _dict(_reader(arguments[1], is_strict))
    if isinstance(type_, type):
        if dataclasses.is_dataclass(type_):
            return _data_class(type_, is_strict)
        if typing.is_typeddict(type_):
            return _typed_dict(type_, is_strict)
        if issubclass(type_, Enum):
            return _enumeration(type_)
    raise TypeError(f"content cannot be read as `{type_}`")


def _check(holds: Callable[[Any], bool], detail: str, convert: Callable[[Any], Any] = lambda value: value) -> Read:
    def run(value: Any, pointer: str, errors: Errors) -> Any:
        if holds(value):
            try:
                return convert(value)
            except (ValueError, OverflowError):  # a whole number beyond those of `float`, for example
                pass
        errors.append((pointer, detail))
        return None

    return run


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)
    if time.tzinfo is None:
        raise ValueError("no time zone")
    time.astimezone(timezone.utc)  # an error for the first and the last hours, which have no form in JSON
    return time


def to_uuid(text: str) -> UUID:
    """The UUID of its one form (RFC 9562, 4). `UUID` also takes braces, a prefix and other digits, so that one resource would have many paths."""
    uuid = UUID(text)
    if str(uuid) != text.lower():
        raise ValueError("not a UUID with hyphens alone")
    return uuid


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")


def _is_whole(value: object) -> bool:
    return _is_number(value) and (isinstance(value, int) or float(value).is_integer())  # type: ignore[arg-type]


_SIMPLE: dict[Any, Read] = {
    Any: lambda value, pointer, errors: value,
    object: lambda value, pointer, errors: value,
    str: _check(_is_text, "must be a string"),
    bool: _check(lambda value: isinstance(value, bool), "must be `true` or `false`"),
    int: _check(_is_whole, "must be a whole number", int),
    float: _check(_is_number, "must be a number", float),
    None: _check(lambda value: value is None, "must be `null`"),
    type(None): _check(lambda value: value is None, "must be `null`"),
    datetime: _check(_is_text, "must be a time with a time zone, such as `2026-01-31T12:00:00Z`", _time),
    date: _check(_is_text, "must be a date, such as `2026-01-31`", date.fromisoformat),
    UUID: _check(_is_text, "must be a UUID", to_uuid),
    dict: _check(lambda value: isinstance(value, dict), "must be an object"),
    list: _check(lambda value: isinstance(value, list), "must be an array"),
}


def _annotated(inner: Read, rules: tuple[object, ...]) -> Read:
    checks = [check for rule in rules if (check := _rule(rule)) is not None]

    def run(value: Any, pointer: str, errors: Errors) -> Any:
        before = len(errors)
        result = inner(value, pointer, errors)
        for holds, detail in checks:
            if len(errors) == before and result is not None and not holds(result):
                errors.append((pointer, detail.replace(UNIT, "characters" if isinstance(result, str) else "elements")))
        return result

    return run


def _rule(rule: object) -> tuple[Callable[[Any], bool], str] | None:
    if isinstance(rule, Length):
        low, high = rule.min, rule.max
        span = _span(low or None, high)
        return (
            lambda value: low <= len(value) and (high is None or len(value) <= high),
            f"must have {span} {UNIT}",
        )
    if isinstance(rule, Range):
        least, most = rule.min, rule.max
        return (
            lambda value: (least is None or value >= least) and (most is None or value <= most),
            f"must be {_span(least, most)}",
        )
    if isinstance(rule, Pattern):
        regex = re.compile(rule.regex)
        return lambda value: regex.fullmatch(value) is not None, f"must match `{rule.regex}`"
    return None


def _span(low: float | None, high: float | None) -> str:
    if high is None:
        return f"at least {low or 0}"
    return f"at most {high}" if low is None else f"{low} to {high}"


def _one_of(values: tuple[object, ...]) -> Read:
    detail = f"must be one of {', '.join(f'`{value}`' for value in values)}"
    return _check(lambda value: any(type(value) is type(other) and value == other for other in values), detail)


def _enumeration(type_: type[Enum]) -> Read:
    inner = _one_of(tuple(member.value for member in type_))

    def run(value: Any, pointer: str, errors: Errors) -> Any:
        before = len(errors)
        inner(value, pointer, errors)
        return type_(value) if len(errors) == before else None

    return run


def _union(readers: list[Read]) -> Read:
    def run(value: Any, pointer: str, errors: Errors) -> Any:
        found: list[Errors] = []
        for reader in readers:
            mistakes: Errors = []
            result = reader(value, pointer, mistakes)
            if not mistakes:
                return result
            found.append(mistakes)
        # Of the alternatives, the one of the value's own form knows best what is wrong.
        deeper = [mistakes for mistakes in found if not mistakes[0][1].startswith("must be ")]
        errors.extend(deeper[0] if deeper else [(pointer, " or ".join(dict.fromkeys(m[0][1] for m in found)))])
        return None

    return run


def _list(item: Read) -> Read:
    def run(value: Any, pointer: str, errors: Errors) -> Any:
        if not isinstance(value, list):
            errors.append((pointer, "must be an array"))
            return None
        return [item(element, f"{pointer}/{at}", errors) for at, element in enumerate(value)]

    return run


def _dict(item: Read) -> Read:
    def run(value: Any, pointer: str, errors: Errors) -> Any:
        if not isinstance(value, dict):
            errors.append((pointer, "must be an object"))
            return None
        return {name: item(member, _child(pointer, name), errors) for name, member in value.items()}

    return run


class _Member(typing.NamedTuple):
    reader: Read
    is_required: bool


_unfinished: list[type] = []
"""The classes whose members are being worked out."""


def _data_class(type_: type, is_strict: bool) -> Read:
    if type_ in _unfinished:
        raise TypeError(f"content cannot be read as `{type_.__qualname__}`, which contains itself: its member may be `object`, to be read in the program")
    _unfinished.append(type_)
    try:
        return _members_of(type_, is_strict)
    finally:
        _unfinished.pop()


def _members_of(type_: type, is_strict: bool) -> Read:
    hints = typing.get_type_hints(type_, include_extras=True)
    members = {}
    for field in dataclasses.fields(type_):
        if field.init:
            has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
            members[field.name] = _Member(_reader(hints[field.name], is_strict), not has_default)
    return _object(members, lambda values: type_(**values), is_strict)


def _typed_dict(type_: type, is_strict: bool) -> Read:
    hints = typing.get_type_hints(type_, include_extras=True)
    required = getattr(type_, "__required_keys__", frozenset(hints))
    # `__required_keys__` does not see `NotRequired` in annotations that are texts.
    members = {name: _Member(_reader(hint, is_strict), name in required and not _is_optional(hint)) for name, hint in hints.items()}
    return _object(members, lambda values: values, is_strict)


def _is_optional(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.NotRequired


def _object(members: dict[str, _Member], make: Callable[[dict[str, Any]], Any], is_strict: bool) -> Read:
    def run(value: Any, pointer: str, errors: Errors) -> Any:
        if not isinstance(value, dict):
            errors.append((pointer, "must be an object"))
            return None
        before = len(errors)
        values = {}
        for name, member in members.items():
            if name in value:
                values[name] = member.reader(value[name], _child(pointer, name), errors)
            elif member.is_required:
                errors.append((pointer, f"`{name}` is missing"))
        if is_strict:
            errors.extend((_child(pointer, name), "is not known") for name in value if name not in members)
        if len(errors) > before:
            return None
        try:
            return make(values)
        except ValueError as error:  # `__post_init__` may have rules of its own
            errors.append((pointer, well_formed(str(error))))
            return None

    return run


def _child(pointer: str, name: str) -> str:
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
