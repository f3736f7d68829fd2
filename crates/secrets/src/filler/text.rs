//! A text with values in place of its placeholders.

use crate::{
    cache::Held,
    name::SecretName,
    placeholder::{PlaceholderPiece, placeholder_pieces},
};
use std::collections::BTreeMap;

/// Why placeholders cannot be filled in. The texts contain no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FillError {
    #[error("{0} contain `__secret.` without a name and `__` after it")]
    Malformed(&'static str),
    #[error("the host of a URL cannot contain a secret")]
    Host,
    #[error(
        "a body with a placeholder needs one `content-type` of JSON, XML, a form (`application/x-www-form-urlencoded`) or `text/plain`"
    )]
    BodyForm,
    #[error("the value of secret `{0}` has characters that a header cannot contain")]
    Header(SecretName),
    #[error("the value of secret `{0}` has bytes or characters that such a body cannot contain")]
    Body(SecretName),
}

/// Writes a text with values as `encode` writes them.
pub(super) fn fill(
    text: &str,
    values: &BTreeMap<SecretName, Held>,
    out: &mut Vec<u8>,
    mut encode: impl FnMut(&SecretName, &[u8], &mut Vec<u8>) -> Result<(), FillError>,
) -> Result<(), FillError> {
    for piece in placeholder_pieces(text).flatten() {
        match piece {
            PlaceholderPiece::Text(text) => out.extend_from_slice(text.as_bytes()),
            PlaceholderPiece::Secret(name) => {
                if let Some(held) = values.get(&name) {
                    encode(&name, held.value.expose(), out)?;
                }
            }
        }
    }
    Ok(())
}
