"""
Lines of the host's log. `logging` of the standard library writes to it with its level, and what is in `extra` becomes attributes of the line;
`log` writes attributes directly.
"""

from __future__ import annotations

import json
import logging

from . import port
from .failure import render
from .port import Level, well_formed
from .typed import dump_json


def debug(message: str, **attributes: object) -> None:
    """Writes a line with values that programs can search for."""
    write("debug", message, attributes)


def info(message: str, **attributes: object) -> None:
    """Writes a line with values that programs can search for."""
    write("info", message, attributes)


def warn(message: str, **attributes: object) -> None:
    """Writes a line with values that programs can search for."""
    write("warn", message, attributes)


def error(message: str, **attributes: object) -> None:
    """Writes a line with values that programs can search for."""
    write("error", message, attributes)


def write(level: Level, message: str, attributes: dict[str, object]) -> None:
    """What modules write while the component is built has no reader."""
    if port.has_host():
        fields = [(well_formed(key), _json(value)) for key, value in attributes.items() if value is not None]
        port.current("the log").log(level, well_formed(str(message)), fields)


def _json(value: object) -> str:
    try:
        return dump_json(value)
    except (TypeError, ValueError):
        # What JSON does not have, and values that contain themselves.
        return json.dumps(well_formed(repr(value)), ensure_ascii=False)


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class HostHandler(logging.Handler):
    """Writes records of `logging` to the host's log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record; its logger is an attribute unless it is the root."""
        try:
            attributes = {key: value for key, value in vars(record).items() if key not in _STANDARD}
            if record.name != "root":
                attributes = {"logger": record.name, **attributes}
            if record.exc_info is not None and record.exc_info[1] is not None:
                attributes["traceback"] = render(record.exc_info[1])
            write(_level(record.levelno), record.getMessage(), attributes)
        except Exception:
            self.handleError(record)


def _level(number: int) -> Level:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    return "info" if number >= logging.INFO else "debug"


def install() -> HostHandler:
    """Lets the root logger write to the host's log, from level `INFO` on unless the program has set another one."""
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, HostHandler):
            return handler
    handler = HostHandler()
    root.addHandler(handler)
    if root.level == logging.WARNING:  # the level of a root logger that nobody has set
        root.setLevel(logging.INFO)
    return handler
