//! How a gateway itself answers a request whose token its authorizer does not accept.

use crate::{EventKind, deliver::Delivery};

/// Why a request has no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// It has no token.
    Missing,
    /// Its token cannot be trusted.
    Invalid,
    /// Its token was valid once.
    Expired,
}

/// The gateway's answer to a request that it does not pass on. A function URL, which has no tokens, answers as it does to a request without a
/// signature.
pub fn unauthorized(kind: EventKind, refusal: TokenRefusal) -> Delivery {
    let mut headers = Vec::new();
    let mut header = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    let (status, body) = match kind {
        EventKind::Rest => {
            header("content-type", "application/json");
            header("x-amzn-errortype", "UnauthorizedException");
            let body = match refusal {
                TokenRefusal::Missing | TokenRefusal::Invalid => r#"{"message":"Unauthorized"}"#,
                TokenRefusal::Expired => r#"{"message":"The incoming token has expired"}"#,
            };
            (401, body)
        }
        EventKind::HttpApi => {
            header("content-type", "application/json");
            let challenge = match refusal {
                TokenRefusal::Missing => "Bearer",
                TokenRefusal::Invalid => {
                    r#"Bearer scope="" error="invalid_token" error_description="the token is not valid""#
                }
                TokenRefusal::Expired => {
                    r#"Bearer scope="" error="invalid_token" error_description="the token has expired""#
                }
            };
            header("www-authenticate", challenge);
            (401, r#"{"message":"Unauthorized"}"#)
        }
        EventKind::FunctionUrl => {
            header("content-type", "application/json");
            header("x-amzn-errortype", "AccessDeniedException");
            (403, r#"{"Message":"Forbidden"}"#)
        }
        EventKind::Alb => {
            header("content-type", "text/html");
            (
                401,
                "<html><head><title>401 Authorization Required</title></head></html>",
            )
        }
    };
    Delivery {
        status,
        headers,
        body: body.as_bytes().to_vec(),
        fault: None,
    }
}
