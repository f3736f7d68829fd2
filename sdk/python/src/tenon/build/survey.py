"""
Imports a program as the build will, and prints what it consists of, as JSON. In a process of its own: a program may do anything when it is
imported.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import NoReturn

WRONG = 3
"""The status of a process that has printed what is wrong."""


def main() -> None:
    """The module, the name of its `App`, and a file for the result."""
    module_name, name, output = sys.argv[1:4]
    folder = Path.cwd()
    sys.path.insert(0, str(folder))
    module = _import(module_name, folder)
    _check_app(module, module_name, name)
    own, packages, compiled, lazy = [], [], set(), set()
    for found in list(sys.modules.values()):
        file = getattr(found, "__file__", None)
        if file is None or not isinstance(found, ModuleType):
            continue
        path, top = Path(file), found.__name__.partition(".")[0]
        if top in ("__main__", "tenon") or top in sys.stdlib_module_names:
            continue
        if folder in path.parents and not {"site-packages", "dist-packages"} & set(path.parts):
            own.append(top)
            lazy |= _imports(path, found)
        elif "site-packages" in path.parts or "dist-packages" in path.parts:
            packages.append(top)
            if path.suffix != ".py":
                compiled.add(top)
    result = {
        "own": [_place(top) for top in sorted(set(own))],
        "packages": [_place(top) for top in sorted(set(packages))],
        "compiled": sorted(compiled),
        "imports": sorted(lazy),
        "interfaces": [name for name in ("outgoing", "secret") if f"tenon.{name}" in sys.modules],
    }
    Path(output).write_text(json.dumps(result))


def _import(name: str, folder: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name.partition(".")[0]:
            files = f"`{name.replace('.', '/')}.py`"
            _wrong(f"there is no module `{name}` in `{folder}`", f"the program is in {files}, or name it: `tenon-build MODULE:NAME`")
        _print(error)
        _wrong(f"the program needs a module `{error.name}`, which is not installed", f"run `{sys.executable} -m pip install` with its package")
    except Exception as error:
        _print(error)
        _wrong(f"the module `{name}` cannot be imported")


def _print(error: BaseException) -> None:
    shown = traceback.TracebackException.from_exception(error)
    own = [frame for frame in shown.stack if not frame.filename.startswith("<frozen") and frame.filename != __file__]
    own = [frame for frame in own if not frame.filename.endswith("/importlib/__init__.py")]
    shown.stack = traceback.StackSummary.from_list(own)
    sys.stderr.write("".join(shown.format()))


def _check_app(module: ModuleType, module_name: str, name: str) -> None:
    from tenon import App

    app = getattr(module, name, None)
    if isinstance(app, App):
        return
    others = [other for other, value in vars(module).items() if isinstance(value, App)]
    if others:
        hint = f"run `tenon-build {module_name}:{others[0]}`"
    else:
        hint = f"write `{name} = App()` in it, with `from tenon import App`"
    what = f"has no `{name}`" if app is None else f"has a `{name}` that is a `{type(app).__qualname__}` and no `App` of `tenon`"
    _wrong(f"the module `{module_name}` {what}", hint)


def _wrong(what: str, hint: str = "") -> NoReturn:
    from .error import BuildError

    sys.stderr.write(f"{BuildError(what, hint)}\n")
    sys.exit(WRONG)


def _imports(path: Path, module: ModuleType) -> set[str]:
    """What a module imports anywhere, also in its functions: when a component runs, there are no files to import from."""
    if path.suffix != ".py":
        return set()
    found = set()
    package = module.__package__ or ""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level > 0:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return {name for name in found if name and not name.startswith("tenon.testing") and "*" not in name}


def _place(top: str) -> str:
    """The folder or file of a top-level module."""
    module = sys.modules[top]
    file = module.__file__
    if file is None:  # a namespace package
        return str(next(iter(module.__path__)))
    return str(Path(file).parent if hasattr(module, "__path__") else file)


if __name__ == "__main__":
    main()
