//! Artifacts in S3: `s3://`. A few kinds of requests, signed as the SDK signs them, over its HTTP client; its own client for S3 would be
//! larger than the rest of the host.

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::HttpConnector,
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use contract::digest::Digest;
use release::{ArtifactName, StoreError};
use release::{ArtifactStore, MANIFESTS, Put, digest_of_manifest};
use std::{
    error::Error,
    fmt,
    time::{Duration, SystemTime},
};
use storage_dynamodb::plain_endpoint::credentials_for;
use tokio::time::{sleep, timeout};

/// Attempts at a request that S3 could not answer.
const ATTEMPTS_MAX: u32 = 3;
/// Pause before the second attempt; doubled before the next.
const PAUSE: Duration = Duration::from_millis(200);
/// Until the head of an answer is there, connecting and sending included.
const HEAD_DURATION_MAX: Duration = Duration::from_secs(10);
/// The same while an artifact is sent.
const UPLOAD_DURATION_MAX: Duration = Duration::from_secs(300);
/// Between two pieces of an answer's body.
const PIECE_DURATION_MAX: Duration = Duration::from_secs(10);

/// A page of a listing has a thousand keys (AWS: ListObjectsV2), each below 2 KiB with what is said of it.
const PAGE_BYTES_MAX: usize = 2 << 20;
/// Pages that are listed.
const PAGES_MAX: u32 = 20;

/// What is asked of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3Request {
    /// An artifact.
    Get,
    /// Whether an artifact is there.
    Head,
    /// The names of artifacts.
    List,
    /// To keep an artifact.
    Put,
    /// The same unless there is something under its name (AWS: "Prevent object overwrites with conditional writes").
    PutNew,
}

impl S3Request {
    /// All of them. The stack's roles are compared with this list, so that none may do more.
    pub const ALL: [Self; 5] = [Self::Get, Self::Head, Self::List, Self::Put, Self::PutNew];
    /// Of a write that replaces nothing; its only value is `*`.
    const CONDITION: &str = "if-none-match";

    fn method(self) -> &'static str {
        match self {
            Self::Get | Self::List => "GET",
            Self::Head => "HEAD",
            Self::Put | Self::PutNew => "PUT",
        }
    }

    /// Headers that are signed besides those that every request has.
    fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::PutNew => &[(Self::CONDITION, "*")],
            Self::Get | Self::Head | Self::List | Self::Put => &[],
        }
    }

    /// The IAM action that allows it (AWS: "Actions, resources, and condition keys for Amazon S3").
    pub fn action(self) -> &'static str {
        match self {
            Self::Get | Self::Head => "s3:GetObject",
            Self::List => "s3:ListBucket",
            Self::Put | Self::PutNew => "s3:PutObject",
        }
    }
}

/// Where in S3, and how it is reached. Made by whoever starts the host: nothing here reads the environment.
#[derive(Clone)]
pub struct S3Location {
    bucket: String,
    /// Empty, or ends with a slash.
    prefix: String,
    region: String,
    endpoint: Option<String>,
    credentials: SharedCredentialsProvider,
}

/// Text that is not a place in S3.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not `s3://BUCKET/PREFIX`, with segments of letters, digits, `-`, `_` and `.` in the prefix"
)]
pub struct InvalidLocation(String);

