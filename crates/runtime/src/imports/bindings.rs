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
        "wasi:io/error.error": crate::imports::resources::StreamError,
        "wasi:io/poll.pollable": crate::imports::resources::Pollable,
        "wasi:io/streams.input-stream": crate::imports::resources::InputStream,
        "wasi:io/streams.output-stream": crate::imports::resources::OutputStream,
        "wasi:cli/terminal-input.terminal-input": crate::imports::resources::Terminal,
        "wasi:cli/terminal-output.terminal-output": crate::imports::resources::Terminal,
    },
});
