"""A notes API: create, read and list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from tenon import App, Created, Item, Length, Page, Partition, Problem, Request, log, store

TEXT_CHARACTERS_MAX = 1000


@dataclass
class Draft:
    """What a client sends."""

    text: Annotated[str, Length(1, TEXT_CHARACTERS_MAX)]


@dataclass
class Note:
    """What is stored, and what a client gets."""

    id: str
    text: str
    created_at: datetime


notes = Partition("notes", Note)
"""All notes, in the order of their ids, which is the order of their creation."""

app = App()


@app.get("/notes")
def list_notes(request: Request) -> Page[Note]:
    return store.query(notes, request.pagination()).values()


@app.post("/notes")
def create(request: Request) -> Created:
    draft = request.json(Draft)
    note = Note(id=str(request.uuid()), text=draft.text, created_at=request.now)
    created = store.put(notes.key(note.id), note, when="absent")
    log.info("note created", id=note.id)
    return Created("notes", note.id, content=created)


@app.get("/notes/{id}")
def read(id: str) -> Item[Note]:
    note = store.get(notes.key(id))
    if note is None:
        raise Problem.not_found(f"there is no note `{id}`")
    return note
