"""Routes, requests, responses and errors."""

from __future__ import annotations

import enum
import logging
import unittest
from collections.abc import Callable
from typing import Any
from uuid import UUID

from tenon import App, Created, Problem, Request, Response, environment, log, placeholder
from tenon.outgoing import FetchError, fetch
from tenon.secret import SecretError, reveal, sign, verify
from tenon.testing import OutgoingRequest, TestClient


class Colour(enum.Enum):
    RED = "red"


class Routes(unittest.TestCase):
    def test_the_most_precise_path_answers_by_its_method(self) -> None:
        app = App()

        @app.get("/rooms/{room}")
        def room(room: str) -> str:
            return f"room {room}"

        @app.get("/rooms/new")
        def form() -> str:
            return "a form"

        @app.put("/rooms/{room}")
        def put(request: Request, room: str) -> None:
            return None

        @app.get("/files/{*path}")
        def file(path: str) -> str:
            return path

        client = TestClient(app)
        for target, text in [
            ("/rooms/7", "room 7"),
            ("/rooms/a%2Fb", "room a/b"),
            ("/rooms/new", "a form"),
            ("/files/a/b", "a/b"),
        ]:
            self.assertEqual(client.get(target).text(), text)
        self.assertEqual(client.put("/rooms/7").status, 204)
        self.assertEqual(client.get("/rooms/7/").status, 404)
        self.assertEqual(client.get("/rooms/%ff").status, 400)
        head = client.request("HEAD", "/rooms/7")
        self.assertEqual((head.status, head.body, head.headers["content-type"]), (200, b"", "text/plain; charset=utf-8"))
        self.assertEqual(client.request("OPTIONS", "/rooms/7").headers["allow"], "GET, HEAD, PUT, OPTIONS")
        refused = client.delete("/rooms/7")
        self.assertEqual((refused.status, refused.headers["allow"]), (405, "GET, HEAD, PUT, OPTIONS"))

    def test_parameters_have_types(self) -> None:
        app = App()

        @app.get("/{number}/{id}/{colour}")
        def read(number: int, id: UUID, colour: Colour) -> list[Any]:
            return [number, id, colour]

        client = TestClient(app)
        id = "019b76da-a800-72c5-a0e9-f4ba1f484c63"
        self.assertEqual(client.get(f"/-7/{id}/red").json(), [-7, id, "red"])
        for target in [f"/x/{id}/red", f"/7.0/{id}/red", "/7/x/red", f"/7/{id}/blue", f"/7/{{{id}}}/red", f"/7/{id.replace('-', '')}/red", f"/{'9' * 5000}/{id}/red"]:
            self.assertEqual(client.get(target).status, 404, target)

    def test_mistakes_in_routes_show_when_the_program_begins(self) -> None:
        def ok(request: Request) -> None: ...
        def unknown(request: Request, other: str) -> None: ...
        def listed(request: Request, a: list[str]) -> None: ...
        async def later(request: Request) -> None: ...

        for path in ["rooms", "/{a", "/a{b}", "/{}", "/{*a}/b", "/{a}/{a}", "/{a-b}"]:
            with self.assertRaisesRegex(ValueError, "the pattern"):
                App().get(path)(ok)
        handlers: list[tuple[Callable[..., Any], str]] = [(unknown, "`other` that the path"), (listed, "takes `a`"), (later, "`async`")]
        for handler, text in handlers:
            with self.assertRaisesRegex(TypeError, text):
                App().get("/{a}")(handler)
        app = App()
        app.get("/")(ok)
        with self.assertRaisesRegex(ValueError, "two handlers"):
            app.get("/")(ok)
        app.get("/{a}/b")(ok)
        app.get("/{a}/{b}")(ok)
        with self.assertRaisesRegex(ValueError, "`/{a}/{b}` is the same path"):
            app.get("/{c}/{d}")(ok)

    def test_a_handler_knows_the_caller_the_base_path_and_the_environment(self) -> None:
        app = App()

        @app.get("/me")
        def me(request: Request) -> dict[str, object]:
            identity = request.require_identity()
            return {"subject": identity.subject, "claims": identity.claims, "role": environment("ROLE")}

        @app.post("/rooms")
        def create(request: Request) -> Created:
            return Created("rooms", "a b", content={"name": "a b"})

        client = TestClient(app)
        refused = client.get("/me")
        self.assertEqual((refused.status, refused.headers["www-authenticate"]), (401, "Bearer"))
        client.set_environment("ROLE", "test")
        known = client.get("/me", subject="ada", claims={"email": "a@example.org"})
        self.assertEqual(known.json(), {"subject": "ada", "claims": {"email": "a@example.org"}, "role": "test"})
        created = client.post("/rooms", base_path="/live")
        self.assertEqual((created.status, created.headers["location"]), (201, "/live/rooms/a%20b"))


