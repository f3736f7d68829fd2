"""Why a call to the store has no result, and what the client reads then."""

from __future__ import annotations

from typing import Literal

from ..problem import AsProblem, Problem

StorageErrorCode = Literal[
    "invalid", "too-large", "throttled", "unavailable", "conflict", "outcome-unknown", "misconfigured", "internal"
]


class StorageError(AsProblem):
    """A call without a result; see `error` in `wit/storage.wit`."""

    def __init__(self, code: StorageErrorCode, detail: str = "", retry_after_ms: int | None = None) -> None:
        super().__init__(detail or code)
        self.code = code
        self.retry_after_ms = retry_after_ms

    def to_problem(self) -> Problem:
        """What the client reads."""
        if self.code == "too-large":
            return Problem(413, "content-too-large", f"a limit of the store is exceeded: {self}")
        if self.code == "throttled":
            return self._later("the store asks to slow down; nothing was written", self.retry_after_ms)
        if self.code == "unavailable":
            return self._later("the store cannot be reached; nothing was written")
        if self.code == "outcome-unknown":
            return self._later("the write ran out of time and may or may not have happened")
        return interference() if self.code == "conflict" else Problem.internal(self)

    def _later(self, detail: str, ms: int | None = None) -> Problem:
        seconds = max(1, -(-(1000 if ms is None else ms) // 1000))
        return Problem(503, self.code, detail, headers={"retry-after": str(seconds)}, cause=self)


class ConditionError(AsProblem):
    """
    A write that did not happen, because its condition did not hold. `revision` is that of what is there instead, `None` if there is nothing;
    `position` that of the operation in a transaction, from 0.
    """

    def __init__(
        self, sort: str, condition: str, revision: str | None, position: int | None = None, *, is_of_client: bool = False
    ) -> None:
        there = f"there is no `{sort}`" if revision is None else f"there is a `{sort}` with another state"
        super().__init__(there)
        self.sort = sort
        self.condition = condition
        self.revision = revision
        self.position = position
        self._is_of_client = is_of_client

    def to_problem(self) -> Problem:
        """
        404 if something should have been there, 409 if nothing should have been or it has changed, 412 if the client named the state. The client
        does not read the sort key, which may be of an item that it does not know of.
        """
        if self._is_of_client:
            found = "there is no item" if self.revision is None else "the item has another state"
            return Problem(412, "precondition-failed", f"the condition of the request does not hold: {found}")
        if self.condition == "absent":
            return Problem.conflict("what the request creates is there already")
        if self.revision is not None:
            return interference()
        detail = "what the request changes is not there"
        return Problem.not_found(detail) if self.position is None else Problem.conflict(detail)


def interference() -> Problem:
    """Other requests kept changing what this request wanted to change."""
    detail = "other requests kept interfering; nothing was written"
    return Problem(409, "conflict", detail, headers={"retry-after": "1"})


def to_error(case: str, value: object) -> StorageError:
    """The error of a case of the interface."""
    if case == "throttled":
        return StorageError("throttled", "", value if isinstance(value, int) else None)
    return StorageError(case, str(value) if value is not None else "")  # type: ignore[arg-type]
