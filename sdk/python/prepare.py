"""Builds what the package contains besides its modules: the interfaces of a component, and the store of tests, which needs cargo."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORKSPACE = HERE.parent.parent
PACKAGE = HERE / "src/tenon"


def main() -> None:
    """Builds both."""
    if shutil.which("cargo") is None:
        sys.exit("error: cargo is not found: install Rust from https://rustup.rs, and run `rustup target add wasm32-wasip2`")
    interfaces = PACKAGE / "build/wit"
    shutil.rmtree(interfaces, ignore_errors=True)
    shutil.copytree(WORKSPACE / "wit", interfaces)
    # The same module as that of the SDK for JavaScript, in the same folder: whichever is built second, finds it built.
    target = Path(os.environ.get("CARGO_TARGET_DIR", WORKSPACE / "target"), "javascript-rules")
    command = [
        *("cargo", "rustc", "--locked", "--package", "storage-rules", "--lib", "--crate-type", "cdylib", "--profile", "guest"),
        *("--config", 'profile.guest.opt-level="z"', "--target", "wasm32-wasip2", "--target-dir", str(target)),
        *("--", "-C", "link-arg=--skip-wit-component"),
    ]
    status = subprocess.run(command, cwd=WORKSPACE).returncode
    if status != 0:
        sys.exit(status)
    shutil.copyfile(target / "wasm32-wasip2/guest/storage_rules.wasm", PACKAGE / "testing/rules.wasm")


if __name__ == "__main__":
    main()
