//! The placeholders of one request, and the request with values in their place.

use super::{
    body::BodyForm,
    header::HeaderText,
    text::{FillError, fill},
};
use crate::{
    cache::Held,
    declaration::Place,
    encoding,
    name::SecretName,
    origin::Origin,
    placeholder::{PlaceholderPiece, has_placeholder, placeholder_pieces},
};
use outgoing::OutgoingRequest;
use std::collections::{BTreeMap, BTreeSet};

/// A request whose parts with placeholders have been found.
pub(super) struct Fill<'a> {
    request: &'a OutgoingRequest,
    headers: Vec<HeaderText<'a>>,
    /// Scheme and authority of the URL, and what follows.
    url: (&'a str, &'a str),
    /// Only with a placeholder in it.
    body: Option<(BodyForm, &'a str)>,
}

impl<'a> Fill<'a> {
    /// `reads_body` says whether the body may contain placeholders.
    pub(super) fn new(request: &'a OutgoingRequest, reads_body: bool) -> Result<Self, FillError> {
        let url = match Origin::of_url(&request.url) {
            Ok((_, target)) => request.url.split_at(request.url.len() - target.len()),
            Err(_) => ("", request.url.as_str()),
        };
        if has_placeholder(url.0) {
            return Err(FillError::Host);
        }
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| HeaderText::new(name, value));
        let text = str::from_utf8(&request.body).ok();
        let body = match text.filter(|text| reads_body && has_placeholder(text)) {
            Some(text) => {
                let form = BodyForm::of(&request.headers).ok_or(FillError::BodyForm)?;
                Some((form, text))
            }
            None => None,
        };
        Ok(Self {
            request,
            headers: headers.collect(),
            url,
            body,
        })
    }

    /// What is named, and where.
    pub(super) fn placeholders(&self) -> Result<BTreeSet<(SecretName, Place)>, FillError> {
        let mut found = BTreeSet::new();
        for (place, text) in self.texts() {
            for piece in placeholder_pieces(text) {
                if let PlaceholderPiece::Secret(name) = piece.map_err(|_| malformed(place))? {
                    found.insert((name, place));
                }
            }
        }
        Ok(found)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        let is_secret = |piece: &Result<PlaceholderPiece<'_>, _>| {
            matches!(piece, Ok(PlaceholderPiece::Secret(_)))
        };
        let counts = self
            .texts()
            .map(|(_, text)| placeholder_pieces(text).filter(is_secret).count());
        counts.sum()
    }

    fn texts(&self) -> impl Iterator<Item = (Place, &str)> {
        let headers = self
            .headers
            .iter()
            .map(|text| (Place::Headers, text.as_str()));
        let body = self.body.iter().map(|(_, text)| (Place::Body, *text));
        headers.chain([(Place::Url, self.url.1)]).chain(body)
    }

    /// The request with these values, which are all that it names.
    pub(super) fn with(
        &self,
        values: &BTreeMap<SecretName, Held>,
    ) -> Result<OutgoingRequest, FillError> {
        let mut headers = Vec::with_capacity(self.headers.len());
        for ((name, _), text) in self.request.headers.iter().zip(&self.headers) {
            headers.push((name.clone(), text.filled(values)?));
        }
        let mut url = self.url.0.as_bytes().to_vec();
        fill(self.url.1, values, &mut url, |_, value, out| {
            encoding::percent(value, out);
            Ok(())
        })?;
        let body = match &self.body {
            Some((form, text)) => {
                headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
                let mut body = Vec::with_capacity(text.len());
                fill(text, values, &mut body, |name, value, out| {
                    form.write(value, out)
                        .ok_or_else(|| FillError::Body(name.clone()))
                })?;
                body
            }
            None => self.request.body.clone(),
        };
        Ok(OutgoingRequest {
            method: self.request.method.clone(),
            // Its pieces are text, and what is between them is ASCII.
            url: String::from_utf8_lossy(&url).into_owned(),
            headers,
            body,
            timeout: self.request.timeout,
        })
    }
}

fn malformed(place: Place) -> FillError {
    FillError::Malformed(match place {
        Place::Headers => "headers",
        Place::Url => "path and query",
        Place::Body => "contents of the body",
    })
}
