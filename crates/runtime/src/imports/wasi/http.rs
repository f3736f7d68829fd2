//! `wasi:http`, for components that were not made for this project: the whole request is there before the guest runs, and its response is
//! sent after the guest has returned.
//!
//! Messages have no trailers. There is a response if `response-outparam` got one and its body was finished.

mod client;
mod fields;
mod incoming;
mod outgoing;

use crate::imports::{
    RequestState,
    bindings::proxy::wasi::http::{outgoing_handler, types},
    resources::{
        StreamError,
        http::{Answer, IncomingRequest, ResponseOutparam, response},
    },
};
use contract::{
    http::{Request, Response},
    outcome::NoResponse,
};
use wasmtime::component::{HasSelf, Linker, Resource};

/// The state of the interface during one request: what `response-outparam` got.
#[derive(Default)]
pub(in crate::imports) struct Exchange(Option<Box<Answer>>);

/// The provided interfaces, by name without version.
pub(in crate::imports) const INTERFACES: [&str; 2] =
    ["wasi:http/outgoing-handler", "wasi:http/types"];

/// Defines those interfaces that a component `asks` for, by name without version.
pub(in crate::imports) fn add_to_linker(
    linker: &mut Linker<RequestState>,
    asks: impl Fn(&str) -> bool,
) -> wasmtime::Result<()> {
    if asks("wasi:http/types") {
        types::add_to_linker::<_, HasSelf<RequestState>>(linker, |context| context)?;
    }
    if asks("wasi:http/outgoing-handler") {
        outgoing_handler::add_to_linker::<_, HasSelf<RequestState>>(linker, |context| context)?;
    }
    Ok(())
}

impl RequestState {
    /// The arguments of `incoming-handler.handle`.
    pub(crate) fn begin_exchange(
        &mut self,
        request: Request,
    ) -> wasmtime::Result<(Resource<IncomingRequest>, Resource<ResponseOutparam>)> {
        let request = self.wasi.table.push(IncomingRequest::of(request))?;
        let response = self.wasi.table.push(ResponseOutparam)?;
        Ok((request, response))
    }

    /// The guest's response, after `incoming-handler.handle` has returned.
    pub(crate) fn end_exchange(&mut self) -> Result<Response, NoResponse> {
        let answer = self.wasi.exchange.0.take().ok_or(NoResponse::NotSet)?;
        response(*answer)
    }
}

impl types::Host for RequestState {
    fn http_error_code(
        &mut self,
        error: Resource<StreamError>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        self.meter.count_host_call()?;
        Ok(match self.wasi.table.get(&error)? {
            StreamError::BodyBytes(bytes) => {
                Some(types::ErrorCode::HttpResponseBodySize(Some(*bytes)))
            }
        })
    }
}
