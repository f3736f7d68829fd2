//! Places in S3, and the addresses of what is there.

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_requests::AwsService;
use release::ArtifactName;
use std::fmt;

/// A place in S3, and how to reach it. The host that starts creates it: nothing here reads the environment.
#[derive(Clone)]
pub struct S3Location {
    bucket: String,
    /// Empty, or ends with a slash.
    pub(super) prefix: String,
    region: String,
    endpoint: Option<String>,
    credentials: SharedCredentialsProvider,
}

/// Text that is not a place in S3.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not `s3://BUCKET/PREFIX`, with segments of letters, digits, `-`, `_` and `.` in the prefix"
)]
pub struct LocationError(String);

impl S3Location {
    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Parses `s3://BUCKET/PREFIX`. `endpoint` is another server than AWS's own: `http://127.0.0.1:4566`.
    pub fn new(
        url: &str,
        region: &str,
        endpoint: Option<&str>,
        credentials: SharedCredentialsProvider,
    ) -> Result<Self, LocationError> {
        let invalid = || LocationError(url.to_owned());
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
            credentials,
        })
    }

    /// Requests to it.
    pub(super) fn service(&self) -> AwsService {
        AwsService::new(
            "s3",
            &self.region,
            self.endpoint.as_deref(),
            &self.credentials,
        )
    }

    /// The path of an artifact. Names need no encoding: see [`ArtifactName`].
    pub(super) fn object(&self, name: ArtifactName) -> Object {
        let prefix = &self.prefix;
        Object {
            address: format!("{}/{prefix}{name}", self.bucket_address()),
            shown: format!("{self}{name}"),
        }
    }

    pub(super) fn bucket_address(&self) -> String {
        let Self { bucket, region, .. } = self;
        let domain = aws_requests::domain(region);
        match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/{bucket}"),
            // A bucket name with dots does not match the TLS certificate.
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
pub(super) struct Object {
    pub(super) address: String,
    /// For messages.
    pub(super) shown: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;
    use contract::digest::Digest;

    fn location(url: &str, endpoint: Option<&str>) -> Result<S3Location, LocationError> {
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