impl S3Location {
    /// Reads `s3://BUCKET/PREFIX`. `endpoint` is another server than AWS's own: `http://127.0.0.1:4566`.
    pub fn new(
        url: &str,
        region: &str,
        endpoint: Option<&str>,
        credentials: SharedCredentialsProvider,
    ) -> Result<Self, InvalidLocation> {
        let invalid = || InvalidLocation(url.to_owned());
        let rest = url.strip_prefix("s3://").ok_or_else(invalid)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let in_bucket = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(in_bucket) {
            return Err(invalid());
        }
        let prefix = prefix.trim_end_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
        if !prefix.is_empty() && !prefix.split('/').all(is_segment) {
            return Err(invalid());
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            region: region.to_owned(),
            endpoint: endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
            credentials: credentials_for(endpoint, &credentials),
        })
    }

    /// An artifact. Names need no encoding: see [`ArtifactName`].
    fn object(&self, name: ArtifactName) -> Object {
        let prefix = &self.prefix;
        Object {
            address: format!("{}/{prefix}{name}", self.bucket_address()),
            shown: format!("{self}{name}"),
        }
    }

    fn bucket_address(&self) -> String {
        let Self { bucket, region, .. } = self;
        let domain = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/{bucket}"),
            // A name with dots does not fit the certificate.
            None if bucket.contains('.') => {
                format!("https://s3.{region}.{domain}/{bucket}")
            }
            None => format!("https://{bucket}.s3.{region}.{domain}"),
        }
    }
}

/// As it was written.
impl fmt::Display for S3Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// Without credentials.
impl fmt::Debug for S3Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("S3Location")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// What a request is about.
struct Object {
    address: String,
    /// For messages.
    shown: String,
}

/// A part of a bucket that holds artifacts.
pub struct S3Artifacts {
    location: S3Location,
    connector: Connector,
}

/// An answer that is none.
enum Trouble {
    /// May be another one next time.
    Passing(String),
    Lasting(String),
}

impl S3Artifacts {
    /// Nothing is sent yet.
    pub fn new(location: S3Location) -> Self {
        // Without TLS where the endpoint has none: reading the system's root certificates takes a while.
        let is_plain = location
            .endpoint
            .as_deref()
            .is_some_and(|endpoint| endpoint.starts_with("http://"));
        let connector = if is_plain {
            Connector::builder().build_http()
        } else {
            Connector::builder()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build()
        };
        Self {
            location,
            connector,
        }
    }

