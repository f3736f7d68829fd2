"""Content as values of types, and back."""

from __future__ import annotations

import enum
import unittest
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID

from tenon import App, Length, Pattern, Problem, Range, Request
from tenon.testing import TestClient
from tenon.typed import dump_json, read


class Kind(enum.Enum):
    SINGLE = "single"
    DOUBLE = "double"


class Extra(TypedDict):
    note: str
    level: NotRequired[int]


@dataclass
class Room:
    name: Annotated[str, Length(1, 3)]
    beds: Annotated[int, Range(min=1)]
    kind: Kind
    tags: Annotated[list[str], Length(max=2)] = field(default_factory=list)
    code: Annotated[str, Pattern("[a-z]+")] | None = None
    size: Literal["s", "m"] = "s"
    extra: Extra | None = None
    price: float = 0
    prices: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind is Kind.DOUBLE and self.beds < 2:
            raise ValueError("a double room has two beds")


@dataclass
class Tree:
    children: list[Tree]


app = App()


@app.post("/rooms")
def create(request: Request) -> Room:
    return request.json(Room)


ROOM: dict[str, Any] = {"name": "😀😀😀", "beds": 2, "kind": "double"}


class Content(unittest.TestCase):
    def test_valid_content_becomes_values(self) -> None:
        accepted = TestClient(app).post("/rooms", json={**ROOM, "extra": {"note": "x"}, "price": 1, "beds": 2.0})
        expected = {**ROOM, "tags": [], "code": None, "size": "s", "extra": {"note": "x"}, "price": 1.0, "prices": {}}
        self.assertEqual((accepted.status, accepted.json()), (200, expected))

    def test_broken_rules_have_their_places(self) -> None:
        client = TestClient(app)
        for content, errors in [
            ({**ROOM, "name": ""}, ["/name must have 1 to 3 characters"]),
            ({**ROOM, "beds": 0.5, "a/b": 1}, ["/beds must be a whole number", "/a~1b is not known"]),
            ({**ROOM, "beds": 0, "kind": "x"}, ["/beds must be at least 1", "/kind must be one of `single`, `double`"]),
            ({**ROOM, "beds": True}, ["/beds must be a whole number"]),
            ({**ROOM, "tags": ["a", 1]}, ["/tags/1 must be a string"]),
            ({**ROOM, "tags": ["a", "b", "c"]}, ["/tags must have at most 2 elements"]),
            ({**ROOM, "code": "A"}, ["/code must match `[a-z]+`"]),
            ({**ROOM, "code": 1}, ["/code must be a string or must be `null`"]),
            ({**ROOM, "extra": {}}, ["/extra `note` is missing"]),
            ({**ROOM, "prices": {"a": "b"}}, ["/prices/a must be a number"]),
            ({**ROOM, "beds": 1}, [" a double room has two beds"]),
            ({"name": "a", "beds": 1}, [" `kind` is missing"]),
            ([], [" must be an object"]),
        ]:
            refused = client.post("/rooms", json=content)
            self.assertEqual(refused.status, 422, content)
            self.assertEqual([f"{one['pointer']} {one['detail']}" for one in refused.json()["errors"]], errors)

    def test_content_has_to_be_json(self) -> None:
        client = TestClient(app)
        headers = {"content-type": "application/json; charset=utf-8"}
        for body in [b"{", b'"\xff"', b"", b"NaN", b"1e400", b"-1e400", b"[" * 100_000]:
            refused = client.post("/rooms", body=body, headers=headers)
            self.assertEqual((refused.status, refused.json()["code"]), (400, "invalid-json"), body[:20])
        self.assertEqual(client.post("/rooms", body="{}").status, 415)
        self.assertEqual(client.post("/rooms", body="{}", headers={"content-type": "application/ld+json"}).status, 422)

    def test_no_content_is_an_error_of_the_service(self) -> None:
        echo = App()

        @echo.post("/any")
        def any_(request: Request) -> Any:
            return request.json(object)

        @echo.post("/numbers")
        def numbers(request: Request) -> Any:
            return request.json(list[float])

        @echo.post("/times")
        def times(request: Request) -> Any:
            return request.json(list[datetime])

        client = TestClient(echo)
        headers = {"content-type": "application/json"}
        for path, body, status, text in [
            ("/any", '{"\\ud800":"\\udfff"}', 200, '{"\ufffd":"\ufffd"}'),
            ("/any", "1e400", 400, "too large"),
            ("/numbers", f"[1{'0' * 400}]", 422, "must be a number"),
            ("/numbers", '[{"\\ud800":1}]', 422, "must be a number"),
            ("/times", '["0001-01-01T00:00:00+14:00"]', 422, "must be a time"),
            ("/times", '["9999-12-31T23:59:59-14:00"]', 422, "must be a time"),
        ]:
            response = client.post(path, body=body, headers=headers)
            self.assertEqual(response.status, status, body)
            self.assertIn(text, response.text())
        refused = TestClient(app).post("/rooms", body='{"\\ud800":1}', headers=headers)
        self.assertEqual(refused.status, 422)

    def test_values_and_their_json_agree(self) -> None:
        time = datetime(2026, 1, 31, 12, 0, 0, 5000, timezone(timedelta(hours=1)))
        id = UUID("019b76da-a800-72c5-a0e9-f4ba1f484c63")
        for type_, value, text in [
            (datetime, time, '"2026-01-31T11:00:00.005Z"'),
            (date, date(2026, 1, 31), '"2026-01-31"'),
            (UUID, id, f'"{id}"'),
            (Kind, Kind.SINGLE, '"single"'),
        ]:
            self.assertEqual(dump_json(value), text)
            errors: list[tuple[str, str]] = []
            self.assertEqual((read(type_, text.strip('"'), errors, is_strict=True), errors), (value, []))
            read(type_, "x", errors, is_strict=True)
            self.assertEqual(len(errors), 1)
        for value in [datetime(2026, 1, 1), float("nan"), object()]:
            with self.assertRaises((TypeError, ValueError)):
                dump_json(value)
        with self.assertRaisesRegex(TypeError, "cannot be read as"):
            read(complex, 1, [], is_strict=True)
        for _ in range(2):
            with self.assertRaisesRegex(TypeError, "contains itself"):
                read(Tree, {}, [], is_strict=True)


