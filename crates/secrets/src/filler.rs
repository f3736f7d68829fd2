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
//! A request to an origin that secrets are for asks for an answer that is not compressed, and their values are masked in the answer, also those
//! that this request did not contain, because a server may return what it got earlier. Values that this host has not read yet are not known.

mod body;
mod fill;
mod header;
mod text;

use crate::{
    cache::{Held, Secrets},
    declaration::Place,
    echo::EchoMask,
    name::SecretName,
    origin::Origin,
    port::SecretError,
};
use contract::limits::{
    OUTGOING_HEADERS_BYTES_MAX, OUTGOING_RESPONSE_BODY_BYTES_MAX, SECRET_FILLED_BYTES_MAX,
    SECRET_FILLED_BYTES_MIN, SECRET_PLACEHOLDERS_MAX,
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

/// A view of a client that fills in the secrets of one guest.
pub struct SecretFiller {
    secrets: Secrets,
    client: Arc<dyn OutgoingHttp>,
    /// The last mask of each origin with the versions of its values, because it takes time to make. There are few declared origins.
    masks: Mutex<BTreeMap<Origin, (Versions, Arc<EchoMask>)>>,
}

type Versions = Vec<(SecretName, u64)>;

impl SecretFiller {
    /// `client` sends requests as they are; it checks the guest's grants.
    pub fn new(secrets: Secrets, client: Arc<dyn OutgoingHttp>) -> Self {
        Self {
            secrets,
            client,
            masks: Mutex::default(),
        }
    }

    /// The request with values, which are returned, too.
    async fn filled(
        &self,
        request: OutgoingRequest,
        origin: &Origin,
        deadline: Instant,
    ) -> Result<(OutgoingRequest, BTreeMap<SecretName, Held>), OutgoingError> {
        let reads_body = self
            .secrets
            .declarations()
            .iter()
            .any(|(_, secret)| secret.places.contains(&Place::Body));
        let fill = Fill::new(&request, reads_body)?;
        let found = fill.placeholders()?;
        if found.is_empty() {
            return Ok((request, BTreeMap::new()));
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
            let held = held.map_err(not_filled)?;
            check_length(&name, held.value.expose().len())?;
            values.insert(name, held);
        }
        let filled = fill.with(&values)?;
        Ok((filled, values))
    }

    /// Whether a secret may be filled in there.
    fn check(&self, name: &SecretName, place: Place, origin: &Origin) -> Result<(), OutgoingError> {
        let declared = self.secrets.declared(name.as_str()).map_err(not_filled)?;
        let words = if declared.origins.is_empty() {
            "is not for requests: its declaration has no `for`".to_owned()
        } else if !declared.origins.contains(origin) {
            format!("is not for `{origin}`: its declaration does not have it in `for`")
        } else if !declared.places.contains(&place) {
            let (words, member) = match place {
                Place::Headers => ("headers", "headers"),
                Place::Url => ("URLs", "url"),
                Place::Body => ("bodies", "body"),
            };
            format!("is not for {words}: its declaration does not have `{member}` in `in`")
        } else {
            return Ok(());
        };
        Err(OutgoingError::NotGranted(format!(
            "secret `{name}` {words}"
        )))
    }

    /// Looks for the values of all secrets that are for an origin.
    fn mask(&self, origin: &Origin, filled: BTreeMap<SecretName, Held>) -> Option<Arc<EchoMask>> {
        let mut values = filled;
        for (name, _) in self.bound(origin) {
            if !values.contains_key(name) {
                let held = self.secrets.last_value(name.as_str());
                let known =
                    held.filter(|held| held.value.expose().len() >= SECRET_FILLED_BYTES_MIN);
                values.extend(known.map(|held| (name.clone(), held)));
            }
        }
        let versions: Versions = values
            .iter()
            .map(|(name, held)| (name.clone(), held.version))
            .collect();
        let mut masks = self.masks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, mask)) = masks.get(origin)
            && *of == versions
        {
            return Some(mask.clone());
        }
        let values = values
            .iter()
            .map(|(name, held)| (name, held.value.expose()));
        let mask = Arc::new(EchoMask::new(values)?);
        masks.insert(origin.clone(), (versions, mask.clone()));
        Some(mask)
    }

    fn bound(
        &self,
        origin: &Origin,
    ) -> impl Iterator<Item = (&SecretName, &crate::SecretDeclaration)> {
        let declared = self.secrets.declarations().iter();
        declared.filter(move |(_, secret)| secret.origins.contains(origin))
    }
}

#[async_trait::async_trait]
impl OutgoingHttp for SecretFiller {
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
        let (mut request, filled) = self.filled(request, &origin, deadline).await?;
        if self.bound(&origin).next().is_some() {
            header::refuse_compression(&mut request.headers);
        }
        let answer = self.client.send(request, deadline).await;
        match self.mask(&origin, filled) {
            Some(mask) => masked(answer, &mask),
            None => answer,
        }
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

fn too_long(_: TooLong) -> OutgoingError {
    OutgoingError::ResponseTooLarge(format!(
        "it repeats a secret: with placeholders in its place, the headers have more than {OUTGOING_HEADERS_BYTES_MAX} bytes, or the body has more than {OUTGOING_RESPONSE_BODY_BYTES_MAX}"
    ))
}

/// Shorter values could not be told from other text in a response, and longer ones make no sense in a request.
fn check_length(name: &SecretName, length: usize) -> Result<(), OutgoingError> {
    let words = if length < SECRET_FILLED_BYTES_MIN {
        format!(
            "shorter than {SECRET_FILLED_BYTES_MIN} bytes, so that it could not be told from other text of a response"
        )
    } else if length > SECRET_FILLED_BYTES_MAX {
        format!("longer than {SECRET_FILLED_BYTES_MAX} bytes")
    } else {
        return Ok(());
    };
    Err(OutgoingError::NotGranted(format!(
        "secret `{name}` is {words}"
    )))
}

/// Nothing was sent, and nothing is wrong with the network.
fn not_filled(error: SecretError) -> OutgoingError {
    match error {
        SecretError::Unknown(_) | SecretError::NotGranted(_) => {
            OutgoingError::NotGranted(error.to_string())
        }
        SecretError::Unavailable(detail) => OutgoingError::Unreachable(detail),
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
