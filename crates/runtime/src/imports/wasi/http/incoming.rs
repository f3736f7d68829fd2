//! The request as the guest reads it.

use crate::imports::{
    RequestState,
    bindings::proxy::wasi::http::types::{
        ErrorCode, HostFutureTrailers, HostIncomingBody, HostIncomingRequest, Method, Scheme,
    },
    resources::{
        InputStream, Pollable,
        http::{Fields, FutureTrailers, IncomingBody, IncomingRequest},
    },
};
use contract::http::{self, Request};
use std::mem;
use wasmtime::component::Resource;

/// A method by its name.
pub(super) fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

impl HostIncomingRequest for RequestState {
    fn method(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<Method> {
        self.meter.count_host_call()?;
        Ok(method(&self.wasi.table.get(&request)?.request.method))
    }

    fn path_with_query(
        &mut self,
        request: Resource<IncomingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        self.meter.count_host_call()?;
        let Request { path, query, .. } = &self.wasi.table.get(&request)?.request;
        Ok(Some(match query.as_str() {
            "" => path.clone(),
            query => format!("{path}?{query}"),
        }))
    }

    fn scheme(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<Option<Scheme>> {
        self.meter.count_host_call()?;
        Ok(Some(
            match self.wasi.table.get(&request)?.context().scheme {
                http::Scheme::Http => Scheme::Http,
                http::Scheme::Https => Scheme::Https,
            },
        ))
    }

    fn authority(
        &mut self,
        request: Resource<IncomingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        self.meter.count_host_call()?;
        let authority = &self.wasi.table.get(&request)?.context().authority;
        Ok((!authority.is_empty()).then(|| authority.clone()))
    }

    fn headers(
        &mut self,
        request: Resource<IncomingRequest>,
    ) -> wasmtime::Result<Resource<Fields>> {
        self.meter.count_host_call()?;
        let fields = Fields::of_request(&self.wasi.table.get(&request)?.request.headers);
        self.meter.count_http_text(fields.bytes())?;
        Ok(self.wasi.table.push(fields)?)
    }

    fn consume(
        &mut self,
        request: Resource<IncomingRequest>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        self.meter.count_host_call()?;
        let request = self.wasi.table.get_mut(&request)?;
        if mem::replace(&mut request.is_consumed, true) {
            return Ok(Err(()));
        }
        let body = IncomingBody(Some(mem::take(&mut request.request.body)));
        Ok(Ok(self.wasi.table.push(body)?))
    }

    fn drop(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<()> {
        self.wasi.table.delete(request)?;
        Ok(())
    }
}

impl HostIncomingBody for RequestState {
    fn stream(
        &mut self,
        body: Resource<IncomingBody>,
    ) -> wasmtime::Result<Result<Resource<InputStream>, ()>> {
        self.meter.count_host_call()?;
        Ok(match self.wasi.table.get_mut(&body)?.0.take() {
            Some(bytes) => Ok(self.wasi.table.push_child(InputStream::of(bytes), &body)?),
            None => Err(()),
        })
    }

    fn finish(
        &mut self,
        body: Resource<IncomingBody>,
    ) -> wasmtime::Result<Resource<FutureTrailers>> {
        self.meter.count_host_call()?;
        self.wasi.table.delete(body)?;
        Ok(self.wasi.table.push(FutureTrailers { is_told: false })?)
    }

    fn drop(&mut self, body: Resource<IncomingBody>) -> wasmtime::Result<()> {
        self.wasi.table.delete(body)?;
        Ok(())
    }
}

type Trailers = Option<Result<Result<Option<Resource<Fields>>, ErrorCode>, ()>>;

impl HostFutureTrailers for RequestState {
    fn subscribe(&mut self, _: Resource<FutureTrailers>) -> wasmtime::Result<Resource<Pollable>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.push(Pollable::Ready)?)
    }

    fn get(&mut self, trailers: Resource<FutureTrailers>) -> wasmtime::Result<Trailers> {
        self.meter.count_host_call()?;
        let trailers = self.wasi.table.get_mut(&trailers)?;
        let was_told = mem::replace(&mut trailers.is_told, true);
        Ok(Some(if was_told { Err(()) } else { Ok(Ok(None)) }))
    }

    fn drop(&mut self, trailers: Resource<FutureTrailers>) -> wasmtime::Result<()> {
        self.wasi.table.delete(trailers)?;
        Ok(())
    }
}
