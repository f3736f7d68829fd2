"""CORS (WHATWG Fetch): which pages may call the API, and what their browsers may read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from .response import Headers

_MAX_AGE_SECONDS = "7200"
"""Browsers keep the response to a preflight request for two hours at most."""
_ALLOWED_HEADERS = ("accept", "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "x-api-key")
_EXPOSED_HEADERS = ("accept-patch", "allow", "content-location", "etag", "idempotency-replayed", "link", "location", "retry-after")


class Cors:
    """See `App.cors`."""

    def __init__(
        self,
        origins: Literal["*"] | Iterable[str],
        is_with_credentials: bool,
        allow_headers: Iterable[str],
        expose_headers: Iterable[str],
    ) -> None:
        if isinstance(origins, str):
            if origins != "*":
                raise TypeError(f'`origins` is "*" or a list: write `["{origins}"]`')
            if is_with_credentials:
                raise ValueError("browsers send credentials to listed origins only: list them in `origins`")
        self._origins = None if isinstance(origins, str) else frozenset(origins)
        if self._origins is not None and "*" in self._origins:
            raise ValueError('`origins` lists "*", which is no origin: for any origin, write `origins="*"`')
        self._is_with_credentials = is_with_credentials
        self._allowed = _names(_ALLOWED_HEADERS, allow_headers)
        self._exposed = _names(_EXPOSED_HEADERS, expose_headers)

    def allow(self, headers: Headers, origin: str | None) -> None:
        """Adds the fields of every response."""
        if self._origins is not None:
            # A cache must not give the response for one origin to another.
            headers.add("vary", "origin")
            if origin is None or origin not in self._origins:
                return
        headers.set("access-control-allow-origin", "*" if self._origins is None else origin or "")
        headers.set("access-control-expose-headers", self._exposed)
        if self._is_with_credentials:
            headers.set("access-control-allow-credentials", "true")

    def preflight(self, headers: Headers, request: Headers, methods: str) -> None:
        """Adds the fields of a response to a preflight request, if it is one."""
        if "origin" in request and "access-control-request-method" in request:
            headers.set("access-control-allow-methods", methods)
            headers.set("access-control-allow-headers", self._allowed)
            headers.set("access-control-max-age", _MAX_AGE_SECONDS)


def _names(own: tuple[str, ...], further: Iterable[str]) -> str:
    """The list of a field. Raises for what is not the name of a header field, when the program begins."""
    if isinstance(further, str):
        raise TypeError(f'names of header fields are a list: write `["{further}"]`')
    return ", ".join([*own, *(name for name, _ in Headers((name, "") for name in further))])
