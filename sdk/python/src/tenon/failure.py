"""How an exception is written to the log."""

from __future__ import annotations

import json
import os.path
import traceback

from . import port
from .port import well_formed

ROOTS: list[str] = []
"""Folders whose names are left out of paths. The build adds those of the component."""

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_CHARACTERS_MAX = 12_000
"""Of a traceback: a line of the log has 16 KiB."""


def write_failure(error: BaseException, method: str, path: str) -> None:
    """Logs the exception with its traceback, in the lines of the sources."""
    message = "".join(traceback.format_exception_only(type(error), error)).strip()
    attributes = [("method", method), ("path", path), ("traceback", render(error))]
    lines = [(key, json.dumps(well_formed(value), ensure_ascii=False)) for key, value in attributes]
    port.current("the log").log("error", well_formed(message), lines)


def render(error: BaseException) -> str:
    """The traceback without the frames of this package."""
    shown = traceback.TracebackException.from_exception(error, lookup_lines=False)
    _clean(shown, set())
    text = "".join(shown.format()).rstrip()
    half = _CHARACTERS_MAX // 2
    return text if len(text) <= _CHARACTERS_MAX else f"{text[:half]}\n[...]\n{text[-half:]}"


def _clean(shown: traceback.TracebackException, seen: set[int]) -> None:
    if id(shown) in seen:
        return
    seen.add(id(shown))
    frames = [frame for frame in shown.stack if not _is_own(frame.filename)]
    for frame in frames:
        _rename(frame)
    shown.stack = traceback.StackSummary.from_list(frames)
    for other in (shown.__cause__, shown.__context__):
        if other is not None:
            _clean(other, seen)


def _is_own(filename: str) -> bool:
    return os.path.dirname(filename).startswith(_PACKAGE)


def _rename(frame: traceback.FrameSummary) -> None:
    """Leaves the folder out, after the line of the source has been looked up by the whole name."""
    if frame.line is None:
        return
    for root in ROOTS or [os.getcwd()]:
        if frame.filename.startswith(root + "/"):
            frame.filename = frame.filename[len(root) + 1 :]
            return
