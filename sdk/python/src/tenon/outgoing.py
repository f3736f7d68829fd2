"""Requests to other services; see `wit/outgoing.wit`. A component imports the interface if its program uses this module."""

from __future__ import annotations

from typing import Any, Literal

from .port import Message, call
from .problem import AsProblem, Problem
from .response import Headers, HeaderSource, content_of
from .typed import parse_json

FetchErrorCode = Literal["invalid-request", "not-granted", "unreachable", "outcome-unknown", "response-too-large"]


class FetchError(AsProblem):
    """
    Why there is no response. With the code `unreachable`, nothing was sent; with `outcome-unknown`, whether the service acted is unknown.
    """

    def __init__(self, code: FetchErrorCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code

    def to_problem(self) -> Problem:
        """The same as the other SDKs answer: 500 if the program is at fault, 503 if trying again repeats nothing, otherwise 502."""
        if self.code == "unreachable":
            detail = "a service that this API needs cannot be reached"
            return Problem(503, "service-unreachable", detail, headers={"retry-after": "1"}, cause=self)
        if self.code == "outcome-unknown":
            detail = "a service that this API needs did not answer; it may or may not have acted"
            return Problem(502, "service-outcome-unknown", detail, cause=self)
        if self.code == "response-too-large":
            detail = "a service that this API needs gave a response that is of no use"
            return Problem(502, "service-response", detail, cause=self)
        return Problem.internal(self)


class FetchResponse:
    """The response of another service."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def is_ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status <= 299

    def text(self) -> str:
        """The content as UTF-8, with U+FFFD for what is none."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The content as JSON; raises `ValueError` if it is none."""
        return parse_json(self.body.decode())


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: HeaderSource = None,
    body: bytes | str = b"",
    json: object = None,
    timeout_ms: int | None = None,
) -> FetchResponse:
    """
    Sends a request to a service that the guest is granted (`outgoing` in tenon.toml), and waits for its whole response; ten seconds unless
    `timeout_ms` says otherwise. `json` is a value as JSON content. Raises a `FetchError`. The host follows no redirects and decodes no content
    coding.
    """
    fields = Headers(headers)
    content = content_of(fields, body, json)
    message = Message(method, url.partition("#")[0], list(fields), content, timeout_ms)
    reply = call("another service", lambda host: host.send(message), _to_error)
    return FetchResponse(reply.status, Headers(reply.headers), reply.body)


def _to_error(case: str, value: object) -> FetchError:
    return FetchError(case, "" if value is None else str(value))  # type: ignore[arg-type]
