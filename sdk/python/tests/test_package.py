"""How the package and components are built."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tenon.build.seal import seal
from tenon.build.wasm import COMPONENT_PREAMBLE, FormError, Reader, leb, leb_signed

PACKAGE = Path(__file__).parent.parent


def build(folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tenon.build.command", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


class Package(unittest.TestCase):
    def test_two_wheels_have_the_same_bytes(self) -> None:
        wheels = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                code = f"import backend; print(backend.build_wheel({folder!r}))"
                name = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE, capture_output=True, text=True, check=True).stdout.strip()
                wheels.append(Path(folder, name).read_bytes())
        self.assertEqual(wheels[0], wheels[1])


class Build(unittest.TestCase):
    def test_mistakes_are_named_with_what_to_do(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for source, arguments, texts in [
                (None, [], ["there is no module `app`", "hint: the program is in `app.py`"]),
                ("x = 1", [], ["the module `app` has no `app`", "`app = App()`"]),
                ("app = 1", [], ["has a `app` that is a `int`"]),
                ("from tenon import App\napi = App()", [], ["run `tenon-build app:api`"]),
                ("import nothing_like_it", [], ["needs a module `nothing_like_it`", "-m pip install"]),
                ("\n1 / 0", [], ['app.py", line 2', "ZeroDivisionError", "cannot be imported"]),
                ("from tenon import App, environment\nenvironment('X')", [], ["there is no host for the environment"]),
                ("import os\nos._exit(5)", [], ["ended Python when it was imported, with status 5"]),
                ("", ["src/app.py"], ["is not of the form MODULE:NAME"]),
            ]:
                if source is not None:
                    Path(folder, "app.py").write_text(source)
                built = build(folder, *arguments)
                self.assertNotEqual(built.returncode, 0)
                for text in texts:
                    self.assertIn(text, built.stderr)
                self.assertNotIn("survey.py", built.stderr)
                self.assertFalse(Path(folder, "build").exists())


class Seal(unittest.TestCase):
    def test_a_component_without_files_stays_as_it_is(self) -> None:
        self.assertEqual(seal(COMPONENT_PREAMBLE), COMPONENT_PREAMBLE)

    def test_numbers_are_those_of_the_specification(self) -> None:
        for number, unsigned, signed in [(0, b"\x00", b"\x00"), (63, b"\x3f", b"\x3f"), (64, b"\x40", b"\xc0\x00"), (300, b"\xac\x02", b"\xac\x02")]:
            self.assertEqual((leb(number), leb_signed(number)), (unsigned, signed))
            self.assertEqual(Reader(unsigned).leb(), number)
        with self.assertRaises(FormError):
            Reader(b"\x80").leb()


if __name__ == "__main__":
    unittest.main()
