"""
The host of a component: the imports of `wit/`, as componentize-py binds them. The build writes a module that calls `handler`; nothing else
imports this one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from . import failure, log, port
from .app import App
from .port import (
    Algorithm,
    Consistency,
    HostError,
    Level,
    Lost,
    Message,
    Operation,
    Precondition,
    Put,
    Query,
    RawIdentity,
    RawItem,
    RawKey,
    RawPage,
    RawRequest,
    Reply,
)

T = TypeVar("T")


def handler(app: App, roots: list[str]) -> type:
    """The class that componentize-py exports as interface `handler`."""
    host = ComponentHost()
    raw_http = import_module("wit_world.imports.http")
    failure.ROOTS.extend(roots)
    log.install()
    _keep_random_numbers()

    class Handler:
        """Answers one request, in an instance of its own."""

        def handle(self, request: Any) -> Any:
            """The export."""
            port.enter(host)
            _begin(host, request.context.request_id)
            response = app.answer(_request(request))
            headers = [raw_http.Field(name, port.well_formed(value)) for name, value in response.headers]
            return raw_http.Response(response.status, headers, response.body)

    return Handler


_seed = random.seed


def _keep_random_numbers() -> None:
    """
    Lets `random.seed` do nothing until the request: componentize-py calls it before, which draws 2,496 bytes, and the numbers after those would
    not be the ones that the other SDKs draw from the same seed.
    """

    def seed(*arguments: object, **options: object) -> None:
        return None

    random.seed = seed
    _seed(1)
    os.environ.clear()


def _begin(host: ComponentHost, request_id: str) -> None:
    """
    Gives parts of the standard library what they took from the machine that built the component. `random` follows from the request's id, so that
    the host's random numbers stay those that the other SDKs draw; `secrets` and `uuid` ask the host.
    """
    random.seed = _seed
    # As a number: from a text, `seed` makes a hash, which takes longer than the rest.
    _seed(int.from_bytes(request_id.encode(), "big"))
    variables = host.environment()
    if variables:
        os.environ.update(variables)


def _request(request: Any) -> RawRequest:
    context = request.context
    identity = context.identity
    return RawRequest(
        request.method,
        request.path,
        request.query,
        request.headers,
        request.body,
        context.request_id,
        context.received_at_ms,
        context.scheme.name.lower(),
        context.authority,
        context.client_address,
        context.base_path,
        context.path_fidelity.name == "DECODED_BY_GATEWAY",
        None if identity is None else RawIdentity(identity.subject, identity.claims),
    )


class ComponentHost:
    """The calls of a component."""

    def __init__(self) -> None:
        self._error = import_module("componentize_py_types").Err
        self._storage = import_module("wit_world.imports.storage")
        self._log = import_module("wit_world.imports.log")
        self._random = import_module("wit_world.imports.random")
        self._environment = import_module("wit_world.imports.environment")
        self._outgoing = _optional("outgoing")
        self._secrets = _optional("secrets")

    def get(self, key: RawKey, consistency: Consistency) -> RawItem | None:
        """See `wit/storage.wit`, as for the others."""
        with self._errors():
            return _item(self._storage.get(self._key(key), self._consistency(consistency)))

    def get_many(self, keys: list[RawKey], consistency: Consistency) -> list[RawItem | None]:
        """See `wit/storage.wit`."""
        with self._errors():
            found = self._storage.get_many([self._key(key) for key in keys], self._consistency(consistency))
            return [_item(item) for item in found]

    def put(self, put: Put) -> str | Lost:
        """See `wit/storage.wit`."""
        with self._errors():
            outcome = self._storage.put(self._key(put.key), put.document, self._put_options(put))
        return Lost(_item(outcome.value)) if isinstance(outcome, self._storage.PutOutcome_PreconditionFailed) else outcome.value

    def delete(self, key: RawKey, precondition: Precondition) -> Lost | None:
        """See `wit/storage.wit`."""
        with self._errors():
            outcome = self._storage.delete(self._key(key), self._precondition(precondition))
        return Lost(_item(outcome.value)) if isinstance(outcome, self._storage.DeleteOutcome_PreconditionFailed) else None

    def query(self, query: Query) -> RawPage:
        """See `wit/storage.wit`."""
        direction = self._storage.Direction[query.direction.upper()]
        options = self._storage.QueryOptions(self._range(query.range), direction, query.limit, query.cursor)
        with self._errors():
            if query.is_index:
                page = self._storage.query_index(query.partition, options)
            else:
                page = self._storage.query(query.partition, self._consistency(query.consistency), options)
        return RawPage([(_key(entry.key), _present(entry.item)) for entry in page.entries], page.cursor)

    def transact(self, operations: list[Operation], token: str | None) -> list[str | None] | Lost:
        """See `wit/storage.wit`."""
        with self._errors():
            outcome = self._storage.transact([self._operation(operation) for operation in operations], token)
        value: Any = outcome.value
        if isinstance(outcome, self._storage.TransactOutcome_PreconditionFailed):
            return Lost(_item(value.item), value.position)
        return value  # type: ignore[no-any-return]

    def log(self, level: Level, message: str, attributes: list[tuple[str, str]]) -> None:
        """See `wit/log.wit`."""
        fields = [self._log.Attribute(key, value) for key, value in attributes]
        self._log.write(self._log.Level[level.upper()], message, fields)

    def send(self, message: Message) -> Reply:
        """See `wit/outgoing.wit`."""
        outgoing = _needed(self._outgoing, "tenon.outgoing")
        field = import_module("wit_world.imports.http").Field
        headers = [field(name, value) for name, value in message.headers]
        request = outgoing.Request(message.method, message.url, headers, message.body, message.timeout_ms)
        with self._errors():
            response = outgoing.send(request)
        return Reply(response.status, [(header.name, header.value) for header in response.headers], response.body)

    def sign(self, name: str, algorithm: Algorithm, message: bytes) -> bytes:
        """See `wit/secrets.wit`."""
        secrets = _needed(self._secrets, "tenon.secret")
        with self._errors():
            return bytes(secrets.sign(name, secrets.Algorithm[algorithm.upper()], message))

    def verify(self, name: str, algorithm: Algorithm, message: bytes, tag: bytes) -> bool:
        """See `wit/secrets.wit`."""
        secrets = _needed(self._secrets, "tenon.secret")
        with self._errors():
            return bool(secrets.verify(name, secrets.Algorithm[algorithm.upper()], message, tag))

    def reveal(self, name: str) -> bytes:
        """See `wit/secrets.wit`."""
        secrets = _needed(self._secrets, "tenon.secret")
        with self._errors():
            return bytes(secrets.reveal(name))

    def random_bytes(self, length: int) -> bytes:
        """Random bytes of the request."""
        return bytes(self._random.get_random_bytes(length))

    def environment(self) -> dict[str, str]:
        """The variables of the guest."""
        return dict(self._environment.get_environment())

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raises what the interface declares as its error as this package's."""
        try:
            yield
        except self._error as error:
            variant = error.value
            raise HostError(_case(type(variant).__name__), getattr(variant, "value", None)) from None

    def _key(self, key: RawKey) -> Any:
        return self._storage.Key(key.partition, key.sort)

    def _consistency(self, consistency: Consistency) -> Any:
        return self._storage.Consistency[consistency.upper()]

    def _precondition(self, precondition: Precondition) -> Any:
        storage = self._storage
        if precondition.kind == "revision":
            return storage.Precondition_Revision(precondition.revision)
        kinds = {"none": "Precondition_None_", "absent": "Precondition_Absent", "present": "Precondition_Present"}
        return getattr(storage, kinds[precondition.kind])()

    def _put_options(self, put: Put) -> Any:
        index = None if put.secondary is None else self._key(put.secondary)
        return self._storage.PutOptions(self._precondition(put.precondition), index, put.expires_at)

    def _range(self, range_: port.Range) -> Any:
        storage = self._storage
        if range_.kind == "all":
            return storage.SortRange_All()
        if range_.kind == "between":
            return storage.SortRange_Between((range_.first, range_.second))
        kinds = {"prefix": storage.SortRange_Prefix, "at-least": storage.SortRange_AtLeast, "at-most": storage.SortRange_AtMost}
        return kinds[range_.kind](range_.first)

    def _operation(self, operation: Operation) -> Any:
        storage = self._storage
        if isinstance(operation, Put):
            put = storage.PutOperation(self._key(operation.key), operation.document, self._put_options(operation))
            return storage.Operation_Put(put)
        change = storage.KeyedPrecondition(self._key(operation.key), self._precondition(operation.precondition))
        make: Callable[[Any], Any] = storage.Operation_Check if operation.kind == "check" else storage.Operation_Delete
        return make(change)


def _optional(name: str) -> Any:
    try:
        return import_module(f"wit_world.imports.{name}")
    except ModuleNotFoundError:
        return None


def _needed(interface: Any, module: str) -> Any:
    if interface is None:
        raise port.NoHostError(f"`{module}` was not imported when the component was built: import it at the top of a module")
    return interface


def _case(name: str) -> str:
    """The case of a variant, such as `too-large` of a class `Error_TooLarge`."""
    words = name.partition("_")[2]
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in words).lstrip("-")


def _key(key: Any) -> RawKey:
    return RawKey(key.partition, key.sort)


def _present(item: Any) -> RawItem:
    return RawItem(item.document, item.revision, None if item.index is None else _key(item.index), item.expires_at)


def _item(item: Any) -> RawItem | None:
    return None if item is None else _present(item)
