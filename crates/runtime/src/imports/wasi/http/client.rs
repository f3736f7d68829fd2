//! Outgoing requests, which are all denied: a component may be linked with what it never uses.

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
            Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody,
            OutgoingRequest, RequestOptions,
        },
    },
};
use contract::{http::is_token, outcome::Stop};
use std::mem;
use wasmtime::component::Resource;

impl outgoing_handler::Host for RequestState {
    fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> wasmtime::Result<Result<Resource<FutureIncomingResponse>, ErrorCode>> {
        self.meter.count_host_call()?;
        self.wasi.table.delete(request)?;
        if let Some(options) = options {
            self.wasi.table.delete(options)?;
        }
        Ok(Err(ErrorCode::HttpRequestDenied))
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
            has_body: false,
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
        if mem::replace(&mut request.has_body, true) {
            return Ok(Err(()));
        }
        let (body, _) = OutgoingBody::new(length);
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
        match *self.wasi.table.get(&response)? {}
    }

    fn headers(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Resource<Fields>> {
        match *self.wasi.table.get(&response)? {}
    }

    fn consume(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        match *self.wasi.table.get(&response)? {}
    }

    fn drop(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<()> {
        match self.wasi.table.delete(response)? {}
    }
}

type Received = Option<Result<Result<Resource<IncomingResponse>, ErrorCode>, ()>>;

impl HostFutureIncomingResponse for RequestState {
    fn subscribe(
        &mut self,
        response: Resource<FutureIncomingResponse>,
    ) -> wasmtime::Result<Resource<Pollable>> {
        match *self.wasi.table.get(&response)? {}
    }

    fn get(&mut self, response: Resource<FutureIncomingResponse>) -> wasmtime::Result<Received> {
        match *self.wasi.table.get(&response)? {}
    }

    fn drop(&mut self, response: Resource<FutureIncomingResponse>) -> wasmtime::Result<()> {
        match self.wasi.table.delete(response)? {}
    }
}