    /// Sends a request until it is answered or that is hopeless.
    async fn send(
        &self,
        kind: S3Request,
        object: &Object,
        body: &[u8],
    ) -> Result<HttpResponse, StoreError> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            match self.attempt(kind, object, body).await {
                Ok(response) => return Ok(response),
                Err(Trouble::Passing(words)) if attempt == ATTEMPTS_MAX => {
                    return Err(unavailable(object, &words));
                }
                Err(Trouble::Passing(_)) => {
                    sleep(pause).await;
                    pause *= 2;
                }
                Err(Trouble::Lasting(words)) => return Err(refused(object, &words)),
            }
        }
        Err(unavailable(object, "no attempt was made"))
    }

    async fn attempt(
        &self,
        kind: S3Request,
        object: &Object,
        body: &[u8],
    ) -> Result<HttpResponse, Trouble> {
        let request = self.request(kind, object, body).await?;
        let duration_max = if body.is_empty() {
            HEAD_DURATION_MAX
        } else {
            UPLOAD_DURATION_MAX
        };
        let response = timeout(duration_max, self.connector.call(request))
            .await
            .map_err(|_| Trouble::Passing(format!("no answer in {} s", duration_max.as_secs())))?
            .map_err(|error| Trouble::Passing(words(&error)))?;
        match response.status().as_u16() {
            // Another write to the name was under way: a conditional one is to be sent again (AWS: PutObject).
            409 if kind == S3Request::PutNew => Err(Trouble::Passing("answered 409".to_owned())),
            status @ (429 | 500..) => Err(Trouble::Passing(format!("answered {status}"))),
            _ => Ok(response),
        }
    }

    async fn request(
        &self,
        kind: S3Request,
        object: &Object,
        body: &[u8],
    ) -> Result<HttpRequest, Trouble> {
        let method = kind.method();
        let lasting = |error: &dyn Error| Trouble::Lasting(words(error));
        let location = &self.location;
        let credentials = location.credentials.provide_credentials().await;
        let identity = credentials.map_err(|error| lasting(&error))?.into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&location.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| lasting(&error))?
            .into();
        let address = &object.address;
        let signable = SignableRequest::new(
            method,
            address,
            kind.headers().iter().copied(),
            SignableBody::Bytes(body),
        )
        .map_err(|error| lasting(&error))?;
        let (instructions, _) = sign(signable, &params)
            .map_err(|error| lasting(&error))?
            .into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request
            .set_method(method)
            .map_err(|error| lasting(&error))?;
        request
            .set_uri(address.as_str())
            .map_err(|error| lasting(&error))?;
        let (headers, _) = instructions.into_parts();
        for header in headers {
            request
                .headers_mut()
                .insert(header.name(), header.value().to_owned());
        }
        for (name, value) in kind.headers() {
            request.headers_mut().insert(*name, *value);
        }
        if matches!(kind, S3Request::Put | S3Request::PutNew) {
            request
                .headers_mut()
                .insert("content-length", body.len().to_string());
        }
        Ok(request)
    }

    /// A request that S3 answered, but not with success.
    fn not_done(&self, object: &Object, status: u16) -> StoreError {
        match status {
            404 => StoreError::Missing(object.shown.clone()),
            // Without the right to list, S3 does not say which.
            403 => StoreError::Missing(format!(
                "{}` (or reading it is not allowed) `",
                object.shown
            )),
            301 | 307 | 400 => refused(
                object,
                &format!(
                    "answered {status}: is the bucket in region `{}`?",
                    self.location.region
                ),
            ),
            _ => refused(object, &format!("answered {status}")),
        }
    }

    fn not_written(&self, object: &Object, status: u16) -> StoreError {
        match status {
            403 => refused(object, "answered 403: writing it is not allowed"),
            404 => refused(object, "answered 404: there is no such bucket"),
            _ => self.not_done(object, status),
        }
    }

    async fn body(
        &self,
        object: &Object,
        bytes_max: usize,
        response: HttpResponse,
    ) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let mut body = ByteStream::new(response.into_body());
        loop {
            let piece = timeout(PIECE_DURATION_MAX, body.next())
                .await
                .map_err(|_| unavailable(object, "the answer stopped half-way"))?;
            let Some(piece) = piece else {
                return Ok(bytes);
            };
            let piece = piece.map_err(|error| unavailable(object, &words(&error)))?;
            if bytes.len() + piece.len() > bytes_max {
                return Err(StoreError::TooLarge {
                    name: object.shown.clone(),
                    bytes_max,
                });
            }
            bytes.extend_from_slice(&piece);
        }
    }
}

#[async_trait::async_trait]
impl ArtifactStore for S3Artifacts {
    async fn get(&self, name: ArtifactName) -> Result<Vec<u8>, StoreError> {
        let object = self.location.object(name);
        let response = self.send(S3Request::Get, &object, b"").await?;
        match response.status().as_u16() {
            200 => self.body(&object, name.bytes_max(), response).await,
            status => Err(self.not_done(&object, status)),
        }
    }

    async fn exists(&self, name: ArtifactName) -> Result<bool, StoreError> {
        let object = self.location.object(name);
        let response = self.send(S3Request::Head, &object, b"").await?;
        match response.status().as_u16() {
            200 => Ok(true),
            status => match self.not_done(&object, status) {
                StoreError::Missing(_) => Ok(false),
                error => Err(error),
            },
        }
    }

    async fn put(&self, name: ArtifactName, bytes: &[u8]) -> Result<(), StoreError> {
        let object = self.location.object(name);
        let response = self.send(S3Request::Put, &object, bytes).await?;
        match response.status().as_u16() {
            200 => Ok(()),
            status => Err(self.not_written(&object, status)),
        }
    }

    async fn put_new(&self, name: ArtifactName, bytes: &[u8]) -> Result<Put, StoreError> {
        let object = self.location.object(name);
        let response = self.send(S3Request::PutNew, &object, bytes).await?;
        match response.status().as_u16() {
            200 => Ok(Put::Written),
            412 => Ok(Put::Unchanged),
            status => Err(self.not_written(&object, status)),
        }
    }

