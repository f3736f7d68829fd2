//! Artifacts in S3: `s3://`. Only a few kinds of requests are needed; the SDK's S3 client would be larger than the rest of the host.

mod location;
mod request;

pub use location::{LocationError, S3Location};
pub use request::S3Request;

use self::location::Object;
use aws_requests::{AwsRequest, AwsResponse, AwsService, SendError};
use contract::digest::Digest;
use release::{ArtifactName, ArtifactStore, MANIFESTS, Put, StoreError, digest_of_manifest};
use std::time::Duration;
use tokio::time::sleep;

/// Number of attempts if S3 gives no response, or not all of it.
const ATTEMPTS_MAX: u32 = 3;
/// Pause before the second attempt; doubled before the next.
const PAUSE: Duration = Duration::from_millis(200);
/// Until the head of a response arrives, including connecting and sending.
const HEAD_DURATION_MAX: Duration = Duration::from_secs(10);
/// The same while an artifact is uploaded.
const UPLOAD_DURATION_MAX: Duration = Duration::from_secs(300);

/// A page of a listing has a thousand keys (AWS: ListObjectsV2), each below 2 KiB with its metadata.
const PAGE_BYTES_MAX: usize = 2 << 20;
/// Where nothing but an error has a body.
const ERROR_BYTES_MAX: usize = 64 << 10;
/// Largest number of pages that are listed.
const PAGES_MAX: u32 = 20;

/// A part of a bucket that holds artifacts.
pub struct S3Artifacts {
    location: S3Location,
    service: AwsService,
}

/// Why an attempt gave no response that counts.
enum AttemptError {
    /// The next attempt may succeed.
    Transient(String),
    Permanent(String),
    TooLarge,
}

impl S3Artifacts {
    /// Nothing is sent yet.
    pub fn new(location: S3Location) -> Self {
        Self {
            service: location.service(),
            location,
        }
    }

    /// Sends a request until it is answered or retries are pointless.
    async fn send(
        &self,
        kind: S3Request,
        object: &Object,
        body: &[u8],
        bytes_max: usize,
    ) -> Result<AwsResponse, StoreError> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            match self.attempt(kind, object, body, bytes_max).await {
                Ok(response) => return Ok(response),
                Err(AttemptError::Transient(words)) if attempt == ATTEMPTS_MAX => {
                    return Err(unavailable(object, &words));
                }
                Err(AttemptError::Transient(_)) => {
                    sleep(pause).await;
                    pause *= 2;
                }
                Err(AttemptError::Permanent(words)) => return Err(refused(object, &words)),
                Err(AttemptError::TooLarge) => {
                    return Err(StoreError::TooLarge {
                        name: object.shown.clone(),
                        bytes_max,
                    });
                }
            }
        }
        Err(unavailable(object, "no attempt was made"))
    }

    async fn attempt(
        &self,
        kind: S3Request,
        object: &Object,
        body: &[u8],
        bytes_max: usize,
    ) -> Result<AwsResponse, AttemptError> {
        let duration_max = if body.is_empty() {
            HEAD_DURATION_MAX
        } else {
            UPLOAD_DURATION_MAX
        };
        let request = AwsRequest {
            method: kind.method(),
            address: &object.address,
            headers: kind.headers(),
            body,
        };
        let sent = self.service.send(request, bytes_max, duration_max).await;
        let response = sent.map_err(|error| match error {
            SendError::Transient(words) | SendError::Refused(words) => {
                AttemptError::Transient(words)
            }
            SendError::Permanent(words) => AttemptError::Permanent(words),
            SendError::TooLarge(_) => AttemptError::TooLarge,
        })?;
        match response.status {
            // Another write to the same name was in progress: a conditional write must then be sent again (AWS: PutObject).
            409 if kind == S3Request::PutNew => {
                Err(AttemptError::Transient("answered 409".to_owned()))
            }
            status @ (429 | 500..) => Err(AttemptError::Transient(format!("answered {status}"))),
            _ => Ok(response),
        }
    }

    /// The error of a request that S3 answered without success.
    fn not_done(&self, object: &Object, status: u16) -> StoreError {
        match status {
            404 => StoreError::Missing(object.shown.clone()),
            // Without the permission to list, S3 does not say whether the object exists.
            403 => StoreError::Missing(format!(
                "{}` (or reading it is not allowed) `",
                object.shown
            )),
            301 | 307 | 400 => refused(
                object,
                &format!(
                    "answered {status}: is the bucket in region `{}`?",
                    self.service.region()
                ),
            ),
            _ => refused(object, &format!("answered {status}")),
        }
    }

    fn not_written(&self, object: &Object, status: u16) -> StoreError {
        match status {
            403 => refused(object, "answered 403: writing it is not allowed"),
            404 => refused(object, "answered 404: the bucket does not exist"),
            _ => self.not_done(object, status),
        }
    }
}

#[async_trait::async_trait]
impl ArtifactStore for S3Artifacts {
    async fn get(&self, name: ArtifactName) -> Result<Vec<u8>, StoreError> {
        let object = self.location.object(name);
        let response = self
            .send(S3Request::Get, &object, b"", name.bytes_max())
            .await?;
        match response.status {
            200 => Ok(response.body),
            status => Err(self.not_done(&object, status)),
        }
    }

    async fn exists(&self, name: ArtifactName) -> Result<bool, StoreError> {
        let object = self.location.object(name);
        let response = self
            .send(S3Request::Head, &object, b"", ERROR_BYTES_MAX)
            .await?;
        match response.status {
            200 => Ok(true),
            status => match self.not_done(&object, status) {
                StoreError::Missing(_) => Ok(false),
                error => Err(error),
            },
        }
    }

    async fn put(&self, name: ArtifactName, bytes: &[u8]) -> Result<(), StoreError> {
        let object = self.location.object(name);
        let response = self
            .send(S3Request::Put, &object, bytes, ERROR_BYTES_MAX)
            .await?;
        match response.status {
            200 => Ok(()),
            status => Err(self.not_written(&object, status)),
        }
    }

    async fn put_new(&self, name: ArtifactName, bytes: &[u8]) -> Result<Put, StoreError> {
        let object = self.location.object(name);
        let response = self
            .send(S3Request::PutNew, &object, bytes, ERROR_BYTES_MAX)
            .await?;
        match response.status {
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
            // Sorted by name, as signing requires. Digests and prefixes contain no characters that need encoding except the slash.
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
            let response = self
                .send(S3Request::List, &object, b"", PAGE_BYTES_MAX)
                .await?;
            match response.status {
                200 => {}
                403 => return Err(refused(&object, "answered 403: listing it is not allowed")),
                404 => return Err(refused(&object, "answered 404: the bucket does not exist")),
                status => return Err(self.not_done(&object, status)),
            }
            let keys = keys(&String::from_utf8_lossy(&response.body));
            let Some(newest) = keys.last() else {
                return Ok(digests);
            };
            last.clone_from(newest);
            let names = keys.iter().filter_map(|key| key.strip_prefix(&prefix));
            digests.extend(names.filter_map(digest_of_manifest));
        }
        Err(StoreError::Refused(format!(
            "`{location}{MANIFESTS}` contains more manifests than can be listed"
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

/// The keys in one page of a listing (AWS: ListObjectsV2). Ours contain no characters that XML escapes, and no others are requested.
fn keys(page: &str) -> Vec<String> {
    page.split("<Key>")
        .skip(1)
        .filter_map(|rest| rest.split_once("</Key>"))
        .map(|(key, _)| key.to_owned())
        .collect()
}
