"""Requests that are sent again."""

from __future__ import annotations

import unittest
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from tenon import App, ConditionError, Created, Partition, Request, Write, idempotency_key, store
from tenon.testing import TestClient, TestResponse


@dataclass
class Room:
    beds: int


@dataclass
class Receipt:
    id: UUID


rooms = Partition("rooms", Room)
app = App()


@app.post("/rooms")
def create(request: Request) -> Created:
    room, id = request.json(Room), request.uuid()
    write = Write(rooms.key(id), room, when="absent")
    if key := idempotency_key(request):
        id = key.transact([write], Receipt(id)).receipt.id
    else:
        store.transact([write])
    return Created("rooms", id, content=room)


class Idempotency(unittest.TestCase):
    def test_a_request_that_is_sent_again_has_no_further_effect(self) -> None:
        client = TestClient(app)

        def send(key: str, beds: int = 1, target: str = "/rooms", **options: Any) -> TestResponse:
            return client.post(target, json={"beds": beds}, headers={"idempotency-key": key}, **options)

        first = send('"a"')
        self.assertEqual((first.status, first.headers.get("idempotency-replayed")), (201, None))
        again = send("a")
        self.assertEqual((again.status, again.headers["location"]), (201, first.headers["location"]))
        self.assertEqual(again.headers["idempotency-replayed"], "true")
        for reused in [send("a", 2), send("a", target="/rooms?x=1")]:
            self.assertEqual((reused.status, reused.json()["code"]), (422, "idempotency-key-reused"))
            self.assertNotIn("idempotency-replayed", reused.headers)
        callers: list[dict[str, Any]] = [{"subject": "ada"}, {"subject": ""}, {"claims": {"org": "a"}}, {"claims": {"org": "b"}}]
        for caller in callers:
            self.assertNotIn("idempotency-replayed", send("a", **caller).headers)
            self.assertIn("idempotency-replayed", send("a", **caller).headers)
        client.advance(timedelta(hours=25))
        self.assertNotIn("idempotency-replayed", send("a", 2).headers)
        client.run(lambda: self.assertEqual(len(store.query(rooms).items), 6))

    def test_a_key_is_a_structured_string_or_bare(self) -> None:
        seen: list[str] = []
        names = App()

        @names.get("/")
        def read(request: Request) -> None:
            key = idempotency_key(request)
            seen.append("" if key is None else key._key.partition.name)

        client = TestClient(names)
        for field in ["a b", '"a', '""', "", '"a"b', '"\\a"', "a,b", "a;b", "\u00e9", "x" * 256]:
            self.assertEqual(client.get("/", headers={"idempotency-key": field}).status, 400, field)
        for field in ['"a b"', '"a\\"b\\\\c"', "8e03978e-40d5", '"8e03978e-40d5"', "x" * 255]:
            self.assertEqual(client.get("/", headers={"idempotency-key": field}).status, 204, field)
        self.assertEqual(seen[2], seen[3])
        self.assertEqual(len(set(seen)), 4)
        # The same as in the SDK for Rust: SHA-256 of `-|8e03978e-40d5`.
        self.assertEqual(seen[2], "idempotency/aa6eff171ffc2516c1674eb5a6198856df65b8a1860f9622a563122a25c55481")

    def test_receipts_come_back_as_they_were(self) -> None:
        receipts: list[Any] = [None, 1, "a", [1], {}, {"a": 1}, {"receipt": 1}, {"receipt": 1, "b": 2}, {"b": 2, "receipt": 1}, Receipt(UUID(int=1)), UUID(int=1)]
        for receipt in receipts:
            once = App()

            @once.post("/")
            def run(request: Request) -> None:
                key = idempotency_key(request)
                assert key is not None
                self.assertEqual(key.transact([], receipt).receipt, receipt)

            client = TestClient(once)
            for replayed in [None, "true"]:
                response = client.post("/", headers={"idempotency-key": "a"})
                self.assertEqual((response.status, response.headers.get("idempotency-replayed")), (204, replayed), receipt)

    def test_operations_keep_their_positions(self) -> None:
        taken = App()

        @taken.post("/")
        def run(request: Request) -> int | None:
            key = idempotency_key(request)
            assert key is not None
            with self.assertRaisesRegex(TypeError, "fingerprint"):
                key.transact([], {"fingerprint": 1})
            store.put(rooms.key("b"), Room(1))
            try:
                key.transact([Write(rooms.key("a"), Room(1)), Write(rooms.key("b"), Room(1), when="absent")], None)
            except ConditionError as error:
                return error.position
            return None

        self.assertEqual(TestClient(taken).post("/", headers={"idempotency-key": "a"}).json(), 1)


if __name__ == "__main__":
    unittest.main()
