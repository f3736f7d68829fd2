//! The export of a component.

pub use crate::host::wasm::bindings;

use crate::{App, Caller, Request, host::Host};
use bindings::{
    exports::tenon::handler::handler as exported,
    tenon::handler::{http, log},
};

/// Answers one request in a component: what `main!` calls.
pub fn handle(app: impl FnOnce() -> App, request: exported::Request) -> exported::Response {
    #[cfg(feature = "std")]
    report_panics();
    let response = app().answer(request.into(), &Host);
    exported::Response {
        status: response.status,
        headers: response
            .headers
            .into_iter()
            .map(|(name, value)| http::Field {
                name: name.into_owned(),
                value: value.into_owned(),
            })
            .collect(),
        body: response.body,
    }
}

/// Writes panics to the log instead of standard error. The trap that follows makes the host answer 500.
#[cfg(feature = "std")]
fn report_panics() {
    std::panic::set_hook(std::boxed::Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("a panic without a message");
        let place = info.location().map(alloc::string::ToString::to_string);
        report_panic(message, place.as_deref());
    }));
}

/// Writes a panic to the log, for a component without std in its panic handler.
pub fn report_panic(message: &str, place: Option<&str>) {
    let attribute = place.map(|place| log::Attribute {
        key: "panicked-at".into(),
        value: place.into(),
    });
    log::write(log::Level::Error, message, attribute.as_slice());
}

impl From<exported::Request> for Request {
    fn from(request: exported::Request) -> Self {
        let context = request.context;
        Self {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers.into(),
            body: request.body,
            is_https: matches!(context.scheme, http::Scheme::Https),
            authority: context.authority,
            client_address: context.client_address,
            base_path: context.base_path,
            is_path_decoded: matches!(context.path_fidelity, http::PathFidelity::DecodedByGateway),
            request_id: context.request_id,
            received_at_ms: context.received_at_ms,
            caller: context.identity.map(|identity| Caller {
                subject: identity.subject,
                claims: identity.claims,
            }),
        }
    }
}
