"""Lists in pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from .key import Item

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Page(Generic[T]):
    """
    One page of a list. As a response it is `{"items": [...], "next": "..."}`, where `next` is the cursor of the next page, and the header
    `link` refers to that page; the last page has neither.
    """

    items: list[T]
    cursor: str | None = None
    """Where the next page begins; `None` if this is the last one."""

    def map(self, convert: Callable[[T], U]) -> Page[U]:
        """The same page of other items."""
        return Page([convert(item) for item in self.items], self.cursor)


@dataclass(frozen=True)
class ItemPage(Page[Item[T]]):
    """A page of items of the store."""

    def values(self) -> Page[T]:
        """The page of their values."""
        return self.map(lambda item: item.value)
