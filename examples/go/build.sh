#!/bin/sh
# Builds build/notes.wasm: bindings of the interfaces, a module of WASI 0.1, and a component of it.
set -eu
cd "$(dirname "$0")"
tool() { cargo run --quiet --release --locked --manifest-path tool/Cargo.toml -- "$@"; }
host-cli wit wit --replace >/dev/null
tool bindings wit .
mkdir -p build
# The flag lets the bindings' runtime reach Go's allocator. Nothing is downloaded: the only other module is beside this one.
GOOS=wasip1 GOARCH=wasm GOPROXY=off GOTOOLCHAIN=local \
    go build -mod=mod -trimpath -buildmode=c-shared -ldflags="-checklinkname=0 -s -w" -o build/core.wasm .
tool component wit build/core.wasm build/notes.wasm
