//! Requests to S3, signed as the SDK signs them.

use super::location::{Object, S3Location};
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use std::{error::Error, time::SystemTime};

/// What is asked of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3Request {
    /// An artifact.
    Get,
    /// Checks whether an artifact exists.
    Head,
    /// The names of artifacts.
    List,
    /// To keep an artifact.
    Put,
    /// Writes an artifact unless one exists under its name (AWS: "Prevent object overwrites with conditional writes").
    PutNew,
}

impl S3Request {
    /// All of them. A check compares the roles of the stack with this list, so that they allow nothing else.
    pub const ALL: [Self; 5] = [Self::Get, Self::Head, Self::List, Self::Put, Self::PutNew];
    /// Header of a write that replaces nothing; its only value is `*`.
    const CONDITION: &str = "if-none-match";

    fn method(self) -> &'static str {
        match self {
            Self::Get | Self::List => "GET",
            Self::Head => "HEAD",
            Self::Put | Self::PutNew => "PUT",
        }
    }

    /// Headers that are signed in addition to those that every request has.
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

    /// The request, signed for now.
    pub(super) async fn sign(
        self,
        location: &S3Location,
        object: &Object,
        body: &[u8],
    ) -> Result<HttpRequest, Box<dyn Error + Send + Sync>> {
        let method = self.method();
        let credentials = location.credentials.provide_credentials().await;
        let identity = credentials?.into();
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
            .build()?
            .into();
        let address = &object.address;
        let signable = SignableRequest::new(
            method,
            address,
            self.headers().iter().copied(),
            SignableBody::Bytes(body),
        )?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method)?;
        request.set_uri(address.as_str())?;
        let (headers, _) = instructions.into_parts();
        for header in headers {
            request
                .headers_mut()
                .insert(header.name(), header.value().to_owned());
        }
        for (name, value) in self.headers() {
            request.headers_mut().insert(*name, *value);
        }
        if matches!(self, Self::Put | Self::PutNew) {
            request
                .headers_mut()
                .insert("content-length", body.len().to_string());
        }
        Ok(request)
    }
}
