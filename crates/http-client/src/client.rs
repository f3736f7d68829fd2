//! The client: a connection for each request, a kept one if there is one.

use crate::{
    connect::Connector,
    connection::{Connection, Received},
    error::SendError,
    options::ClientOptions,
    pool::{Pool, Target},
    resolve::{Resolve, SystemResolver},
    response::authenticates_connection,
    tls::{Authorities, Tls},
    wait::Wait,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::Full;
use std::fmt;

/// Sends requests with HTTP/1.1, and keeps connections for later ones.
pub struct HttpClient {
    connector: Connector,
    pool: Pool,
}

impl HttpClient {
    /// With the system's resolver and authorities.
    pub fn new(options: ClientOptions) -> Self {
        Self {
            connector: Connector {
                resolver: Box::new(SystemResolver::default()),
                tls: Tls::new(Authorities::System),
                options,
            },
            pool: Pool::new(options),
        }
    }

    /// With another resolver.
    #[must_use]
    pub fn with_resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.connector.resolver = Box::new(resolver);
        self
    }

    /// With other authorities than the system's.
    #[must_use]
    pub fn with_authorities(mut self, authorities: Authorities) -> Self {
        self.connector.tls = Tls::new(authorities);
        self
    }

    /// Sends a request and waits for the whole response, whose body has at most `body_bytes_max` bytes. The request's URI is what is sent as its
    /// target, path and query; `host` and `content-length` are written here. It is sent once: again only if the server had closed a kept
    /// connection before any of it was written. When the future is dropped, the connection is closed.
    pub async fn send(
        &self,
        target: &Target,
        request: Request<Bytes>,
        body_bytes_max: usize,
        wait: Wait,
    ) -> Result<Response<Vec<u8>>, SendError> {
        let request = whole(target, request)?;
        if let Some(connection) = self.pool.take(target) {
            let request = request.clone();
            let answered = self.exchange(target, connection, request, body_bytes_max, wait);
            match answered.await {
                Err(SendError::NotSent(_)) => {}
                result => return result,
            }
        }
        let connection = self.connector.connect(target, wait.head()).await?;
        self.exchange(target, connection, request, body_bytes_max, wait)
            .await
    }

    async fn exchange(
        &self,
        target: &Target,
        mut connection: Connection,
        request: Request<Full<Bytes>>,
        body_bytes_max: usize,
        wait: Wait,
    ) -> Result<Response<Vec<u8>>, SendError> {
        let authorization = request.headers().get(header::AUTHORIZATION);
        let is_shared =
            !authorization.is_some_and(|value| authenticates_connection(value.as_bytes()));
        let Received {
            response,
            may_be_kept,
        } = connection.exchange(request, body_bytes_max, wait).await?;
        if may_be_kept && is_shared {
            self.pool.put(target.clone(), connection);
        }
        Ok(response)
    }
}

/// With the fields that follow from the origin and the body.
fn whole(target: &Target, request: Request<Bytes>) -> Result<Request<Full<Bytes>>, SendError> {
    let authority = HeaderValue::try_from(target.origin.authority());
    let authority = authority.map_err(|error| SendError::Invalid(error.to_string()))?;
    let (mut head, body) = request.into_parts();
    head.headers.remove(header::HOST);
    head.headers.remove(header::CONTENT_LENGTH);
    // First, as servers expect it (RFC 9110, 7.2).
    let mut headers = HeaderMap::with_capacity(head.headers.len() + 2);
    headers.insert(header::HOST, authority);
    headers.extend(head.headers);
    // Methods whose requests say that they have no body (RFC 9110, 8.6).
    let has_length = matches!(head.method, Method::PATCH | Method::POST | Method::PUT);
    if has_length || !body.is_empty() {
        let length = HeaderValue::from(body.len());
        headers.insert(header::CONTENT_LENGTH, length);
    }
    head.headers = headers;
    Ok(Request::from_parts(head, Full::new(body)))
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpClient").finish_non_exhaustive()
    }
}
