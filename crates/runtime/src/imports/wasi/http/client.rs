//! Outgoing requests, on the same port as `tenon:handler/outgoing`.
//!
//! A request is sent when the guest waits for its response and has finished its body: guests call `handle` before they write the body. All
//! whole requests that a guest waits for at a time are sent at the same time, and all have their responses before it goes on, so that it cannot
//! see which came first.

use super::incoming::method;
use crate::imports::{
    RequestState,
    bindings::proxy::wasi::http::{
        outgoing_handler,
        types::{
            ErrorCode, HostFutureIncomingResponse, HostIncomingResponse, HostOutgoingRequest,
            HostRequestOptions, Method, Scheme,
        },
    },
    resources::{
        Pollable,
        http::{
            BodyOf, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody,
            OutgoingRequest, RequestOptions,
        },
    },
};
use contract::{http::is_token, log::LogLevel, outcome::Stop};
use outgoing::OutgoingError;
use std::{collections::BTreeSet, mem, time::Duration};
use wasmtime::component::Resource;

impl outgoing_handler::Host for RequestState {
    fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> wasmtime::Result<Result<Resource<FutureIncomingResponse>, ErrorCode>> {
        self.meter.count_host_call()?;
        let request = self.wasi.table.delete(request)?;
        let options = match options {
            Some(options) => self.wasi.table.delete(options)?,
            None => RequestOptions::default(),
        };
        let (Some(authority), path) = (request.authority, request.path_with_query) else {
            return Ok(Err(ErrorCode::HttpRequestUriInvalid));
        };
        // Copies of fields share their memory until here.
        self.meter.count_http_text(request.headers.bytes())?;
        let scheme = request.scheme.as_deref().unwrap_or("https");
        let path = match path {
            Some(path) if path.starts_with('/') => path,
            Some(query) => format!("/{query}"),
            None => "/".to_owned(),
        };
        let sent = outgoing::OutgoingRequest {
            method: request.method,
            url: format!("{scheme}://{authority}{path}"),
            headers: request.headers.into_text(),
            body: Vec::new(),
            // The response is passed on when it is whole; until its first byte, the guest has said how long it waits.
            timeout: options.first_byte.map(Duration::from_nanos),
        };
        Ok(Ok(self.wasi.table.push(
            FutureIncomingResponse::Unsent {
                request: sent,
                body: request.body,
            },
        )?))
    }
}

/// An error as the interface has it. Its words are in the log.
fn error_code(error: &OutgoingError) -> ErrorCode {
    match error {
        OutgoingError::InvalidRequest(_) => ErrorCode::HttpProtocolError,
        OutgoingError::NotGranted(_) => ErrorCode::HttpRequestDenied,
        OutgoingError::Unreachable(_) => ErrorCode::DestinationUnavailable,
        OutgoingError::OutcomeUnknown(_) => ErrorCode::HttpResponseIncomplete,
        OutgoingError::ResponseTooLarge(_) => ErrorCode::HttpResponseBodySize(None),
    }
}

impl RequestState {
    /// Sends the whole requests among these futures, which are named by their places in the table, and keeps what comes back.
    pub(in crate::imports::wasi) async fn send_whole(
        &mut self,
        futures: impl Iterator<Item = u32>,
    ) -> wasmtime::Result<()> {
        let (mut waiting, mut requests) = (Vec::new(), Vec::new());
        // A list may name one of them many times.
        let futures: BTreeSet<u32> = futures.collect();
        for future in futures {
            let found: &mut FutureIncomingResponse =
                self.wasi.table.get_mut(&Resource::new_borrow(future))?;
            match found.take_whole_request() {
                Some(Ok(request)) => {
                    waiting.push(future);
                    requests.push(request);
                }
                Some(Err(error)) => {
                    *found = FutureIncomingResponse::Answered(Err(error.clone()));
                    self.log_failed_request(&error);
                }
                None => {}
            }
        }
        if requests.is_empty() {
            return Ok(());
        }
        let answers = self.send_all(requests).await?;
        for (future, answer) in waiting.into_iter().zip(answers) {
            if let Err(error) = &answer {
                self.log_failed_request(error);
            }
            let found: &mut FutureIncomingResponse =
                self.wasi.table.get_mut(&Resource::new_borrow(future))?;
            *found = FutureIncomingResponse::Answered(answer);
        }
        Ok(())
    }

