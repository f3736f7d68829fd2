"""Secrets that the guest uses without seeing them; see `wit/secrets.wit`. A component imports the interface if its program uses this module."""

from __future__ import annotations

from typing import Literal

from .port import Algorithm, call
from .problem import AsProblem, Problem


class SecretError(AsProblem):
    """
    Why a secret could not be used. `unknown`: not declared; `not-granted`: not for this use; `unavailable`: trying again later may help.
    """

    def __init__(self, code: Literal["unknown", "not-granted", "unavailable"], detail: str) -> None:
        super().__init__(detail)
        self.code = code

    def to_problem(self) -> Problem:
        """503 if it may be there later, otherwise 500."""
        if self.code != "unavailable":
            return Problem.internal(self)
        return Problem(503, "unavailable", "a secret cannot be had now", headers={"retry-after": "1"}, cause=self)


def sign(name: str, algorithm: Algorithm, message: bytes | str) -> bytes:
    """The HMAC of a message, whole: 20, 32 or 64 bytes. The name is that in section `[secrets]` of tenon.toml."""
    content = _content(message)
    return call("a secret", lambda host: host.sign(name, algorithm, content), _to_error)


def verify(name: str, algorithm: Algorithm, message: bytes | str, tag: bytes) -> bool:
    """Whether a tag is the HMAC of a message. Compares in constant time."""
    content = _content(message)
    return call("a secret", lambda host: host.verify(name, algorithm, content, tag), _to_error)


def reveal(name: str) -> bytes:
    """The value itself. Who can sign, verify or write a placeholder instead does not need it."""
    return call("a secret", lambda host: host.reveal(name), _to_error)


def _content(message: bytes | str) -> bytes:
    return message.encode() if isinstance(message, str) else message


def _to_error(case: str, value: object) -> SecretError:
    return SecretError(case, str(value))  # type: ignore[arg-type]
