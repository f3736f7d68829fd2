"""Plain values of the guest's configuration, such as those in section `[environment]` of tenon.toml."""

from __future__ import annotations

from .port import current


def environment(name: str) -> str | None:
    """The value of a variable; `None` if there is none. `os.environ` has them as well, in handlers."""
    return current("the environment").environment().get(name)