class Failures(unittest.TestCase):
    def test_what_is_not_the_clients_mistake_is_logged(self) -> None:
        app = App()

        @app.get("/problem")
        def problem() -> None:
            raise Problem.conflict("taken")

        @app.get("/error")
        def error() -> None:
            try:
                raise KeyError("root")
            except KeyError as cause:
                raise TypeError("planted") from cause

        @app.get("/set")
        def wrong() -> object:
            return {1, 2}

        @app.get("/field")
        def field() -> Response:
            return Response("", headers={"connection": "close"})

        @app.get("/exit")
        def leave() -> None:
            raise SystemExit(3)

        @app.get("/returned")
        def returned() -> object:
            return Problem.conflict("taken")

        @app.get("/zeros")
        def zeros() -> Response:
            return Response(5)  # type: ignore[arg-type]

        @app.get("/half")
        def half() -> Response:
            return Response("", status=200.5)  # type: ignore[arg-type]

        @app.get("/status")
        def no_status() -> None:
            raise Problem(700, "none", "a status that HTTP does not have")

        @app.get("/problem-field")
        def problem_field() -> None:
            raise Problem(400, "none", "no", headers={"connection": "close"})

        client = TestClient(app)
        self.assertEqual(client.get("/problem").status, 409)
        self.assertEqual(client.get("/returned").status, 409)
        self.assertEqual(client.lines, [])
        response = client.get("/error")
        document = response.json()
        self.assertEqual(
            (document["status"], document["code"], document["title"], response.headers["content-type"]),
            (500, "internal", "Internal Server Error", "application/problem+json"),
        )
        self.assertNotIn("planted", response.text())
        [line] = client.lines
        self.assertEqual((line.level, line.message), ("error", "TypeError: planted"))
        traceback = line.attributes["traceback"]
        self.assertRegex(traceback, r'(?s)KeyError: \'root\'.*direct cause.*test_app\.py", line \d+, in error.*TypeError: planted')
        self.assertNotIn("tenon/app.py", traceback)
        for target, text in [
            ("/set", "a set has no order"),
            ("/field", "connection"),
            ("/exit", "SystemExit: 3"),
            ("/status", "not 700"),
            ("/half", "not 200.5"),
            ("/zeros", "not a `int`"),
            ("/problem-field", "connection"),
        ]:
            self.assertEqual(client.get(target).status, 500)
            self.assertIn(text, client.lines[-1].message)

    def test_a_problem_has_members_and_fields(self) -> None:
        app = App()

        @app.get("/")
        def run() -> None:
            raise Problem(402, "payment", "pay", headers={"x-a": "1"}, type="https://e.example/pay", title="Pay", members={"price": 3})

        response = TestClient(app).get("/")
        document = response.json()
        self.assertEqual(document.pop("request_id"), document.get("request_id", response.json()["request_id"]))
        expected = {"code": "payment", "detail": "pay", "status": 402, "title": "Pay", "type": "https://e.example/pay", "price": 3}
        self.assertEqual((document, response.headers["x-a"], response.headers["cache-control"]), (expected, "1", "no-store"))


class Host(unittest.TestCase):
    def test_services_answer_or_the_client_reads_why_not(self) -> None:
        app = App()

        @app.get("/")
        def pay() -> dict[str, object]:
            headers = {"authorization": f"Bearer {placeholder('key')}"}
            response = fetch("https://pay.example/charges#x", method="POST", headers=headers, json=1)
            return {"status": response.status, "text": response.text()}

        client = TestClient(app)
        self.assertEqual(client.get("/").status, 500)  # not granted

        def answer(request: OutgoingRequest) -> Response:
            self.assertEqual((request.url, request.body), ("https://pay.example/charges", b"1"))
            self.assertIn(("authorization", "Bearer __secret.key__"), request.headers)
            return Response("done", 201)

        client.answer_outgoing(answer)
        self.assertEqual(client.get("/").json(), {"status": 201, "text": "done"})
        client.answer_outgoing(lambda request: "outcome-unknown")
        self.assertEqual(client.get("/").status, 502)
        client.answer_outgoing(lambda request: "unreachable")
        unreachable = client.get("/")
        self.assertEqual((unreachable.status, unreachable.headers["retry-after"]), (503, "1"))

        def call() -> str:
            try:
                fetch("https://pay.example/")
            except FetchError as error:
                return error.code
            return ""

        self.assertEqual(client.run(call), "unreachable")

    def test_secrets_sign_and_verify(self) -> None:
        client = TestClient(App())
        client.set_secret("key", "secret")

        def work() -> None:
            tag = sign("key", "sha256", "message")
            self.assertEqual(len(tag), 32)
            self.assertTrue(verify("key", "sha256", b"message", tag))
            self.assertFalse(verify("key", "sha256", "other", tag))
            self.assertEqual(reveal("key"), b"secret")
            with self.assertRaises(SecretError) as caught:
                reveal("unknown")
            self.assertEqual(caught.exception.code, "unknown")

        client.run(work)

    def test_the_log_has_levels_and_attributes(self) -> None:
        client = TestClient(App())

        def work() -> None:
            log.warn("low", left=3, of=None, big=10**40, odd={1}, half="\ud800")
            logging.getLogger("shop").error("%s left", 2, extra={"item": "lamp"})
            logging.debug("not kept")

        client.run(work)
        first, second = client.lines
        self.assertEqual((first.level, first.attributes), ("warn", {"left": 3, "big": 10**40, "odd": "{1}", "half": "\ufffd"}))
        self.assertEqual((second.level, second.message, second.attributes), ("error", "2 left", {"logger": "shop", "item": "lamp"}))
        logging.info("outside of requests, nothing is written")
        self.assertEqual(len(client.lines), 2)

    def test_outside_of_requests_there_is_no_host(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "there is no host for the environment"):
            environment("A")


if __name__ == "__main__":
    unittest.main()