    /// The guest gets a code only.
    fn log_failed_request(&mut self, error: &OutgoingError) {
        self.log(LogLevel::Warn, format!("outgoing request: {error}"), []);
    }

    /// Whether a response is there.
    pub(in crate::imports::wasi) fn is_answered(&self, future: u32) -> wasmtime::Result<bool> {
        let found: &FutureIncomingResponse = self.wasi.table.get(&Resource::new_borrow(future))?;
        Ok(found.is_answered())
    }
}

impl RequestState {
    /// Before the host keeps a text of an outgoing request.
    fn count_text(&mut self, text: Option<&str>) -> Result<(), Stop> {
        self.meter.count_http_text(text.map_or(0, str::len))
    }
}

fn method_name(method: Method) -> String {
    let name = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => return name,
    };
    name.to_owned()
}

impl HostOutgoingRequest for RequestState {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingRequest>> {
        self.meter.count_host_call()?;
        let headers = self.wasi.table.delete(headers)?;
        Ok(self.wasi.table.push(OutgoingRequest {
            method: "GET".to_owned(),
            scheme: None,
            authority: None,
            path_with_query: None,
            headers,
            body: None,
        })?)
    }

    fn body(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        self.meter.count_host_call()?;
        let request = self.wasi.table.get_mut(&request)?;
        let Ok(length) = request.headers.content_length() else {
            return Ok(Err(()));
        };
        if request.body.is_some() {
            return Ok(Err(()));
        }
        let (body, finished) = OutgoingBody::new(BodyOf::Request, length);
        request.body = Some(finished);
        Ok(Ok(self.wasi.table.push(body)?))
    }

    fn method(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Method> {
        self.meter.count_host_call()?;
        Ok(method(&self.wasi.table.get(&request)?.method))
    }

    fn set_method(
        &mut self,
        request: Resource<OutgoingRequest>,
        method: Method,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.meter.count_host_call()?;
        let name = method_name(method);
        if !is_token(&name) {
            return Ok(Err(()));
        }
        self.count_text(Some(&name))?;
        self.wasi.table.get_mut(&request)?.method = name;
        Ok(Ok(()))
    }

    fn path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.get(&request)?.path_with_query.clone())
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
        path_with_query: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.meter.count_host_call()?;
        self.count_text(path_with_query.as_deref())?;
        if path_with_query
            .as_deref()
            .is_some_and(|text| !text.starts_with(['/', '?']))
        {
            return Ok(Err(()));
        }
        self.wasi.table.get_mut(&request)?.path_with_query = path_with_query;
        Ok(Ok(()))
    }

    fn scheme(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<Scheme>> {
        self.meter.count_host_call()?;
        let scheme = &self.wasi.table.get(&request)?.scheme;
        Ok(scheme.as_deref().map(|name| match name {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => Scheme::Other(other.to_owned()),
        }))
    }

    fn set_scheme(
        &mut self,
        request: Resource<OutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.meter.count_host_call()?;
        let name = scheme.map(|scheme| match scheme {
            Scheme::Http => "http".to_owned(),
            Scheme::Https => "https".to_owned(),
            Scheme::Other(name) => name,
        });
        self.count_text(name.as_deref())?;
        if !matches!(name.as_deref(), None | Some("http" | "https")) {
            return Ok(Err(()));
        }
        self.wasi.table.get_mut(&request)?.scheme = name;
        Ok(Ok(()))
    }

    fn authority(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.get(&request)?.authority.clone())
    }

    fn set_authority(
        &mut self,
        request: Resource<OutgoingRequest>,
        authority: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.meter.count_host_call()?;
        self.count_text(authority.as_deref())?;
        if authority
            .as_deref()
            .is_some_and(|text| text.is_empty() || text.contains(['/', '?', '#', '@', '\\']))
        {
            return Ok(Err(()));
        }
        self.wasi.table.get_mut(&request)?.authority = authority;
        Ok(Ok(()))
    }

    fn headers(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Resource<Fields>> {
        self.meter.count_host_call()?;
        let fields = self.wasi.table.get(&request)?.headers.immutable();
        Ok(self.wasi.table.push(fields)?)
    }

    fn drop(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<()> {
        self.wasi.table.delete(request)?;
        Ok(())
    }
}

impl HostRequestOptions for RequestState {
    fn new(&mut self) -> wasmtime::Result<Resource<RequestOptions>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.push(RequestOptions::default())?)
    }

    fn connect_timeout(
        &mut self,
        options: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.get(&options)?.connect)
    }

    fn set_connect_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        duration: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.meter.count_host_call()?;
        self.wasi.table.get_mut(&options)?.connect = duration;
        Ok(Ok(()))
    }

    fn first_byte_timeout(
        &mut self,
        options: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.get(&options)?.first_byte)
    }

    fn set_first_byte_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        duration: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.meter.count_host_call()?;
        self.wasi.table.get_mut(&options)?.first_byte = duration;
        Ok(Ok(()))
    }

    fn between_bytes_timeout(
        &mut self,
        options: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.get(&options)?.between_bytes)
    }

    fn set_between_bytes_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        duration: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.meter.count_host_call()?;
        self.wasi.table.get_mut(&options)?.between_bytes = duration;
        Ok(Ok(()))
    }

    fn drop(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<()> {
        self.wasi.table.delete(options)?;
        Ok(())
    }
}

