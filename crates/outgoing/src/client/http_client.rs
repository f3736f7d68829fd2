//! The client that all guests of a host share.

use super::{
    connect::Connector,
    connection::Connection,
    failure::Failure,
    pool::{Key, Pool},
    resolve::{Resolve, SystemResolver},
    response::{Received, authenticates_connection},
    tls::Tls,
};
use crate::{
    address::Addresses, error::OutgoingError, message::OutgoingResponse, request::ParsedRequest,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use rustls::pki_types::CertificateDer;
use std::{fmt, time::Instant};

/// Methods whose requests say that they have no body (RFC 9110, 8.6).
const METHODS_WITH_BODY: [&str; 3] = ["PATCH", "POST", "PUT"];

/// Sends requests with HTTP/1.1, and keeps connections for later ones. It follows no redirects, decompresses nothing, has no cookies, and
/// takes no proxies from the environment.
pub struct HttpClient {
    connector: Connector,
    pool: Pool,
}

impl HttpClient {
    /// With the system's resolver and the authorities that the system trusts (or those in the file that the environment variable
    /// `SSL_CERT_FILE` names), which are read when they are first needed.
    pub fn new() -> Self {
        Self::with_resolver(SystemResolver::default())
    }

    /// With another resolver.
    pub fn with_resolver(resolver: impl Resolve + 'static) -> Self {
        Self {
            connector: Connector {
                resolver: Box::new(resolver),
                tls: Tls::default(),
            },
            pool: Pool::default(),
        }
    }

    /// Trusts these authorities, in DER, instead of the system's.
    #[must_use]
    pub fn with_authorities(mut self, authorities: Vec<Vec<u8>>) -> Self {
        let authorities = authorities.into_iter().map(CertificateDer::from).collect();
        self.connector.tls = Tls::with_authorities(authorities);
        self
    }

    /// Sends a request that was checked, to an address that is allowed. It is sent once: again only if the server had closed a kept
    /// connection before any of it was written. When the future is dropped, the connection is closed.
    pub async fn send(
        &self,
        mut request: ParsedRequest,
        addresses: Addresses,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        let deadline = request.deadline_within(deadline);
        let body = Bytes::from(request.take_body());
        let key = Key {
            origin: request.origin().clone(),
            addresses,
        };
        if let Some(connection) = self.pool.take(&key) {
            let message = message(&request, body.clone())?;
            match self.exchange(&key, connection, message, deadline).await {
                Err(Failure::NotSent(_)) => {}
                result => return Ok(result?),
            }
        }
        let connecting = self.connector.connect(&key.origin, addresses, deadline);
        let connection = connecting.await?;
        let message = message(&request, body)?;
        Ok(self.exchange(&key, connection, message, deadline).await?)
    }

    async fn exchange(
        &self,
        key: &Key,
        mut connection: Connection,
        message: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<OutgoingResponse, Failure> {
        let authorization = message.headers().get(header::AUTHORIZATION);
        let is_shared =
            !authorization.is_some_and(|value| authenticates_connection(value.as_bytes()));
        let Received {
            response,
            may_be_kept,
        } = connection.exchange(message, deadline).await?;
        if may_be_kept && is_shared {
            self.pool.put(key.clone(), connection);
        }
        Ok(response)
    }
}

/// What is written: the target without the origin, which is in `host`.
fn message(request: &ParsedRequest, body: Bytes) -> Result<Request<Full<Bytes>>, OutgoingError> {
    let built = build(request, body);
    built.map_err(|error| OutgoingError::InvalidRequest(error.to_string()))
}

fn build(request: &ParsedRequest, body: Bytes) -> Result<Request<Full<Bytes>>, http::Error> {
    let uri = Uri::builder().path_and_query(request.target()).build()?;
    let authority = HeaderValue::try_from(request.origin().authority())?;
    let length = body.len();
    let mut message = Request::new(Full::new(body));
    *message.method_mut() = Method::from_bytes(request.method().as_bytes())?;
    *message.uri_mut() = uri;
    let headers = message.headers_mut();
    headers.insert(header::HOST, authority);
    for (name, value) in request.headers() {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        headers.append(name, HeaderValue::from_bytes(value.as_bytes())?);
    }
    if length > 0 || METHODS_WITH_BODY.contains(&request.method()) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(message)
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutgoingRequest;

    #[test]
    fn every_url_that_is_taken_is_sent_as_it_is() {
        let printable = (0x21..0x7f).map(char::from);
        for character in printable {
            for target in [
                format!("/{character}"),
                format!("//a{character}?"),
                format!("/?{character}"),
            ] {
                let parsed = ParsedRequest::new(OutgoingRequest {
                    method: "GET".to_owned(),
                    url: format!("https://a.example{target}"),
                    headers: Vec::new(),
                    body: Vec::new(),
                    timeout: None,
                });
                let Ok(parsed) = parsed else { continue };
                let message = message(&parsed, Bytes::new()).unwrap();
                assert_eq!(message.uri().to_string(), target);
            }
        }
    }
}
