//! The response as the guest makes it, and bodies of responses and of requests to other services.

use crate::imports::{
    RequestState,
    bindings::{
        proxy::wasi::http::types::{
            ErrorCode, HostOutgoingBody, HostOutgoingResponse, HostResponseOutparam,
        },
        wasi::io::streams,
    },
    resources::{
        OutputStream, StreamError,
        http::{BodyOf, Fields, OutgoingBody, OutgoingResponse, ResponseOutparam},
    },
};
use contract::{log::LogLevel, outcome::NoResponse};
use std::mem;
use wasmtime::component::Resource;

impl RequestState {
    /// Appends to a body.
    pub(in crate::imports::wasi) fn write_body(
        &mut self,
        body: u32,
        contents: &[u8],
    ) -> wasmtime::Result<Result<(), streams::StreamError>> {
        let body: &mut OutgoingBody = self.wasi.table.get_mut(&Resource::new_borrow(body))?;
        let written = (body.bytes.len() + contents.len()) as u64;
        if body.length.is_some_and(|length| written > length) {
            let error = self.wasi.table.push(StreamError::BodyBytes(written))?;
            return Ok(Err(streams::StreamError::LastOperationFailed(error)));
        }
        match body.of {
            BodyOf::Response => self.meter.count_body_bytes(contents.len())?,
            BodyOf::Request => self.meter.count_outgoing_bytes(contents.len())?,
        }
        body.bytes.extend_from_slice(contents);
        Ok(Ok(()))
    }
}

impl HostResponseOutparam for RequestState {
    fn set(
        &mut self,
        parameter: Resource<ResponseOutparam>,
        response: Result<Resource<OutgoingResponse>, ErrorCode>,
    ) -> wasmtime::Result<()> {
        self.meter.count_host_call()?;
        self.wasi.table.delete(parameter)?;
        let answer = match response {
            Ok(response) => Ok(self.wasi.table.delete(response)?),
            Err(code) => {
                let name = name(&code);
                if let ErrorCode::InternalError(Some(message)) = code {
                    self.log(LogLevel::Error, message, []);
                }
                Err(name)
            }
        };
        self.wasi.exchange.0 = Some(Box::new(answer));
        Ok(())
    }

    fn drop(&mut self, parameter: Resource<ResponseOutparam>) -> wasmtime::Result<()> {
        self.wasi.table.delete(parameter)?;
        Ok(())
    }
}

impl HostOutgoingResponse for RequestState {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingResponse>> {
        self.meter.count_host_call()?;
        let headers = self.wasi.table.delete(headers)?;
        Ok(self.wasi.table.push(OutgoingResponse {
            status: 200,
            headers,
            body: None,
        })?)
    }

    fn status_code(&mut self, response: Resource<OutgoingResponse>) -> wasmtime::Result<u16> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.get(&response)?.status)
    }

    fn set_status_code(
        &mut self,
        response: Resource<OutgoingResponse>,
        status: u16,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.meter.count_host_call()?;
        if !(100..1000).contains(&status) {
            return Ok(Err(()));
        }
        self.wasi.table.get_mut(&response)?.status = status;
        Ok(Ok(()))
    }

    fn headers(
        &mut self,
        response: Resource<OutgoingResponse>,
    ) -> wasmtime::Result<Resource<Fields>> {
        self.meter.count_host_call()?;
        let fields = self.wasi.table.get(&response)?.headers.immutable();
        Ok(self.wasi.table.push(fields)?)
    }

    fn body(
        &mut self,
        response: Resource<OutgoingResponse>,
    ) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        self.meter.count_host_call()?;
        let response = self.wasi.table.get_mut(&response)?;
        let Ok(length) = response.headers.content_length() else {
            return Ok(Err(()));
        };
        if response.body.is_some() {
            return Ok(Err(()));
        }
        let (body, finished) = OutgoingBody::new(BodyOf::Response, length);
        response.body = Some(finished);
        Ok(Ok(self.wasi.table.push(body)?))
    }

    fn drop(&mut self, response: Resource<OutgoingResponse>) -> wasmtime::Result<()> {
        self.wasi.table.delete(response)?;
        Ok(())
    }
}

impl HostOutgoingBody for RequestState {
    fn write(
        &mut self,
        body: Resource<OutgoingBody>,
    ) -> wasmtime::Result<Result<Resource<OutputStream>, ()>> {
        self.meter.count_host_call()?;
        if mem::replace(&mut self.wasi.table.get_mut(&body)?.is_written, true) {
            return Ok(Err(()));
        }
        let stream = OutputStream::Body(body.rep());
        Ok(Ok(self.wasi.table.push_child(stream, &body)?))
    }

