"""The application: routes, and what every response has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from .cors import Cors
from .failure import write_failure
from .pattern import PathPattern, segments_of
from .port import RawRequest
from .problem import AsProblem, Problem
from .request import Request, headers_of
from .respond import to_response
from .response import Response
from .typed import to_uuid

Handler = TypeVar("Handler", bound=Callable[..., Any])


class _Route(NamedTuple):
    method: str
    pattern: PathPattern
    handler: Callable[..., Any]
    takes_request: bool
    converters: dict[str, Callable[[str], object]]


class _Match(NamedTuple):
    route: _Route
    parameters: dict[str, str]


class App:
    """
    A REST API: handlers by method and path.

    It answers by itself: HEAD like GET without content, OPTIONS with `allow`, 405 for other methods of a known path, and 404. Paths with literal
    segments go before paths with parameters. A response without `cache-control` gets `no-store`.

    A handler takes the request, and the parameters of its path by their names, as `str`, `int`, `UUID` or an enumeration of texts: a value that
    is none leads to 404. Each is optional. A handler may raise: a `Problem` is the response; anything else is answered with 500, and the log
    has its message and its traceback.
    """

    def __init__(self) -> None:
        self._routes: list[_Route] = []
        self._cors: Cors | None = None

    def get(self, path: str) -> Callable[[Handler], Handler]:
        """Answers GET, and HEAD with the same headers."""
        return self.route("GET", path)

    def post(self, path: str) -> Callable[[Handler], Handler]:
        """Answers POST."""
        return self.route("POST", path)

    def put(self, path: str) -> Callable[[Handler], Handler]:
        """Answers PUT."""
        return self.route("PUT", path)

    def patch(self, path: str) -> Callable[[Handler], Handler]:
        """Answers PATCH."""
        return self.route("PATCH", path)

    def delete(self, path: str) -> Callable[[Handler], Handler]:
        """Answers DELETE."""
        return self.route("DELETE", path)

    def route(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Answers any method."""
        pattern = PathPattern(path)

        def add(handler: Handler) -> Handler:
            for route in self._routes:
                if route.method == method and route.pattern.is_same_resource(pattern):
                    other = "" if route.pattern.text == path else f": `{route.pattern.text}` is the same path"
                    raise ValueError(f"`{method} {path}` has two handlers{other}")
            self._routes.append(_to_route(method, pattern, handler))
            return handler

        return add

    def cors(
        self,
        origins: Literal["*"] | Iterable[str],
        *,
        credentials: bool = False,
        allow_headers: Iterable[str] = (),
        expose_headers: Iterable[str] = (),
    ) -> None:
        """
        Lets pages of other origins call the API: of those that are listed, such as `https://app.example`, or of any with `*`, whose pages
        authenticate with a header that their own code sets. `credentials` lets browsers send cookies; only for listed origins, because
        otherwise every page could act for its visitors. The other two are names of further request headers that pages may send, and of
        response headers that they may read.
        """
        self._cors = Cors(origins, credentials, allow_headers, expose_headers)

    def answer(self, raw: RawRequest) -> Response:
        """Answers one request; never raises, whatever the program does: `sys.exit` is an error like any other."""
        try:
            response = self._dispatch(raw)
            _check(response)
        except BaseException as error:
            response = _failure(error, raw)
        # A copy: a program may return one object in several responses.
        response = Response(b"" if raw.method == "HEAD" else response.body, response.status, response.headers)
        for name, value in (("cache-control", "no-store"), ("x-content-type-options", "nosniff")):
            if name not in response.headers:
                response.headers.set(name, value)
        if self._cors is not None:
            self._cors.allow(response.headers, headers_of(raw).get("origin"))
        return response

    def _dispatch(self, raw: RawRequest) -> Response:
        segments = segments_of(raw.path)
        if segments is None:
            raise Problem(400, "invalid-path", "the path is not percent-encoded UTF-8")
        matches = self._find(segments)
        methods = {match.route.method: match for match in reversed(matches)}
        match = methods.get(raw.method) or (methods.get("GET") if raw.method == "HEAD" else None)
        if match is None:
            return _without_handler(raw, matches, self._cors)
        route = match.route
        request = Request(raw, match.parameters)
        arguments = _arguments(route, match.parameters, raw)
        answer = route.handler(request, **arguments) if route.takes_request else route.handler(**arguments)
        if inspect.iscoroutine(answer):
            answer.close()
            raise TypeError(f"the handler of `{route.method} {route.pattern.text}` is `async`: calls return at once here, write `def`")
        if isinstance(answer, Exception):
            raise answer
        response = to_response(answer, request)
        if request.is_replayed and response.status < 400 and "idempotency-replayed" not in response.headers:
            response.headers.set("idempotency-replayed", "true")
        return response

    def _find(self, segments: list[str]) -> list[_Match]:
        """The routes that match a path most precisely, and differ by method."""
        best = ""
        found: list[_Match] = []
        for route in self._routes:
            match = route.pattern.match(segments)
            if match is None or match.precision < best:
                continue
            if match.precision > best:
                best, found = match.precision, []
            found.append(_Match(route, match.parameters))
        return found


