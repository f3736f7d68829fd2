//! The hosts' client in the form that clients of the SDK take.

use crate::service::target_of;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient as SdkHttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
        SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use contract::origin::UrlError;
use http::Request;
use http_client::{Authorities, ClientOptions, HttpClient, SendError, Target, Wait};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// For the head of a response, where the SDK's client sets no other time: longer than any operation takes.
const HEAD_DURATION_DEFAULT: Duration = Duration::from_secs(60);
/// Between two pieces of a response's body.
const PIECE_DURATION_MAX: Duration = Duration::from_secs(10);

/// An HTTP client for clients of the SDK. Reads whole responses, of at most `bytes_max` bytes; errors of its connectors have a
/// [`SendError`] as a source.
pub fn sdk_client(
    options: ClientOptions,
    authorities: Authorities,
    bytes_max: usize,
) -> SharedHttpClient {
    let client = HttpClient::new(options).with_authorities(authorities);
    SharedHttpClient::new(Client {
        client: Arc::new(client),
        bytes_max,
    })
}

#[derive(Clone, Debug)]
struct Client {
    client: Arc<HttpClient>,
    bytes_max: usize,
}

impl SdkHttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            client: self.clone(),
            head_duration_max: settings.read_timeout().unwrap_or(HEAD_DURATION_DEFAULT),
        })
    }
}

#[derive(Clone, Debug)]
struct Connector {
    client: Client,
    head_duration_max: Duration,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.send(request).await })
    }
}

/// Why a request of the SDK cannot be sent.
#[derive(Debug, thiserror::Error)]
enum InvalidRequestError {
    #[error("the address {0}")]
    Address(#[from] UrlError),
    #[error("the request cannot be written: {0}")]
    Http(#[from] http::Error),
    #[error("the body is not in memory")]
    Body,
}

impl Connector {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let (target, request) =
            converted(request).map_err(|error| ConnectorError::user(error.into()))?;
        let wait = Wait::Pieces {
            head: Instant::now() + self.head_duration_max,
            piece: PIECE_DURATION_MAX,
        };
        let Client { client, bytes_max } = &self.client;
        let response = client.send(&target, request, *bytes_max, wait).await;
        let response = response.map_err(connector_error)?.map(SdkBody::from);
        HttpResponse::try_from(response).map_err(|error| {
            let words = format!("the response cannot be read: {error}");
            ConnectorError::io(SendError::Unknown(words).into())
        })
    }
}

fn converted(request: HttpRequest) -> Result<(Target, Request<Bytes>), InvalidRequestError> {
    let body = request.body().bytes().ok_or(InvalidRequestError::Body)?;
    let body = Bytes::copy_from_slice(body);
    let (target, path) = target_of(request.uri())?;
    let mut converted = Request::builder().method(request.method()).uri(path);
    for (name, value) in request.headers() {
        converted = converted.header(name, value);
    }
    Ok((target, converted.body(body)?))
}

fn connector_error(error: SendError) -> ConnectorError {
    match error {
        SendError::Invalid(_) | SendError::NotAllowed(_) | SendError::TooLarge(_) => {
            ConnectorError::user(error.into())
        }
        SendError::Refused(_)
        | SendError::NotSent(_)
        | SendError::Unknown(_)
        | SendError::HeadTooLarge(_) => ConnectorError::io(error.into()),
    }
}
