"""Calls an application in Python, with a store in memory that has the rules of the hosts. Works with `unittest` and with pytest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from .. import log, port
from ..app import App
from ..outgoing import FetchErrorCode
from ..port import HostError, Message, RawIdentity, RawRequest, Reply
from ..response import Headers, HeaderSource, Response, content_of
from ..store import StorageErrorCode
from ..typed import dump_json, parse_json
from .host import LogLine, TestHost

__all__ = ["LogLine", "OutgoingRequest", "TestClient", "TestResponse"]

T = TypeVar("T")

OutgoingRequest = Message
"""A request to another service, as a test sees it."""

_START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class TestResponse:
    """The application's response."""

    __test__ = False  # for pytest

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.body

    def text(self) -> str:
        """The content as UTF-8."""
        return self.body.decode()

    def json(self) -> Any:
        """The content as JSON."""
        return parse_json(self.text())

    def __repr__(self) -> str:
        return f"TestResponse(status={self.status}, body={self.body[:200]!r})"


class TestClient:
    """
    A client of an application. Its store and its log outlive requests; its clock stands still until the test moves it. Two clients that are
    used in the same way get the same responses.
    """

    __test__ = False  # for pytest

    def __init__(self, app: App) -> None:
        if not isinstance(app, App):
            raise TypeError(f"an `App` is tested, not a `{type(app).__qualname__}`")
        self._app = app
        self._host = TestHost()
        self._now = _START
        self._requests = 0
        self.lines: list[LogLine] = self._host.lines
        """All lines that were logged."""
        self.calls: list[str] = self._host.calls
        """The names of the storage calls."""
        log.install()

    def get(self, target: str, **options: Any) -> TestResponse:
        """GET; the options are those of `request`."""
        return self.request("GET", target, **options)

    def post(self, target: str, **options: Any) -> TestResponse:
        """POST; the options are those of `request`."""
        return self.request("POST", target, **options)

    def put(self, target: str, **options: Any) -> TestResponse:
        """PUT; the options are those of `request`."""
        return self.request("PUT", target, **options)

    def patch(self, target: str, **options: Any) -> TestResponse:
        """PATCH; the options are those of `request`."""
        return self.request("PATCH", target, **options)

    def delete(self, target: str, **options: Any) -> TestResponse:
        """DELETE; the options are those of `request`."""
        return self.request("DELETE", target, **options)

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: HeaderSource = None,
        body: bytes | str = b"",
        json: Any = None,
        subject: str | None = None,
        claims: Mapping[str, Any] | None = None,
        base_path: str = "",
        client_address: str = "192.0.2.1",
    ) -> TestResponse:
        """
        The application's response. `json` is a value as JSON content; with `subject` or `claims`, an authorizer has named the caller; `base_path`
        precedes the path in the client's URL.
        """
        path, _, query = target.partition("?")
        fields = Headers(headers)
        content = content_of(fields, body, json)
        identity = None if subject is None and claims is None else RawIdentity(subject, dump_json(dict(claims or {})))
        raw = RawRequest(
            method=method,
            path=path,
            query=query,
            headers="".join(f"{name}: {value}\n" for name, value in fields),
            body=content,
            request_id=self._begin(),
            received_at_ms=round(self._now.timestamp() * 1000),
            scheme="https",
            authority="api.example",
            client_address=client_address,
            base_path=base_path,
            is_path_decoded=False,
            identity=identity,
        )
        with port.during(self._host):
            return TestResponse(self._app.answer(raw))

    def run(self, work: Callable[[], T]) -> T:
        """Runs work that uses the application's store, log or secrets as in a handler."""
        self._begin()
        with port.during(self._host):
            return work()

    def set_time(self, time: datetime) -> None:
        """The time of the requests from now on."""
        if time.tzinfo is None:
            raise ValueError("the time has no time zone")
        self._now = time

    def advance(self, time: timedelta) -> None:
        """Moves the time forward."""
        self._now += time

    def fail_storage(self, code: StorageErrorCode, detail: str = "a test lets it fail") -> None:
        """Lets the next storage call fail; called again, the one after it."""
        self._host.failures.append(HostError(code, None if code == "throttled" else detail))

    def set_environment(self, name: str, value: str) -> None:
        """Sets a variable of the guest."""
        self._host.variables[name] = value

    def set_secret(self, name: str, value: bytes | str) -> None:
        """Gives the application a secret, for every use. Requests to other services keep their placeholders."""
        self._host.secrets[name] = value.encode() if isinstance(value, str) else value

    def answer_outgoing(self, answer: Callable[[OutgoingRequest], Response | FetchErrorCode]) -> None:
        """Answers requests to other services from now on; a code in the place of a response is that of the `FetchError`."""

        def send(message: Message) -> Reply:
            response = answer(message)
            if isinstance(response, str):
                raise HostError(response, "a test answers so")
            return Reply(response.status, list(response.headers), response.body)

        self._host.answer = send

    def _begin(self) -> str:
        """A new seed; returns the id of the request."""
        self._requests += 1
        now_ms = round(self._now.timestamp() * 1000)
        return str(self._host.store.ask("begin", {"nowMs": now_ms, "seed": f"{self._requests:064x}"}))