def _to_route(method: str, pattern: PathPattern, handler: Callable[..., Any]) -> _Route:
    """Checks a handler's parameters, so that mistakes show when the program begins."""
    what = f"the handler of `{method} {pattern.text}`"
    if inspect.iscoroutinefunction(handler):
        raise TypeError(f"{what} is `async`: calls return at once here, write `def`")
    parameters = list(inspect.signature(handler).parameters.values())
    takes_request = bool(parameters) and parameters[0].name not in pattern.names
    if takes_request:
        parameters = parameters[1:]
    converters: dict[str, Callable[[str], object]] = {}
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            converters.update({name: str for name in pattern.names if name not in converters})
        elif parameter.name in pattern.names:
            converters[parameter.name] = _converter(_annotation(handler, parameter, what), what, parameter.name)
        elif parameter.default is parameter.empty:
            raise TypeError(f"{what} has a parameter `{parameter.name}` that the path does not have")
    return _Route(method, pattern, handler, takes_request, converters)


def _annotation(handler: Callable[..., Any], parameter: inspect.Parameter, what: str) -> Any:
    """The type of one parameter. The others may have annotations that are only there for type checkers."""
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return str
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, getattr(inspect.unwrap(handler), "__globals__", {}))
    except NameError as error:
        raise TypeError(f"{what} has an annotation of `{parameter.name}` that is not known: {error}") from error


def _converter(type_: Any, what: str, name: str) -> Callable[[str], object]:
    if type_ is int:
        return _whole
    if type_ is UUID:
        return to_uuid
    if type_ is str or isinstance(type_, type) and issubclass(type_, Enum):
        return type_
    raise TypeError(f"{what} takes `{name}` as `{type_}`: a path has `str`, `int`, `UUID` and enumerations")


def _whole(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        raise ValueError("not a whole number")
    return int(text)


def _arguments(route: _Route, parameters: dict[str, str], raw: RawRequest) -> dict[str, object]:
    arguments = {}
    for name, convert in route.converters.items():
        try:
            arguments[name] = convert(parameters[name])
        except ValueError:
            raise Problem.not_found(f"there is nothing at `{raw.path}`") from None
    return arguments


def _without_handler(raw: RawRequest, matches: list[_Match], cors: Cors | None) -> Response:
    if not matches:
        raise Problem.not_found(f"there is nothing at `{raw.path}`")
    methods: list[str] = []
    for match in matches:
        methods += ["GET", "HEAD"] if match.route.method == "GET" else [match.route.method]
    allow = ", ".join([*methods, "OPTIONS"])
    if raw.method == "OPTIONS":
        response = Response(status=204, headers={"allow": allow})
        if cors is not None:
            cors.preflight(response.headers, headers_of(raw), allow)
        return response
    raise Problem(405, "method-not-allowed", f"this resource does not know `{raw.method}`", headers={"allow": allow})


_CONNECTION_FIELDS = ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
"""Fields that belong to the connection (RFC 9110, 7.6.1): a host answers 500 in the place of a response with one of them."""


def _check(response: Response) -> None:
    """Raises for what a host would refuse, while the log can still say where it comes from."""
    if not isinstance(response.status, int) or not 200 <= response.status <= 599:
        raise ValueError(f"a response has a status from 200 to 599, not {response.status}")
    for name in _CONNECTION_FIELDS:
        if name in response.headers:
            raise ValueError(f"a response may not have the header field `{name}`")


def _failure(error: BaseException, raw: RawRequest) -> Response:
    """The response to what a handler raised. What is not the client's mistake is logged."""
    try:
        problem = error.to_problem() if isinstance(error, AsProblem) else error
        if not isinstance(problem, Problem):
            problem = Problem.internal(error)
        if problem.status >= 500:
            write_failure(problem.cause or problem.__cause__ or problem, raw.method, raw.path)
        response = problem.to_response(raw.request_id)
        _check(response)
        return response
    except Exception as second:  # a problem with members that JSON does not have, or a status that HTTP does not have, for example
        write_failure(second, raw.method, raw.path)
        return Problem.internal(second).to_response(raw.request_id)
