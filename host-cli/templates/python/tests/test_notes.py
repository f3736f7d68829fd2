"""The API without a host: requests to the application, with the rules of the hosts and a store in memory."""

import unittest
from datetime import timedelta

from app import app
from tenon.testing import TestClient


class Notes(unittest.TestCase):
    def test_a_created_note_can_be_read(self) -> None:
        client = TestClient(app)
        created = client.post("/notes", json={"text": "buy milk"})
        self.assertEqual(created.status, 201)
        self.assertEqual(created.json()["created_at"], "2026-01-01T00:00:00.000Z")

        location = created.headers["location"]
        read = client.get(location)
        self.assertEqual((read.status, read.json()), (200, created.json()))

        unchanged = client.get(location, headers={"if-none-match": read.headers["etag"]})
        self.assertEqual(unchanged.status, 304)

    def test_a_list_comes_in_pages(self) -> None:
        client = TestClient(app)
        for text in ["a", "b", "c"]:
            client.advance(timedelta(milliseconds=1))
            client.post("/notes", json={"text": text})
        first = client.get("/notes?limit=2").json()
        self.assertEqual([note["text"] for note in first["items"]], ["a", "b"])
        rest = client.get(f"/notes?limit=2&cursor={first['next']}")
        self.assertEqual([note["text"] for note in rest.json()["items"]], ["c"])
        self.assertNotIn("link", rest.headers)

    def test_a_note_that_breaks_a_rule_is_refused_with_its_place(self) -> None:
        client = TestClient(app)
        for content, pointer in [
            ({"text": ""}, "/text"),
            ({"text": 7}, "/text"),
            ({"text": "a", "colour": "red"}, "/colour"),
            ({}, ""),
        ]:
            refused = client.post("/notes", json=content)
            self.assertEqual(refused.status, 422, content)
            self.assertEqual(refused.json()["errors"][0]["pointer"], pointer, content)

    def test_a_note_that_is_not_there_is_a_problem(self) -> None:
        response = TestClient(app).get("/notes/unknown")
        self.assertEqual(response.status, 404)
        self.assertEqual(response.json()["detail"], "there is no note `unknown`")

    def test_a_store_in_trouble_asks_the_client_to_come_back(self) -> None:
        client = TestClient(app)
        client.fail_storage("unavailable")
        response = client.post("/notes", json={"text": "buy milk"})
        self.assertEqual((response.status, response.headers["retry-after"]), (503, "1"))


if __name__ == "__main__":
    unittest.main()
