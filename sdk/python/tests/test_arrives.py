"""The host of tests gives what a component gets: `cargo xtask python-sdk` compares the same file with what a component says."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

from component.arrives import app
from tenon.testing import TestClient


class Arrives(unittest.TestCase):
    def test_the_host_of_tests_gives_what_a_component_gets(self) -> None:
        client = TestClient(app)
        client.set_environment("GREETING", "hello")
        response = client.get("/")
        self.assertEqual(response.status, 200, client.lines)
        expected = json.loads(Path(__file__).with_name("component").joinpath("arrives.json").read_text())
        self.assertEqual(response.json(), expected["/"])


if __name__ == "__main__":
    unittest.main()