class Queries(unittest.TestCase):
    def test_pagination_has_limits(self) -> None:
        app = App()

        @app.get("/")
        def run(request: Request) -> list[Any]:
            page = request.pagination(limit_max=50)
            return [page.limit, page.direction, page.cursor, request.query.all("x")]

        client = TestClient(app)
        self.assertEqual(client.get("/?x=a+b&x=%C3%A9&x=").json(), [20, "ascending", None, ["a b", "é", ""]])
        self.assertEqual(client.get("/?limit=50&order=desc&cursor=c").json(), [50, "descending", "c", []])
        for query in ["limit=0", "limit=51", "limit=x", "limit=%C2%B2", "limit=1&limit=2", "order=up", "cursor="]:
            self.assertEqual(client.get(f"/?{query}").status, 400, query)

    def test_if_match_is_a_condition(self) -> None:
        app = App()

        @app.get("/")
        def run(request: Request) -> str:
            return str(request.require_match())

        client = TestClient(app)
        self.assertEqual(client.get("/").status, 428)
        self.assertEqual(client.get("/", headers={"if-match": '"abc"'}).text(), "abc")
        self.assertEqual(client.get("/", headers={"if-match": "*"}).text(), "present")
        for field_ in ["abc", 'W/"a"', '"a", "b"', '""']:
            self.assertEqual(client.get("/", headers={"if-match": field_}).status, 400, field_)

    def test_problems_are_exceptions(self) -> None:
        self.assertIsInstance(Problem.forbidden("no"), Exception)


if __name__ == "__main__":
    unittest.main()
