//! Generated bindings of `wit/` and of the sealed WASI, and nothing else.

wasmtime::component::bindgen!({
    path: ["../../wit", "wit"],
    world: "tenon:host/platform",
    imports: {
        "tenon:handler/outgoing@0.1.0": async | trappable,
        "tenon:handler/secrets@0.1.0": async | trappable,
        "tenon:handler/storage@0.1.0": async | trappable,
        // Waits for responses of other services.
        "wasi:io/poll@0.2.6": async | trappable,
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

/// Those of components of `wasi:http`.
pub(crate) mod proxy {
    wasmtime::component::bindgen!({
        path: ["../../wit", "wit"],
        world: "tenon:host/proxy",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            "wasi:io/error": crate::imports::bindings::wasi::io::error,
            "wasi:io/poll": crate::imports::bindings::wasi::io::poll,
            "wasi:io/streams": crate::imports::bindings::wasi::io::streams,
            "wasi:clocks/monotonic-clock": crate::imports::bindings::wasi::clocks::monotonic_clock,
            "wasi:http/types.fields": crate::imports::resources::http::Fields,
            "wasi:http/types.incoming-request": crate::imports::resources::http::IncomingRequest,
            "wasi:http/types.incoming-body": crate::imports::resources::http::IncomingBody,
            "wasi:http/types.future-trailers": crate::imports::resources::http::FutureTrailers,
            "wasi:http/types.outgoing-response": crate::imports::resources::http::OutgoingResponse,
            "wasi:http/types.outgoing-body": crate::imports::resources::http::OutgoingBody,
            "wasi:http/types.response-outparam": crate::imports::resources::http::ResponseOutparam,
            "wasi:http/types.outgoing-request": crate::imports::resources::http::OutgoingRequest,
            "wasi:http/types.request-options": crate::imports::resources::http::RequestOptions,
            "wasi:http/types.incoming-response": crate::imports::resources::http::IncomingResponse,
            "wasi:http/types.future-incoming-response": crate::imports::resources::http::FutureIncomingResponse,
        },
    });
}