    async fn published(&self) -> Result<Vec<Digest>, StoreError> {
        let location = &self.location;
        let prefix = format!("{}{MANIFESTS}", location.prefix);
        let mut digests = Vec::new();
        let mut last = String::new();
        for _ in 0..PAGES_MAX {
            // In the order of their names, as signing wants them. Digests and prefixes have no letters that need encoding but the slash.
            let object = Object {
                address: format!(
                    "{}/?list-type=2&prefix={}{}",
                    location.bucket_address(),
                    prefix.replace('/', "%2F"),
                    match last.as_str() {
                        "" => String::new(),
                        last => format!("&start-after={}", last.replace('/', "%2F")),
                    }
                ),
                shown: format!("{location}{MANIFESTS}"),
            };
            let response = self.send(S3Request::List, &object, b"").await?;
            match response.status().as_u16() {
                200 => {}
                403 => return Err(refused(&object, "answered 403: listing it is not allowed")),
                404 => return Err(refused(&object, "answered 404: there is no such bucket")),
                status => return Err(self.not_done(&object, status)),
            }
            let page = self.body(&object, PAGE_BYTES_MAX, response).await?;
            let keys = keys(&String::from_utf8_lossy(&page));
            let Some(newest) = keys.last() else {
                return Ok(digests);
            };
            last.clone_from(newest);
            let names = keys.iter().filter_map(|key| key.strip_prefix(&prefix));
            digests.extend(names.filter_map(digest_of_manifest));
        }
        Err(StoreError::Refused(format!(
            "`{location}{MANIFESTS}` holds more manifests than are listed"
        )))
    }

    fn describe(&self) -> String {
        self.location.to_string()
    }
}

fn unavailable(object: &Object, words: &str) -> StoreError {
    StoreError::Unavailable(format!("`{}`: {words}", object.shown))
}

fn refused(object: &Object, words: &str) -> StoreError {
    StoreError::Refused(format!("`{}`: {words}", object.shown))
}

/// The keys in one page of a listing (AWS: ListObjectsV2). Ours have no letters that XML escapes; others are not asked for.
fn keys(page: &str) -> Vec<String> {
    page.split("<Key>")
        .skip(1)
        .filter_map(|rest| rest.split_once("</Key>"))
        .map(|(key, _)| key.to_owned())
        .collect()
}

/// An error with what is behind it: the outermost one often says nothing.
fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;
    use contract::digest::Digest;

    fn location(url: &str, endpoint: Option<&str>) -> Result<S3Location, InvalidLocation> {
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        S3Location::new(
            url,
            "eu-central-1",
            endpoint,
            SharedCredentialsProvider::new(credentials),
        )
    }

    #[test]
    fn an_artifact_has_one_address() {
        let name = ArtifactName::Manifest(Digest::of(b""));
        let address = |url, endpoint| location(url, endpoint).unwrap().object(name).address;
        assert_eq!(
            address("s3://releases/team/a/", None),
            format!("https://releases.s3.eu-central-1.amazonaws.com/team/a/{name}")
        );
        assert_eq!(
            address("s3://a.b.c", None),
            format!("https://s3.eu-central-1.amazonaws.com/a.b.c/{name}")
        );
        assert_eq!(
            address("s3://releases/p", Some("http://127.0.0.1:9/")),
            format!("http://127.0.0.1:9/releases/p/{name}")
        );
    }

    #[test]
    fn a_place_in_s3_leads_nowhere_else() {
        for bad in [
            "https://x",
            "s3://",
            "s3://ab/x",
            "s3://Bucket/x",
            "s3://bucket/../x",
            "s3://bucket/a//b",
            "s3://bucket/a?b",
            "s3://evil@host/x",
        ] {
            assert!(location(bad, None).is_err(), "{bad}");
        }
    }
}
