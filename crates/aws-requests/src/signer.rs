//! Signs outgoing requests of guests.

use crate::{own_services::OwnServices, plain_endpoint::credentials_for, signature::signature};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sigv4::http_request::{SignableBody, SignableRequest};
use contract::origin::Origin;
use http_client::with_causes;
use outgoing::{AwsScope, RequestSigner, UnsignedRequest};
use std::fmt;

/// Signs requests of guests with the host's credentials, which stay in the host: a guest gets responses only, and a tape has the request
/// without its signature.
#[derive(Clone)]
pub struct AwsSigner {
    credentials: SharedCredentialsProvider,
    own: OwnServices,
}

impl AwsSigner {
    /// A signer with these credentials. They are asked for with each request, so that they can be replaced at any time.
    pub fn new(credentials: SharedCredentialsProvider) -> Self {
        Self {
            credentials,
            own: OwnServices::default(),
        }
    }

    /// Refuses what the host itself uses with these credentials.
    #[must_use]
    pub fn without(self, own: OwnServices) -> Self {
        Self { own, ..self }
    }
}

#[async_trait::async_trait]
impl RequestSigner for AwsSigner {
    /// All headers of the request are signed, except those that proxies change.
    async fn sign(
        &self,
        scope: &AwsScope,
        request: UnsignedRequest<'_>,
    ) -> Result<Vec<(String, String)>, String> {
        // Messages name the endpoint; path and query can contain secrets.
        let (origin, _) = Origin::split(request.url).map_err(|error| with_causes(&error))?;
        if let Some(words) = self.own.refusal(scope, &origin, request.headers) {
            return Err(words);
        }
        let credentials = credentials_for(Some(&origin.to_string()), &self.credentials);
        let headers = request.headers.iter();
        let signable = SignableRequest::new(
            request.method,
            request.url,
            headers.map(|(name, value)| (name.as_str(), value.as_str())),
            SignableBody::Bytes(request.body),
        );
        let signable = signable.map_err(|error| with_causes(&error))?;
        let signing = signature(&scope.service, &scope.region, &credentials, signable);
        signing.await.map_err(|error| with_causes(&*error))
    }
}

/// Without credentials, which must not be printed.
impl fmt::Debug for AwsSigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AwsSigner").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;

    async fn sign(
        service: &str,
        url: &str,
        session_token: Option<&str>,
    ) -> Result<Vec<(String, String)>, String> {
        let session_token = session_token.map(str::to_owned);
        let credentials = Credentials::new("AKID", "planted", session_token, None, "test");
        let signer = AwsSigner::new(SharedCredentialsProvider::new(credentials));
        assert!(!format!("{signer:?}").contains("planted"));
        let scope = AwsScope {
            service: service.to_owned(),
            region: "eu-central-1".to_owned(),
        };
        let target = (
            "x-amz-target".to_owned(),
            "AmazonSQS.SendMessage".to_owned(),
        );
        let request = UnsignedRequest {
            method: "POST",
            url,
            headers: &[target],
            body: b"{}",
        };
        signer.sign(&scope, request).await
    }

    fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let found = headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    #[tokio::test]
    async fn a_signature_covers_the_guests_headers_and_has_the_session() {
        let url = "https://sqs.eu-central-1.amazonaws.com/";
        let headers = sign("sqs", url, Some("token")).await.unwrap();
        let authorization = header(&headers, "authorization").unwrap();
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"));
        assert!(authorization.contains("/eu-central-1/sqs/aws4_request"));
        let signed = "SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target,";
        assert!(authorization.contains(signed), "{authorization}");
        assert_eq!(header(&headers, "x-amz-security-token"), Some("token"));
        assert_eq!(header(&headers, "x-amz-content-sha256"), None);
        assert!(headers.iter().all(|(_, value)| !value.contains("planted")));
    }

    #[tokio::test]
    async fn s3_has_the_checksum_of_the_body() {
        let url = "https://b.s3.eu-central-1.amazonaws.com/a%2Fb//c?list-type=2&delimiter=%2F";
        let headers = sign("s3", url, None).await.unwrap();
        let of_two_braces = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(
            header(&headers, "x-amz-content-sha256"),
            Some(of_two_braces)
        );
        assert_eq!(header(&headers, "x-amz-security-token"), None);
    }

    #[tokio::test]
    async fn a_session_is_not_sent_in_the_clear_to_another_machine() {
        let local = sign("sqs", "http://127.0.0.1:4566/q", Some("token")).await;
        assert!(local.is_ok());
        let error = sign("sqs", "http://sqs.example/q?planted", Some("token")).await;
        let words = error.unwrap_err();
        assert!(
            words.contains("no TLS") && !words.contains("planted"),
            "{words}"
        );
    }

    #[tokio::test]
    async fn what_the_host_uses_itself_is_not_signed() {
        let credentials = Credentials::new("AKID", "planted", None, None, "test");
        let signer = AwsSigner::new(SharedCredentialsProvider::new(credentials));
        let signer = signer.without(OwnServices {
            services: &["kms"],
            bucket: Some("own".to_owned()),
        });
        let source = ("x-amz-copy-source".to_owned(), "/own/key".to_owned());
        for (service, url, headers, is_signed) in [
            (
                "kms",
                "https://kms.eu-central-1.amazonaws.com/",
                &[][..],
                false,
            ),
            (
                "s3",
                "https://own.s3.eu-central-1.amazonaws.com/k",
                &[],
                false,
            ),
            (
                "s3",
                "https://b.s3.eu-central-1.amazonaws.com/k",
                &[source],
                false,
            ),
            ("s3", "https://b.s3.eu-central-1.amazonaws.com/k", &[], true),
        ] {
            let scope = AwsScope {
                service: service.to_owned(),
                region: "eu-central-1".to_owned(),
            };
            let request = UnsignedRequest {
                method: "PUT",
                url,
                headers,
                body: b"",
            };
            let result = signer.sign(&scope, request).await;
            assert_eq!(result.is_ok(), is_signed, "{url} {result:?}");
        }
    }

    #[tokio::test]
    async fn without_credentials_there_is_no_signature() {
        use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
        #[derive(Debug)]
        struct Nobody;
        impl ProvideCredentials for Nobody {
            fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
            where
                Self: 'a,
            {
                future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("no profile")))
            }
        }
        let signer = AwsSigner::new(SharedCredentialsProvider::new(Nobody));
        let scope = AwsScope {
            service: "sqs".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        let request = UnsignedRequest {
            method: "GET",
            url: "https://sqs.eu-central-1.amazonaws.com/",
            headers: &[],
            body: b"",
        };
        let error = signer.sign(&scope, request).await.unwrap_err();
        assert!(error.contains("no profile"), "{error}");
    }
}
