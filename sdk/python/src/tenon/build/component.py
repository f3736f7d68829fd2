"""Makes a component of a program."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .error import BuildError
from .seal import seal
from .survey import WRONG

COMPONENTIZE_PY = "0.25.1"
"""The release whose form of components is known here. It contains CPython 3.14."""
WASI = "0.2.9"
"""The release of WASI of its C library."""
PYTHON_MIN = (3, 11)

_PACKAGE = Path(__file__).parent.parent
_NOT_IN_COMPONENTS = ("build", "testing", "__pycache__")

_PRELOADED = ("_strptime", "encodings.idna", "encodings.latin_1", "encodings.utf_16", "json", "linecache", "logging", "unicodedata")
"""What the standard library imports only when it is used: a component has no files to import from."""


def write_component(module: str, name: str, output: Path) -> int:
    """Writes the component of the `App` that has this name in the module. Returns its size in bytes."""
    _check_tools()
    with tempfile.TemporaryDirectory(prefix="tenon-build-") as folder:
        stage = Path(folder)
        found = _survey(module, name, stage)
        _copy(found, stage)
        _write_world(found["interfaces"], stage)
        _write_entry(module, name, found, stage)
        component = seal(_componentize(found["compiled"], stage))
    output.parent.mkdir(parents=True, exist_ok=True)
    # In one step, so that a host never reads half of it.
    partial = output.with_name(f"{output.name}.{os.getpid()}")
    partial.write_bytes(component)
    partial.replace(output)
    return len(component)


def _check_tools() -> None:
    if sys.version_info < PYTHON_MIN:
        wanted = ".".join(map(str, PYTHON_MIN))
        found = ".".join(map(str, sys.version_info[:3]))
        raise BuildError(f"Python {wanted} or later is needed, and this is {found}", f"make the environment anew: `python{wanted} -m venv .venv`")
    command = f"{sys.executable} -m pip install componentize-py=={COMPONENTIZE_PY}"
    try:
        version = importlib.metadata.version("componentize-py")
    except importlib.metadata.PackageNotFoundError:
        raise BuildError("componentize-py is not installed, which makes components", f"run `{command}`") from None
    if version != COMPONENTIZE_PY:
        raise BuildError(f"componentize-py {version} is installed, and this SDK knows {COMPONENTIZE_PY}", f"run `{command}`")


def _survey(module: str, name: str, stage: Path) -> dict[str, Any]:
    """What the program consists of, by importing it here: an error is then shown with its place, and in a second."""
    result = stage / "survey.json"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.run([sys.executable, "-m", "tenon.build.survey", module, name, str(result)], env=environment)
    if process.returncode == WRONG:
        raise SystemExit(1)
    if not result.is_file():
        raise BuildError(f"the module `{module}` ended Python when it was imported, with status {process.returncode}")
    return json.loads(result.read_text())  # type: ignore[no-any-return]


def _copy(found: dict[str, Any], stage: Path) -> None:
    """Copies modules into folders without anything else: the names in a folder that is searched become part of the component."""
    for group in ("own", "packages"):
        folder = stage / group
        folder.mkdir()
        for place in map(Path, found[group]):
            if place.is_dir():
                shutil.copytree(place, folder / place.name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
            else:
                shutil.copyfile(place, folder / place.name)
    shutil.copytree(_PACKAGE, stage / "packages/tenon", ignore=shutil.ignore_patterns(*_NOT_IN_COMPONENTS), dirs_exist_ok=True)


_STUBS = {
    "random": "interface random { get-random-bytes: func(len: u64) -> list<u8>; }",
    "cli": "interface environment { get-environment: func() -> list<tuple<string, string>>; }",
}


def _write_world(interfaces: list[str], stage: Path) -> None:
    """A world with what the program imports: an import that the host does not grant would be refused."""
    wit = stage / "wit"
    shutil.copytree(_PACKAGE / "build/wit", wit / "deps/handler")
    for name, text in _STUBS.items():
        (wit / "deps" / name).mkdir()
        (wit / "deps" / name / "package.wit").write_text(f"package wasi:{name}@{WASI};\n{text}\n")
    names = {"outgoing": "outgoing", "secret": "secrets"}
    imports = [f"tenon:handler/{name}@0.1.0" for name in ("storage", "log", *(names[interface] for interface in interfaces))]
    imports += [f"wasi:random/random@{WASI}", f"wasi:cli/environment@{WASI}"]
    lines = ["package tenon:guest;", "world guest {", *(f"  import {name};" for name in imports), "  export tenon:handler/handler@0.1.0;", "}"]
    (wit / "world.wit").write_text("\n".join(lines))


_ENTRY = """
import gc, importlib, linecache, sys
for name in {preloaded!r}:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
from tenon import component
from tenon.warm_up import warm_up
from {module} import {name} as application
own = [module for module in sys.modules.values() if (getattr(module, "__file__", None) or "").startswith("/0/")]
for module in own:
    # Without a time: there is no file any more with which it could be compared.
    linecache.cache[module.__file__] = (0, None, linecache.getlines(module.__file__), module.__file__)
warm_up(own)
Handler = component.handler(application, ["/0", "/1"])
sys.path_importer_cache.clear()
gc.collect()
gc.freeze()
"""


def _write_entry(module: str, name: str, found: dict[str, Any], stage: Path) -> None:
    (stage / "entry").mkdir()
    preloaded = sorted({*_PRELOADED, *found["imports"]})
    (stage / "entry/tenon_entry.py").write_text(_ENTRY.format(preloaded=preloaded, module=module, name=name))


def _componentize(compiled: list[str], stage: Path) -> bytes:
    # Without this, what this environment has installed would be searched, too.
    (stage / "venv/lib/python3/site-packages").mkdir(parents=True)
    environment = {**os.environ, "VIRTUAL_ENV": str(stage / "venv"), "RUST_BACKTRACE": "0"}
    folders = [part for folder in ("own", "packages", "entry") for part in ("--python-path", str(stage / folder))]
    output = stage / "guest.wasm"
    process = subprocess.run(
        [
            *(sys.executable, "-c", "from componentize_py import script; script()"),
            *("--quiet", "--wit-path", str(stage / "wit"), "--world", "guest"),
            *("componentize", "tenon_entry", *folders, "--output", str(output)),
        ],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if process.returncode != 0 or not output.is_file():
        hint = "a component has no files, sockets and threads, and no host while it is built"
        if compiled:
            hint = f"{', '.join(f'`{name}`' for name in compiled)} has compiled parts, which a component cannot load"
        raise BuildError(f"the program failed while the component was built, in CPython 3.14\n{_reason(process.stdout)}", hint)
    return output.read_bytes()


def _reason(printed: str) -> str:
    """What Python said inside of the component, with paths of the project."""
    start = printed.find("AssertionError: ")
    text = printed[start + len("AssertionError: ") :] if start >= 0 else printed
    text = re.split(r"\n\nCaused by:|\nStack backtrace:", text)[0]
    own = re.sub(r'  File "/2/tenon_entry.py".*\n    .*\n', "", text)
    return own.replace('"/0/', '"').replace('"/1/', '"').strip()
