//! Placeholders in what a guest's own client sent. A guest may pass that on, a header as it came or a member of a body: then the client would
//! decide where a secret of the host goes.

use super::SecretFiller;
use crate::placeholder::PREFIX;
use contract::http::{Context, Request};
use copies::{Copies, Pattern, spellings};
use outgoing::{OutgoingError, OutgoingHttp, OutgoingRequest, OutgoingResponse};
use std::{sync::LazyLock, time::Instant};

/// The beginning of every placeholder, also in base64, as credentials have it, and in hexadecimal.
static BEGINNINGS: LazyLock<Option<Copies>> = LazyLock::new(|| {
    let spelt = spellings(PREFIX.as_bytes());
    let spelt = spelt.iter().map(|spelling| &spelling.text[..]);
    let beginnings = [PREFIX.as_bytes()].into_iter().chain(spelt);
    let patterns: Vec<_> = beginnings.map(|text| Pattern::whole(text, 0)).collect();
    Copies::of(&patterns, vec![Vec::new()], true)
});

/// Whether a placeholder may be in a client's request, whatever a guest decodes of it: escapes of JSON, URLs and XML, and base64.
pub(super) fn has_placeholder(request: &Request) -> bool {
    let Request {
        method,
        path,
        query,
        headers,
        body,
        context,
    } = request;
    let Context {
        authority,
        base_path,
        identity,
        // Of the gateway or the host.
        request_id: _,
        received_at_ms: _,
        scheme: _,
        client_address: _,
        path_fidelity: _,
    } = context;
    let claims = identity.as_ref().map(|identity| &identity.claims);
    let subject = identity
        .as_ref()
        .and_then(|identity| identity.subject.as_ref());
    let texts = [method, path, query, authority, base_path];
    let texts = texts.into_iter().chain(claims).chain(subject);
    are_in(
        texts
            .map(String::as_bytes)
            .chain([headers.as_str().as_bytes(), body]),
    )
}

fn are_in<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> bool {
    let is_in = |text| {
        let beginnings = BEGINNINGS.as_ref();
        beginnings.is_none_or(|beginnings| beginnings.are_in(text))
    };
    texts.into_iter().any(is_in)
}

/// Fills nothing in: requests with a placeholder are refused, as they would be if the guest had written it, because nobody can tell.
pub(super) struct WithoutPlaceholders(pub(super) SecretFiller);

#[async_trait::async_trait]
impl OutgoingHttp for WithoutPlaceholders {
    async fn send(
        &self,
        request: OutgoingRequest,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        let headers = request.headers.iter().map(|(_, value)| value.as_bytes());
        if are_in(headers.chain([request.url.as_bytes(), &request.body])) {
            return Err(OutgoingError::NotGranted(
                "what the client sent contains the beginning of a placeholder, so that no secret is filled in for it"
                    .to_owned(),
            ));
        }
        self.0.send(request, deadline).await
    }
}

#[cfg(test)]
mod tests {
    use super::are_in;

    #[test]
    fn a_placeholder_is_known_in_whatever_a_guest_may_decode() {
        for text in [
            "idempotency-key: a-__secret.key__\n",
            // `__secret.key__:`
            "authorization: Basic X19zZWNyZXQua2V5X186\n",
            r#"{"a":"__secret.key__"}"#,
            r#"{"a":"\u005f_secret.key__"}"#,
            r#"{"a":"{\"b\":\"\\u005f_secret.key__\"}"}"#,
            "a=%5F%5Fsecret%2Ekey__",
            "<a>&#95;_secret.key__</a>",
            "X19zZW\nNyZXQua2V5X186",
        ] {
            assert!(are_in([&b"/"[..], text.as_bytes()]), "{text}");
        }
        for text in [
            "",
            "__secrets",
            r#"{"a":"b\n%20&amp;"}"#,
            "secret.key",
            "x: _secret.",
        ] {
            assert!(!are_in([text.as_bytes()]), "{text}");
        }
    }
}
