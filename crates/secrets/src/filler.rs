//! Fills secrets into outgoing requests, and takes them out of responses.
//!
//! [`SecretFiller`] lies directly before the client that sends requests, below whatever records them: tapes have placeholders, and so has all
//! that a guest sees. A request with a placeholder is sent only if its origin is one that the secret is for, scheme and port included.
//!
//! Where placeholders are filled in is declared for each secret ([`Place`](crate::Place)), since what a guest sends may contain text of its own clients:
//!
//! - Header values, by default. In `authorization` and `proxy-authorization`, placeholders are also found in the base64 of `Basic`
//!   credentials, which are encoded anew. A value that is not printable ASCII is refused elsewhere: it could end a field.
//! - The path and query of the URL, if declared: percent-encoded, so that the value is one segment or parameter. Never its scheme, host or port.
//! - The body, if declared: UTF-8 text of JSON, where the value is escaped as part of a string, of XML, of a form, or plain. A body of a guest
//!   none of whose secrets is for bodies is not read at all. A guest's own `content-length` is removed, as the client sets it; other digests of
//!   the body must not exist.
//!
//! The values of all of a guest's secrets that are for origins are masked in every response to it, also those that the request did not contain: a
//! service may return what it got earlier, from another process of this host or under another name of its own. So they are read before the first request
//! is sent. A request to an origin that secrets are for asks for its whole content, not compressed; a compressed response is none.

mod body;
mod client;
mod fill;
mod header;
mod text;
mod usable;

use crate::{
    cache::{Held, Secrets, ValueError},
    declaration::Place,
    echo::EchoMask,
    name::SecretName,
    origin::Origin,
    port::SecretError,
};
use client::WithoutPlaceholders;
use contract::http::Request;
use contract::limits::{
    OUTGOING_HEADERS_BYTES_MAX, OUTGOING_RESPONSE_BODY_BYTES_MAX, SECRET_PLACEHOLDERS_MAX,
};
use copies::TooLong;
use fill::Fill;
use outgoing::{OutgoingError, OutgoingHttp, OutgoingRequest, OutgoingResponse};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use text::FillError;

/// A view of a client that fills in the secrets of one guest. Cheap to clone.
#[derive(Clone)]
pub struct SecretFiller {
    secrets: Secrets,
    client: Arc<dyn OutgoingHttp>,
    /// The last mask with the versions of its values, because it takes time to make.
    mask: Arc<Mutex<Option<VersionedMask>>>,
}

type Versions = Vec<(SecretName, u64)>;

type VersionedMask = (Versions, Arc<EchoMask>);

/// Values that are looked for in a response.
type Repeatable = Vec<(SecretName, Held)>;

impl SecretFiller {
    /// `client` sends requests as they are; it checks the guest's grants.
    pub fn new(secrets: Secrets, client: Arc<dyn OutgoingHttp>) -> Self {
        Self {
            secrets,
            client,
            mask: Arc::default(),
        }
    }

    /// The request with values.
    async fn filled(
        &self,
        request: OutgoingRequest,
        origin: &Origin,
        deadline: Instant,
    ) -> Result<OutgoingRequest, OutgoingError> {
        let reads_body = self
            .secrets
            .declarations()
            .iter()
            .any(|(_, secret)| secret.places.contains(&Place::Body));
        let fill = Fill::new(&request, reads_body)?;
        let found = fill.placeholders()?;
        if found.is_empty() {
            return Ok(request);
        }
        if fill.count() > SECRET_PLACEHOLDERS_MAX {
            return Err(OutgoingError::InvalidRequest(format!(
                "the request has more than {SECRET_PLACEHOLDERS_MAX} placeholders of secrets"
            )));
        }
        for (name, place) in &found {
            self.check(name, *place, origin)?;
        }
        let names: BTreeSet<_> = found.into_iter().map(|(name, _)| name).collect();
        let mut values = BTreeMap::new();
        for name in names {
            let held = self.secrets.value(name.as_str(), deadline).await;
            let held = held.map_err(no_value)?;
            if let Some(words) = usable::why_not_of_length(&name, held.value.expose()) {
                return Err(OutgoingError::NotGranted(words));
            }
            values.insert(name, held);
        }
        Ok(fill.with(&values)?)
    }