    fn finish(
        &mut self,
        body: Resource<OutgoingBody>,
        trailers: Option<Resource<Fields>>,
    ) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.meter.count_host_call()?;
        let body = self.wasi.table.delete(body)?;
        if let Some(trailers) = trailers {
            // A message is sent whole, with its length: it has no trailers.
            self.wasi.table.delete(trailers)?;
        }
        let written = body.bytes.len() as u64;
        let (finished, result) = match body.length {
            Some(length) if length != written => (
                Err(NoResponse::BodyLength),
                Err(match body.of {
                    BodyOf::Response => ErrorCode::HttpResponseBodySize(Some(written)),
                    BodyOf::Request => ErrorCode::HttpRequestBodySize(Some(written)),
                }),
            ),
            _ => (Ok(body.bytes), Ok(())),
        };
        // A body is finished once, because that takes it.
        let _ = body.finished.set(finished);
        Ok(result)
    }

    fn drop(&mut self, body: Resource<OutgoingBody>) -> wasmtime::Result<()> {
        self.wasi.table.delete(body)?;
        Ok(())
    }
}

/// The code as the interface spells it.
fn name(code: &ErrorCode) -> &'static str {
    match code {
        ErrorCode::DnsTimeout => "DNS-timeout",
        ErrorCode::DnsError(_) => "DNS-error",
        ErrorCode::DestinationNotFound => "destination-not-found",
        ErrorCode::DestinationUnavailable => "destination-unavailable",
        ErrorCode::DestinationIpProhibited => "destination-IP-prohibited",
        ErrorCode::DestinationIpUnroutable => "destination-IP-unroutable",
        ErrorCode::ConnectionRefused => "connection-refused",
        ErrorCode::ConnectionTerminated => "connection-terminated",
        ErrorCode::ConnectionTimeout => "connection-timeout",
        ErrorCode::ConnectionReadTimeout => "connection-read-timeout",
        ErrorCode::ConnectionWriteTimeout => "connection-write-timeout",
        ErrorCode::ConnectionLimitReached => "connection-limit-reached",
        ErrorCode::TlsProtocolError => "TLS-protocol-error",
        ErrorCode::TlsCertificateError => "TLS-certificate-error",
        ErrorCode::TlsAlertReceived(_) => "TLS-alert-received",
        ErrorCode::HttpRequestDenied => "HTTP-request-denied",
        ErrorCode::HttpRequestLengthRequired => "HTTP-request-length-required",
        ErrorCode::HttpRequestBodySize(_) => "HTTP-request-body-size",
        ErrorCode::HttpRequestMethodInvalid => "HTTP-request-method-invalid",
        ErrorCode::HttpRequestUriInvalid => "HTTP-request-URI-invalid",
        ErrorCode::HttpRequestUriTooLong => "HTTP-request-URI-too-long",
        ErrorCode::HttpRequestHeaderSectionSize(_) => "HTTP-request-header-section-size",
        ErrorCode::HttpRequestHeaderSize(_) => "HTTP-request-header-size",
        ErrorCode::HttpRequestTrailerSectionSize(_) => "HTTP-request-trailer-section-size",
        ErrorCode::HttpRequestTrailerSize(_) => "HTTP-request-trailer-size",
        ErrorCode::HttpResponseIncomplete => "HTTP-response-incomplete",
        ErrorCode::HttpResponseHeaderSectionSize(_) => "HTTP-response-header-section-size",
        ErrorCode::HttpResponseHeaderSize(_) => "HTTP-response-header-size",
        ErrorCode::HttpResponseBodySize(_) => "HTTP-response-body-size",
        ErrorCode::HttpResponseTrailerSectionSize(_) => "HTTP-response-trailer-section-size",
        ErrorCode::HttpResponseTrailerSize(_) => "HTTP-response-trailer-size",
        ErrorCode::HttpResponseTransferCoding(_) => "HTTP-response-transfer-coding",
        ErrorCode::HttpResponseContentCoding(_) => "HTTP-response-content-coding",
        ErrorCode::HttpResponseTimeout => "HTTP-response-timeout",
        ErrorCode::HttpUpgradeFailed => "HTTP-upgrade-failed",
        ErrorCode::HttpProtocolError => "HTTP-protocol-error",
        ErrorCode::LoopDetected => "loop-detected",
        ErrorCode::ConfigurationError => "configuration-error",
        ErrorCode::InternalError(_) => "internal-error",
    }
}
