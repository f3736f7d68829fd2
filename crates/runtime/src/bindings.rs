//! Generated bindings of `wit/` and of the sealed WASI, and nothing else.

wasmtime::component::bindgen!({
    path: ["../../wit", "wit"],
    world: "tenon:host/platform",
    imports: {
        "tenon:handler/storage@0.1.0": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: {
        "wasi:io/error.error": crate::wasi::StreamError,
        "wasi:io/poll.pollable": crate::wasi::Pollable,
        "wasi:io/streams.input-stream": crate::wasi::InputStream,
        "wasi:io/streams.output-stream": crate::wasi::OutputStream,
        "wasi:cli/terminal-input.terminal-input": crate::wasi::Terminal,
        "wasi:cli/terminal-output.terminal-output": crate::wasi::Terminal,
    },
});