    /// Whether a secret may be filled in there.
    fn check(&self, name: &SecretName, place: Place, origin: &Origin) -> Result<(), OutgoingError> {
        let declared = self.secrets.declared(name.as_str()).map_err(not_filled)?;
        let words = if declared.origins.is_empty() {
            "is not for requests; its declaration has no `for`".to_owned()
        } else if !declared.origins.contains(origin) {
            format!("has no `{origin}` in the `for` of its declaration")
        } else if !declared.places.contains(&place) {
            let (words, member) = match place {
                Place::Headers => ("headers", "headers"),
                Place::Url => ("URLs", "url"),
                Place::Body => ("bodies", "body"),
            };
            format!("is not for {words}; its declaration does not have `{member}` in `in`")
        } else {
            return Ok(());
        };
        Err(OutgoingError::NotGranted(format!(
            "secret `{name}` {words}"
        )))
    }

    /// The values that a response may repeat, of all secrets that could be in a request: a service may have got them earlier, from another process of
    /// this host, or under another name of its own.
    async fn repeatable(&self, deadline: Instant) -> Result<Repeatable, OutgoingError> {
        let mut found = Vec::new();
        let declared = self.secrets.declarations().iter();
        for (name, _) in declared.filter(|(_, secret)| !secret.origins.is_empty()) {
            let values = self.secrets.repeatable(name.as_str(), deadline).await;
            let values = values.map_err(not_filled)?.into_iter();
            let values = values.filter(|held| usable::is_of_length(held.value.expose()));
            found.extend(values.map(|held| (name.clone(), held)));
        }
        Ok(found)
    }

    /// Looks for these values; `None` if there are none.
    fn mask(&self, values: &Repeatable) -> Result<Option<Arc<EchoMask>>, OutgoingError> {
        if values.is_empty() {
            return Ok(None);
        }
        let versions = values
            .iter()
            .map(|(name, held)| (name.clone(), held.version));
        let versions: Versions = versions.collect();
        let mut last = self.mask.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, mask)) = &*last
            && *of == versions
        {
            return Ok(Some(mask.clone()));
        }
        let values = values
            .iter()
            .map(|(name, held)| (name, held.value.expose()));
        let mask = EchoMask::new(values).map(Arc::new).ok_or_else(|| {
            OutgoingError::InvalidRequest("the secrets are too long to be looked for".to_owned())
        })?;
        *last = Some((versions, mask.clone()));
        Ok(Some(mask))
    }

    /// Whether secrets are for an origin.
    fn is_bound(&self, origin: &Origin) -> bool {
        let mut declared = self.secrets.declarations().iter();
        declared.any(|(_, secret)| secret.origins.contains(origin))
    }
}

#[async_trait::async_trait]
impl OutgoingHttp for SecretFiller {
    fn for_client(&self, request: &Request) -> Option<Arc<dyn OutgoingHttp>> {
        let mut declared = self.secrets.declarations().iter();
        let is_filled = declared.any(|(_, secret)| !secret.origins.is_empty());
        let has_placeholder = is_filled && client::has_placeholder(request);
        has_placeholder
            .then(|| Arc::new(WithoutPlaceholders(self.clone())) as Arc<dyn OutgoingHttp>)
    }

    async fn send(
        &self,
        request: OutgoingRequest,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        let origin = match Origin::of_url(&request.url) {
            Ok((origin, _)) => origin,
            // The client decides about such a URL, but it gets no secret.
            Err(error) => {
                return match Fill::new(&request, false)?.placeholders()?.is_empty() {
                    true => self.client.send(request, deadline).await,
                    false => Err(OutgoingError::InvalidRequest(format!(
                        "the URL {error}, so that no secret is filled in"
                    ))),
                };
            }
        };
        // Reading a secret is part of the exchange.
        let deadline = outgoing::earlier(request.timeout, deadline);
        let mut request = self.filled(request, &origin, deadline).await?;
        // Before it is sent: a response that cannot be searched would be lost.
        let mask = self.mask(&self.repeatable(deadline).await?)?;
        let is_bound = self.is_bound(&origin);
        if is_bound {
            header::ask_for_whole_content(&mut request.headers);
        }
        let answer = self.client.send(request, deadline).await;
        match mask {
            Some(_) if is_bound && answer.as_ref().is_ok_and(header::is_encoded) => Err(encoded()),
            Some(mask) => masked_by(deadline, answer, mask).await,
            None => answer,
        }
    }
}

