"""Everything that a handler can return as a response."""

from __future__ import annotations

import re
from typing import Any, Union
from urllib.parse import quote

from .request import Request
from .response import Response
from .store.key import Item
from .store.page import Page

Answer = Union[Response, "Created", Item[Any], Page[Any], str, dict[str, Any], list[Any], object]
"""
What a handler can return: a `Response` as it is; an `Item` as JSON with its entity tag, or 304; a `Page` as a list; a text as plain text;
`None` as 204; anything else as JSON.
"""

_CACHE_CONTROL = "private, no-cache"
"""Only the client may keep it, and must revalidate it before each use, which is what entity tags are for."""


class Created:
    """
    201 with the new resource's path in `location` and `content-location`, and what it is now as content. The segments are percent-encoded and
    preceded by the API's base path.
    """

    def __init__(self, *segments: object, content: Answer) -> None:
        self.segments = [str(segment) for segment in segments]
        self.content = content


def to_response(answer: Answer, request: Request) -> Response:
    """The response to a request."""
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Created):
        location = request.reference(*answer.segments)
        inner = to_response(answer.content, request)
        response = Response(inner.body, 201, inner.headers)
        response.headers.set("location", location)
        response.headers.set("content-location", location)
        return response
    if isinstance(answer, Item):
        return _item(answer, request)
    if isinstance(answer, Page):
        return _page(answer, request)
    if answer is None:
        return Response(status=204)
    return Response(answer) if isinstance(answer, str) else Response.json(answer)


def _item(item: Item[Any], request: Request) -> Response:
    is_read = request.method in ("GET", "HEAD")
    is_known = is_read and _matches(request.headers.get("if-none-match"), item.revision)
    response = Response(status=304) if is_known else Response.json(item.value)
    response.headers.set("etag", f'"{item.revision}"')
    response.headers.set("cache-control", _CACHE_CONTROL)
    return response


def _matches(field: str | None, revision: str) -> bool:
    """Whether a list of entity tags has this one, by weak comparison (RFC 9110, 8.8.3.2)."""
    return any(tag in ("*", f'"{revision}"') for tag in re.findall(r'\*|"[^"]*"', field or ""))


def _page(page: Page[Any], request: Request) -> Response:
    items = [item.value if isinstance(item, Item) else item for item in page.items]
    if page.cursor is None:
        return Response.json({"items": items})
    response = Response.json({"items": items, "next": page.cursor})
    pairs = [(name, value) for name, value in request.query.pairs if name != "cursor"] + [("cursor", page.cursor)]
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    target = f"{request.base_path}{request.path}".replace("<", "%3C").replace(">", "%3E")
    response.headers.set("link", f'<{target}?{query}>; rel="next"')
    return response
