"""The store of a test: the hosts' own rules and their store in memory, compiled to WebAssembly."""

from __future__ import annotations

import atexit
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..port import HostError

RULES = Path(__file__).with_name("rules.wasm")


@lru_cache(maxsize=1)
def _rules() -> tuple[Any, Any]:
    try:
        import wasmtime
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "the store of tests runs on `wasmtime`, which is not installed: run `pip install 'tenon-sdk[test]'`", name="wasmtime"
        ) from None
    if not RULES.is_file():
        raise FileNotFoundError(f"the SDK is not built: `{RULES}` is missing; run `python prepare.py` in its folder")
    engine = wasmtime.Engine()
    return engine, wasmtime.Module.from_file(engine, str(RULES))


# Before Python takes apart the modules that wasmtime needs for it.
atexit.register(_rules.cache_clear)


class MemoryStore:
    """A store of its own, empty at first."""

    def __init__(self) -> None:
        import wasmtime

        engine, module = _rules()
        self._store = wasmtime.Store(engine)
        imports = [wasmtime.Func(self._store, import_.type, _nothing(import_.type)) for import_ in module.imports]
        exports: Any = wasmtime.Instance(self._store, module, imports).exports(self._store)
        self._exports = exports
        if "_initialize" in self._exports:
            self._exports["_initialize"](self._store)

    def ask(self, name: str, parameters: dict[str, Any] | None = None) -> Any:
        """The result of a call; raises the error of the interface."""
        question = json.dumps(name if parameters is None else {name: parameters}).encode()
        exports, store = self._exports, self._store
        exports["memory"].write(store, question, exports["allocate"](store, len(question)))
        at = exports["perform"](store)
        answer = json.loads(exports["memory"].read(store, at, at + exports["result_length"](store)))
        if "error" in answer:
            raise HostError(answer["error"]["tag"], answer["error"].get("val"))
        return answer["ok"]


def _nothing(type_: Any) -> Any:
    """What a standard library may ask for, such as the seed of a hash table: nothing here depends on it."""
    return lambda *_: 0 if len(type_.results) > 0 else None
