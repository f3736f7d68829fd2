"""
Write a REST API as a component for Tenon: functions from requests to responses, which a host runs, records and replays.

    from dataclasses import dataclass
    from typing import Annotated

    from tenon import App, Created, Item, Length, Partition, Problem, Request, store

    @dataclass
    class Note:
        text: Annotated[str, Length(1, 1000)]

    notes = Partition("notes", Note)
    app = App()

    @app.post("/notes")
    def create(request: Request) -> Created:
        id = request.uuid()
        return Created("notes", id, content=store.put(notes.key(id), request.json(Note), when="absent"))

    @app.get("/notes/{id}")
    def read(request: Request, id: str) -> Item[Note]:
        note = store.get(notes.key(id))
        if note is None:
            raise Problem.not_found(f"there is no note `{id}`")
        return note
"""

from __future__ import annotations

from . import log, store
from .app import App
from .environment import environment
from .idempotency import IdempotencyKey, Once, idempotency_key
from .placeholder import placeholder
from .problem import Problem, Violation
from .request import Identity, Pagination, Query, Request
from .respond import Answer, Created
from .response import Headers, Response
from .store import (
    Check,
    Condition,
    ConditionError,
    Delete,
    Item,
    Key,
    Page,
    Partition,
    Revision,
    StorageError,
    Write,
)
from .typed import Length, Pattern, Range

__all__ = [
    "Answer",
    "App",
    "Check",
    "Condition",
    "ConditionError",
    "Created",
    "Delete",
    "Headers",
    "IdempotencyKey",
    "Identity",
    "Item",
    "Key",
    "Length",
    "Once",
    "Page",
    "Pagination",
    "Partition",
    "Pattern",
    "Problem",
    "Query",
    "Range",
    "Request",
    "Response",
    "Revision",
    "StorageError",
    "Violation",
    "Write",
    "environment",
    "idempotency_key",
    "log",
    "placeholder",
    "store",
]
