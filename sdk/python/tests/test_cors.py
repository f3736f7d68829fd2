"""Pages of other origins."""

from __future__ import annotations

import unittest
from typing import Any

from tenon import App, Response
from tenon.testing import TestClient

ORIGIN = "https://app.example"


def application(origins: Any, **options: Any) -> TestClient:
    app = App()
    shared = Response("hello")
    app.cors(origins, **options)

    @app.get("/")
    def hello() -> Response:
        return shared

    return TestClient(app)


class Cors(unittest.TestCase):
    def test_pages_of_listed_origins_may_read(self) -> None:
        client = application([ORIGIN], credentials=True, allow_headers=["X-A"], expose_headers=["x-b"])
        allowed = client.get("/", headers={"origin": ORIGIN}).headers
        self.assertEqual(allowed["access-control-allow-origin"], ORIGIN)
        self.assertEqual((allowed["access-control-allow-credentials"], allowed["vary"]), ("true", "origin"))
        self.assertRegex(allowed["access-control-expose-headers"], "etag.*x-b$")
        for origin in ["https://other.example", "app.example", "null", f"{ORIGIN}, {ORIGIN}"]:
            for target in ["/", "/unknown"]:
                foreign = client.get(target, headers={"origin": origin}).headers
                self.assertNotIn("access-control-allow-origin", foreign)
                self.assertNotIn("access-control-allow-credentials", foreign)
                self.assertEqual(foreign["vary"], "origin")
        self.assertEqual(client.get("/unknown", headers={"origin": ORIGIN}).headers["access-control-allow-origin"], ORIGIN)

    def test_a_preflight_request_reads_what_is_allowed(self) -> None:
        client = application([ORIGIN], allow_headers=["X-A"])
        preflight = client.request("OPTIONS", "/", headers={"origin": ORIGIN, "access-control-request-method": "GET"})
        self.assertEqual((preflight.status, preflight.headers["access-control-allow-methods"]), (204, "GET, HEAD, OPTIONS"))
        self.assertRegex(preflight.headers["access-control-allow-headers"], "if-match.*x-a$")
        self.assertEqual(preflight.headers["access-control-max-age"], "7200")
        self.assertNotIn("access-control-allow-methods", client.request("OPTIONS", "/").headers)

    def test_any_origin_has_no_credentials(self) -> None:
        headers = application("*").get("/").headers
        self.assertEqual((headers["access-control-allow-origin"], headers.get("vary")), ("*", None))

    def test_mistakes_show_when_the_program_begins(self) -> None:
        # A text would otherwise allow each origin that is a part of it.
        with self.assertRaisesRegex(TypeError, "a list"):
            application(ORIGIN)
        with self.assertRaisesRegex(TypeError, "a list"):
            application("*", allow_headers="x-a")
        with self.assertRaisesRegex(ValueError, "listed origins only"):
            application("*", credentials=True)
        with self.assertRaisesRegex(ValueError, "no origin"):
            application(["*"])
        with self.assertRaisesRegex(ValueError, "name of a header field"):
            application("*", expose_headers=["x\r\ny"])


if __name__ == "__main__":
    unittest.main()
