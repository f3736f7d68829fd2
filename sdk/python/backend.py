"""Makes the wheel, by the interface that pip calls (PEP 517 and 660). Two wheels of the same sources have the same bytes."""

from __future__ import annotations

import base64
import hashlib
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):
    # pip would say so only after it has asked this module for the metadata.
    found = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"error: tenon-sdk needs Python 3.11 or later, and this is {found}: make the environment anew, with `python3.11 -m venv --clear .venv`")

import tomllib

HERE = Path(__file__).parent
SOURCES = HERE / "src"
BUILT = ("tenon/testing/rules.wasm", "tenon/build/wit/storage.wit")
PROJECT: dict[str, Any] = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
NAME, VERSION = PROJECT["name"].replace("-", "_"), PROJECT["version"]
ABOUT = f"{NAME}-{VERSION}.dist-info"
LICENCE = HERE.parent.parent / "LICENSE"
"""Of the whole project; an archive of the sources has none."""
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time of the format."""


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    """Writes the wheel."""
    return _wheel(wheel_directory, ((str(path.relative_to(SOURCES)), path.read_bytes()) for path in _files()))


def build_editable(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    """Writes a wheel that refers to the sources."""
    return _wheel(wheel_directory, iter([(f"{NAME}.pth", f"{SOURCES}\n".encode())]))


def build_sdist(sdist_directory: str, config_settings: object = None) -> str:
    """Writes an archive from which the wheel can be made."""
    base = f"{NAME}-{VERSION}"
    with tarfile.open(Path(sdist_directory, f"{base}.tar.gz"), "w:gz") as archive:
        for path in [HERE / "pyproject.toml", HERE / "backend.py", HERE / "README.md", *_files()]:
            archive.add(path, f"{base}/{path.relative_to(HERE)}")
    return f"{base}.tar.gz"


def _files() -> list[Path]:
    missing = [name for name in BUILT if not (SOURCES / name).is_file()]
    if missing:
        raise SystemExit(f"error: the SDK is not built: `{missing[0]}` is missing; run `python3 prepare.py` in `{HERE}`; it needs cargo")
    return sorted(path for path in SOURCES.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _wheel(folder: str, files: Iterator[tuple[str, bytes]]) -> str:
    name = f"{NAME}-{VERSION}-py3-none-any.whl"
    record = []
    with zipfile.ZipFile(Path(folder, name), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in [*files, *_about()]:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(content)}")
            _add(archive, path, content)
        own = f"{ABOUT}/RECORD"
        _add(archive, own, "\n".join([*record, f"{own},,", ""]).encode())
    return name


def _add(archive: zipfile.ZipFile, path: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(path, EARLIEST)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def _about() -> list[tuple[str, bytes]]:
    extras = PROJECT["optional-dependencies"]
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {PROJECT['name']}",
        f"Version: {VERSION}",
        f"Summary: {PROJECT['description']}",
        f"License-Expression: {PROJECT['license']}",
        *(["License-File: LICENSE"] if LICENCE.is_file() else []),
        f"Requires-Python: {PROJECT['requires-python']}",
        *(f"Requires-Dist: {needed}" for needed in PROJECT["dependencies"]),
        *(f"Provides-Extra: {extra}" for extra in extras),
        *(f'Requires-Dist: {needed}; extra == "{extra}"' for extra in extras for needed in extras[extra]),
    ]
    scripts = [f"{name} = {target}" for name, target in PROJECT["scripts"].items()]
    wheel = ["Wheel-Version: 1.0", "Generator: tenon-sdk", "Root-Is-Purelib: true", "Tag: py3-none-any"]
    files = {"METADATA": lines, "WHEEL": wheel, "entry_points.txt": ["[console_scripts]", *scripts]}
    about = [(f"{ABOUT}/{name}", "\n".join([*content, ""]).encode()) for name, content in files.items()]
    if LICENCE.is_file():
        about.append((f"{ABOUT}/licenses/LICENSE", LICENCE.read_bytes()))
    return about
