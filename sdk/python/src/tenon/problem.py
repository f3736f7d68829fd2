"""Problem documents (RFC 9457), the one form of errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from .response import Response


class Violation(NamedTuple):
    """A rule that the content breaks, and the JSON pointer (RFC 6901) to the place."""

    pointer: str
    detail: str


class Problem(Exception):
    """
    An error for the client. A handler raises it.

    `code` is for programs and `detail` for people. `cause` is for the operator's log; the client does not see it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Violation] = (),
        headers: Mapping[str, str] | None = None,
        type: str = "about:blank",
        title: str | None = None,
        instance: str | None = None,
        members: Mapping[str, object] | None = None,
        cause: BaseException | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.type = type
        self.title = title
        self.instance = instance
        self.members = dict(members or {})
        self.cause = cause

    @classmethod
    def bad_request(cls, detail: str) -> Problem:
        """400: the request makes no sense."""
        return cls(400, "bad-request", detail)

    @classmethod
    def unauthorized(cls, detail: str) -> Problem:
        """401: nobody has said who the caller is."""
        return cls(401, "unauthorized", detail, headers={"www-authenticate": "Bearer"})

    @classmethod
    def forbidden(cls, detail: str) -> Problem:
        """403: the caller may not do this."""
        return cls(403, "forbidden", detail)

    @classmethod
    def not_found(cls, detail: str) -> Problem:
        """404: there is no such thing."""
        return cls(404, "not-found", detail)

    @classmethod
    def conflict(cls, detail: str) -> Problem:
        """409: the state of the resource does not allow this."""
        return cls(409, "conflict", detail)

    @classmethod
    def invalid_content(cls, errors: Sequence[Violation]) -> Problem:
        """422: valid JSON that breaks rules."""
        return cls(422, "invalid-content", "the content breaks the rules listed in `errors`", errors=errors)

    @classmethod
    def internal(cls, cause: BaseException | None) -> Problem:
        """500: the service is at fault. The client does not see why; the log does."""
        return cls(500, "internal", "the service is at fault; its operator's log says more", cause=cause)

    def to_response(self, request_id: str) -> Response:
        """The document of a request's problem."""
        document: dict[str, object] = {"code": self.code, "detail": self.detail}
        if self.errors:
            document["errors"] = [{"detail": detail, "pointer": pointer} for pointer, detail in self.errors]
        if self.instance is not None:
            document["instance"] = self.instance
        document["request_id"] = request_id
        document["status"] = self.status
        document["title"] = self.title or _phrase(self.status)
        document["type"] = self.type
        document.update(self.members)
        response = Response.json(document, self.status, {"content-type": "application/problem+json", "cache-control": "no-store"})
        for name, value in self.headers.items():
            response.headers.set(name, value)
        return response


class AsProblem(Exception):
    """An error that knows what the client reads."""

    def to_problem(self) -> Problem:
        """What the client reads."""
        raise NotImplementedError


_NEWER_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""Those of RFC 9110 that older versions of Python have otherwise."""


def _phrase(status: int) -> str:
    try:
        return _NEWER_PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Bad Request" if status < 500 else "Internal Server Error"
