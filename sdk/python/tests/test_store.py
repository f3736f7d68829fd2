"""The store of tests, which has the rules of the hosts."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypedDict

from tenon import App, Check, ConditionError, Created, Delete, Item, Page, Partition, Problem, Request, Revision, StorageError, Write, store
from tenon.testing import TestClient


@dataclass
class Room:
    beds: float


class Day(TypedDict):
    free: bool


rooms = Partition("rooms", Room)
days = Partition("days", Day)


def run(work: Callable[[], None]) -> None:
    TestClient(App()).run(work)


class Store(unittest.TestCase):
    def test_conditions_hold_or_the_write_is_lost(self) -> None:
        def work() -> None:
            key = rooms.key("a")
            self.assertIsNone(store.get(key))
            created = store.put(key, Room(1), when="absent")
            self.assertEqual(store.get(key), created)
            self.assertEqual(created.value, Room(1))
            with self.assertRaises(ConditionError):
                store.put(key, Room(2), when="absent")
            changed = store.put(key, Room(2), when=created.revision)
            with self.assertRaises(ConditionError) as caught:
                store.delete(key, when=created.revision)
            self.assertEqual(caught.exception.revision, changed.revision)
            store.delete(key, when=changed.revision)
            store.delete(key)
            with self.assertRaises(ConditionError):
                store.delete(key, when="present")
            with self.assertRaisesRegex(TypeError, "Revision"):
                store.put(key, Room(1), when="other")  # type: ignore[arg-type]

        run(work)

    def test_an_item_expires_and_its_secondary_key_finds_it(self) -> None:
        client = TestClient(App())
        by_beds = Partition("beds", Room)
        expires_at = datetime(2026, 1, 1, 1, tzinfo=timezone.utc)

        def write() -> None:
            item = store.put(rooms.key("a"), Room(1), index=by_beds.key("1"), expires_at=expires_at)
            self.assertEqual((item.expires_at, item.index), (expires_at, ("beds", "1")))
            self.assertEqual(store.query_index(by_beds).items, [item])
            updated = store.update(rooms.key("a"), lambda room: Room(room.beds + 1))
            self.assertEqual((updated.value, updated.index, updated.expires_at), (Room(2), item.index, expires_at))

        client.run(write)
        client.advance(timedelta(hours=1))
        client.run(lambda: self.assertIsNone(store.get(rooms.key("a"))))
        with self.assertRaises(Problem):
            client.run(lambda: store.update(rooms.key("a"), lambda room: room))

    def test_queries_have_ranges_and_pages(self) -> None:
        def work() -> None:
            for sort in ["a1", "a2", "b1", "b2"]:
                store.put(rooms.key(sort), Room(1))

            def sorts(**options: Any) -> str:
                return " ".join(item.key.sort for item in store.query(rooms, **options).items)

            self.assertEqual(sorts(prefix="a"), "a1 a2")
            self.assertEqual(sorts(start="a2", end="b1"), "a2 b1")
            self.assertEqual(sorts(start="b"), "b1 b2")
            self.assertEqual(sorts(end="a2", direction="descending"), "a2 a1")
            cursor = store.query(rooms, limit=3).cursor
            self.assertEqual(sorts(limit=3, cursor=cursor), "b2")
            with self.assertRaises(Problem) as caught:
                sorts(limit=2, prefix="a", cursor=cursor)
            self.assertEqual((caught.exception.status, caught.exception.code), (400, "invalid-cursor"))
            found = store.get_many([rooms.key("x"), rooms.key("a1")])
            self.assertEqual([item and item.key.sort for item in found], [None, "a1"])

        run(work)

    def test_a_transaction_happens_whole_or_not_at_all(self) -> None:
        def work() -> None:
            a, b = rooms.key("a"), days.key("b")
            operations: list[store.Operation] = [Write(a, Room(1), when="absent"), Delete(b)]
            [revision, none] = store.transact(operations, token="token")
            self.assertIsNone(none)
            item = store.get(a)
            self.assertEqual(item and item.revision, revision)
            self.assertEqual(store.transact(operations, token="token"), [revision, None])
            with self.assertRaises(ConditionError) as caught:
                store.transact([Write(b, {"free": True}), Check(a, Revision("other"))])
            self.assertEqual((caught.exception.position, caught.exception.revision), (1, revision))
            self.assertIsNone(store.get(b))

        run(work)

    def test_the_rules_are_those_of_the_hosts(self) -> None:
        def work() -> None:
            anything = Partition[Any]("rooms", dict)
            cases: list[tuple[Callable[[], object], str]] = [
                (lambda: store.get(Partition("", Room).key("a")), "the partition is empty"),
                (lambda: store.put(rooms.key("a"), Room(1e300)), "1e126|magnitude|number"),
                (lambda: store.put(anything.key("a"), []), "object"),
                (lambda: store.query(rooms, limit=1001), "limit"),
                (lambda: store.query(rooms, limit=-1), "limit"),
                (lambda: store.transact([Delete(rooms.key("a")), Delete(rooms.key("a"))]), "twice|different|key"),
            ]
            for call, text in cases:
                with self.assertRaisesRegex(StorageError, text) as caught:
                    call()
                self.assertEqual(caught.exception.code, "invalid")

        run(work)

    def test_a_key_that_no_item_has_is_the_clients_mistake(self) -> None:
        def work() -> None:
            for sort in ["", "x" * 1025, "é" * 513]:
                with self.assertRaises(Problem) as caught:
                    store.get(rooms.key(sort))
                self.assertEqual((caught.exception.status, caught.exception.code), (400, "invalid-key"))
            self.assertIsNone(store.get(rooms.key("é" * 512)))

        run(work)

    def test_a_document_of_another_form_is_an_error_with_its_place(self) -> None:
        def work() -> None:
            other = Partition[Any]("rooms", dict)
            store.put(other.key("more"), {"beds": 1, "old": True})
            item = store.get(rooms.key("more"))
            self.assertEqual(item and item.value, Room(1))
            store.put(other.key("wrong"), {"beds": "x"})
            with self.assertRaisesRegex(StorageError, "`wrong` is no `Room`: `/beds` must be a number"):
                store.get(rooms.key("wrong"))

        run(work)


app = App()


@app.get("/rooms/{id}")
def read(request: Request, id: str) -> Item[Room]:
    item = store.get(rooms.key(id))
    if item is None:
        raise Problem.not_found(f"there is no room `{id}`")
    return item


@app.get("/rooms")
def list_rooms(request: Request) -> Page[Room]:
    return store.query(rooms, request.pagination()).values()


@app.post("/rooms")
def create(request: Request) -> Created:
    id = request.uuid()
    return Created("rooms", id, content=store.put(rooms.key(id), request.json(Room), when="absent"))


@app.put("/rooms/{id}")
def change(request: Request, id: str) -> Item[Room]:
    return store.put(rooms.key(id), request.json(Room), when=request.require_match())


class Http(unittest.TestCase):
    def test_entity_tags_save_content_and_guard_changes(self) -> None:
        client = TestClient(app)
        location = client.post("/rooms", json=Room(1)).headers["location"]
        tag = client.get(location).headers["etag"]
        self.assertEqual(client.get(location, headers={"if-none-match": f'W/"x", {tag}'}).status, 304)
        changed = client.put(location, json=Room(2), headers={"if-match": tag})
        self.assertEqual((changed.status, changed.json()), (200, {"beds": 2.0}))
        self.assertEqual(client.get(location, headers={"if-none-match": tag}).status, 200)
        lost = client.put(location, json=Room(3), headers={"if-match": tag})
        self.assertEqual((lost.status, lost.json()["code"]), (412, "precondition-failed"))
        self.assertEqual(client.put("/rooms/none", json=Room(3), headers={"if-match": "*"}).status, 412)
        self.assertEqual(client.put(location, json=Room(3), headers={"if-match": "*"}).status, 200)
        only_new = {"if-none-match": "*"}
        self.assertEqual(client.put(location, json=Room(4), headers=only_new).status, 412)
        self.assertEqual(client.put("/rooms/new", json=Room(4), headers=only_new).status, 200)
        self.assertEqual(client.put("/rooms/new", json=Room(5), headers={**only_new, "if-match": "*"}).status, 412)

    def test_what_is_lost_says_nothing_of_keys(self) -> None:
        names = App()

        @names.post("/{case}")
        def run(case: str) -> None:
            key = rooms.key("ada@example.org")
            if case == "create":
                store.put(key, Room(1))
                store.put(key, Room(1), when="absent")
            if case == "change":
                store.delete(key, when="present")
            if case == "update":
                store.update(key, lambda room: room)
            if case == "transact":
                store.transact([Delete(key, when="present")])

        for case, status in [("create", 409), ("change", 404), ("update", 404), ("transact", 409)]:
            lost = TestClient(names).post(f"/{case}")
            self.assertEqual(lost.status, status, case)
            self.assertNotIn("ada", lost.text())

    def test_lists_link_to_their_next_page(self) -> None:
        client = TestClient(app)
        for beds in range(3):
            client.advance(timedelta(milliseconds=1))
            client.post("/rooms", json=Room(beds))
        page = client.get("/rooms?limit=2", base_path="/live")
        link = page.headers["link"]
        self.assertRegex(link, r'^</live/rooms\?limit=2&cursor=[^>]+>; rel="next"$')
        rest = client.get(link[1:].partition(">")[0].removeprefix("/live"))
        self.assertEqual((rest.json(), rest.headers.get("link")), ({"items": [{"beds": 2.0}]}, None))

    def test_a_store_in_trouble_asks_the_client_to_come_back(self) -> None:
        client = TestClient(app)
        for code, status in [("throttled", 503), ("unavailable", 503), ("outcome-unknown", 503), ("conflict", 409), ("internal", 500)]:
            client.fail_storage(code)  # type: ignore[arg-type]
            response = client.get("/rooms")
            self.assertEqual(response.status, status, code)
            self.assertEqual("retry-after" in response.headers, status != 500, code)
        self.assertEqual(client.calls, ["query"] * 5)


if __name__ == "__main__":
    unittest.main()
