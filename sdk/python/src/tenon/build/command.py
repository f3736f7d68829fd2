"""`tenon-build`: makes the component."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .component import write_component
from .error import BuildError

_DESCRIPTION = """Builds a component of an application.

APPLICATION is the module with the `App`, and its name in it: `app:app` if it is not given, which is
`app = App()` in `app.py`."""


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser("tenon-build", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("application", metavar="APPLICATION", nargs="?", default="app:app", help="MODULE or MODULE:NAME")
    parser.add_argument("--output", "-o", metavar="FILE", type=Path, default=Path("build/guest.wasm"), help="build/guest.wasm by default")
    arguments = parser.parse_args()
    module, _, name = arguments.application.partition(":")
    name = name or "app"
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        parser.error(f"`{arguments.application}` is not of the form MODULE:NAME, such as `app:app`; a module has dots instead of `/`, and no `.py`")
    try:
        size = write_component(module, name, arguments.output)
    except BuildError as error:
        sys.exit(str(error))
    print(f"wrote {arguments.output}, {size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