impl HostIncomingResponse for RequestState {
    fn status(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<u16> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.get(&response)?.status)
    }

    fn headers(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Resource<Fields>> {
        self.meter.count_host_call()?;
        let fields = self.wasi.table.get(&response)?.headers.immutable();
        Ok(self.wasi.table.push(fields)?)
    }

    fn consume(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        self.meter.count_host_call()?;
        Ok(match self.wasi.table.get_mut(&response)?.body.take() {
            Some(body) => Ok(self.wasi.table.push(IncomingBody(Some(body)))?),
            None => Err(()),
        })
    }

    fn drop(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<()> {
        self.wasi.table.delete(response)?;
        Ok(())
    }
}

type Received = Option<Result<Result<Resource<IncomingResponse>, ErrorCode>, ()>>;

impl HostFutureIncomingResponse for RequestState {
    fn subscribe(
        &mut self,
        response: Resource<FutureIncomingResponse>,
    ) -> wasmtime::Result<Resource<Pollable>> {
        self.meter.count_host_call()?;
        let pollable = Pollable::Response(response.rep());
        Ok(self.wasi.table.push_child(pollable, &response)?)
    }

    fn get(&mut self, response: Resource<FutureIncomingResponse>) -> wasmtime::Result<Received> {
        self.meter.count_host_call()?;
        let future = self.wasi.table.get_mut(&response)?;
        if !future.is_answered() {
            return Ok(None);
        }
        let answer = match mem::replace(future, FutureIncomingResponse::Taken) {
            FutureIncomingResponse::Answered(answer) => answer,
            FutureIncomingResponse::Taken | FutureIncomingResponse::Unsent { .. } => {
                return Ok(Some(Err(())));
            }
        };
        Ok(Some(Ok(match answer {
            Ok(response) => {
                let response = IncomingResponse::of(response);
                self.meter.count_http_text(response.headers.bytes())?;
                Ok(self.wasi.table.push(response)?)
            }
            Err(error) => Err(error_code(&error)),
        })))
    }

    fn drop(&mut self, response: Resource<FutureIncomingResponse>) -> wasmtime::Result<()> {
        self.wasi.table.delete(response)?;
        Ok(())
    }
}
