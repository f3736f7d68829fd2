"""Path patterns, such as `/rooms/{room}/days/{day}`, or `/files/{*path}`, whose last parameter takes the rest of the path."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote_to_bytes


class Match(NamedTuple):
    """The parameters of a path, and how precisely a pattern names it: the greatest text is the most precise."""

    parameters: dict[str, str]
    precision: str


class PathPattern:
    """The pattern of a text. Raises `ValueError` if it is none."""

    def __init__(self, text: str) -> None:
        self.text = text
        if not text.startswith("/"):
            raise self._mistake("does not begin with `/`")
        self._segments = [_segment(part) for part in text[1:].split("/")]
        self.names: list[str] = []
        for at, (kind, name) in enumerate(self._segments):
            if kind != "literal":
                if not name.isidentifier():
                    raise self._mistake("has a parameter that is not a name")
                if name in self.names:
                    raise self._mistake(f"has two parameters `{name}`")
                self.names.append(name)
            elif any(character in name for character in "{}*"):
                raise self._mistake("has a brace or star inside a segment")
            if kind == "rest" and at < len(self._segments) - 1:
                raise self._mistake("goes on after the rest of the path")

    def is_same_resource(self, other: PathPattern) -> bool:
        """Whether both match the same paths, whatever their parameters are called."""
        return self._shape() == other._shape()

    def _shape(self) -> list[tuple[str, str]]:
        return [(kind, name if kind == "literal" else "") for kind, name in self._segments]

    def match(self, path: list[str]) -> Match | None:
        """How the pattern matches decoded segments."""
        has_rest = self._segments[-1][0] == "rest"
        if len(path) < len(self._segments) if has_rest else len(path) != len(self._segments):
            return None
        parameters = {}
        precision = ""
        for at, (kind, name) in enumerate(self._segments):
            if kind == "literal":
                if path[at] != name:
                    return None
                precision += "2"
            elif kind == "rest":
                parameters[name] = "/".join(path[at:])
                precision += "0"
            else:
                parameters[name] = path[at]
                precision += "1"
        return Match(parameters, precision)

    def _mistake(self, what: str) -> ValueError:
        return ValueError(f"the pattern `{self.text}` {what}")


def segments_of(path: str) -> list[str] | None:
    """The decoded segments of a path; `None` if it is not percent-encoded UTF-8."""
    if "%" not in path:
        return path[1:].split("/")
    try:
        return [unquote_to_bytes(segment).decode() for segment in path[1:].split("/")]
    except UnicodeDecodeError:
        return None


def _segment(text: str) -> tuple[str, str]:
    if text.startswith("{*") and text.endswith("}"):
        return "rest", text[2:-1]
    if text.startswith("{") and text.endswith("}"):
        return "parameter", text[1:-1]
    return "literal", text