/// Bodies up to this size are searched at once, which takes a few milliseconds. The search of larger ones must not hold up the other requests of
/// its thread.
const BODY_SEARCHED_AT_ONCE_BYTES_MAX: usize = 64 << 10;

/// The answer with placeholders in place of values, if the search ends in time.
async fn masked_by(
    deadline: Instant,
    answer: Result<OutgoingResponse, OutgoingError>,
    mask: Arc<EchoMask>,
) -> Result<OutgoingResponse, OutgoingError> {
    let body_bytes = answer.as_ref().map_or(0, |response| response.body.len());
    if body_bytes <= BODY_SEARCHED_AT_ONCE_BYTES_MAX {
        return masked(answer, &mask);
    }
    let search = tokio::task::spawn_blocking(move || masked(answer, &mask));
    let unsearched = |why: &str| {
        OutgoingError::OutcomeUnknown(format!(
            "the response could not be searched for secrets{why}"
        ))
    };
    match tokio::time::timeout_at(deadline.into(), search).await {
        Ok(Ok(masked)) => masked,
        Ok(Err(_)) => Err(unsearched("")),
        Err(_) => Err(unsearched(" in time")),
    }
}

/// The answer with placeholders in place of values, within the bounds of any response.
fn masked(
    answer: Result<OutgoingResponse, OutgoingError>,
    mask: &EchoMask,
) -> Result<OutgoingResponse, OutgoingError> {
    let mut response = match answer {
        Ok(response) => response,
        Err(error) => return Err(masked_error(error, mask)),
    };
    let mut bytes_left = OUTGOING_HEADERS_BYTES_MAX;
    for (name, value) in &mut response.headers {
        for text in [name, value] {
            if let Some(masked) = mask.masked_text(text, bytes_left).map_err(too_long)? {
                *text = masked;
            }
            bytes_left = bytes_left.saturating_sub(text.len());
        }
    }
    let body = mask.masked(&response.body, OUTGOING_RESPONSE_BODY_BYTES_MAX);
    if let Some(body) = body.map_err(too_long)? {
        header::set_length(&mut response.headers, body.len());
        response.body = body;
    }
    Ok(response)
}

fn masked_error(error: OutgoingError, mask: &EchoMask) -> OutgoingError {
    let detail = match mask.masked_text(error.detail(), OUTGOING_HEADERS_BYTES_MAX) {
        Ok(None) => return error,
        Ok(Some(detail)) => detail,
        Err(TooLong) => String::new(),
    };
    OutgoingError::from_name(error.name(), detail)
        .unwrap_or_else(|| OutgoingError::OutcomeUnknown(String::new()))
}

/// The service may have acted.
fn encoded() -> OutgoingError {
    OutgoingError::OutcomeUnknown(
        "the response has a `content-encoding`, though none was asked for, so that no secret can be found in it".to_owned(),
    )
}

fn too_long(_: TooLong) -> OutgoingError {
    OutgoingError::ResponseTooLarge(format!(
        "it repeats a secret: with placeholders in its place, the headers have more than {OUTGOING_HEADERS_BYTES_MAX} bytes, or the body has more than {OUTGOING_RESPONSE_BODY_BYTES_MAX}"
    ))
}

/// Nothing was sent, and nothing is wrong with the network.
fn not_filled(error: SecretError) -> OutgoingError {
    match error {
        SecretError::Unknown(detail) | SecretError::NotGranted(detail) => {
            OutgoingError::NotGranted(detail)
        }
        SecretError::Unavailable(detail) => OutgoingError::Unreachable(detail),
    }
}

/// What lasts until an operator changes something is no reason for a client to try again.
fn no_value(error: ValueError) -> OutgoingError {
    match error.lasts {
        true => OutgoingError::NotGranted(error.error.detail().to_owned()),
        false => not_filled(error.error),
    }
}

impl From<FillError> for OutgoingError {
    fn from(error: FillError) -> Self {
        Self::InvalidRequest(error.to_string())
    }
}

impl fmt::Debug for SecretFiller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SecretFiller")
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
