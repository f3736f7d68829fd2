//! Redacts requests to other services, and their responses: URL, headers and body, by the rules for events and responses.

use super::{
    Marks, Redaction, Secrets,
    body::{Description, Sender},
    message::Body,
    text::Kind,
    walk::{Renamed, Section, Walk},
};
use gateway::message::MemberKind;
use json::rewrite;
use std::borrow::Cow;

/// A body of such a message.
pub struct OutgoingBody<'a> {
    /// The body as a JSON string.
    pub json: &'a str,
    /// Whether it is encoded.
    pub is_base64: bool,
    /// The headers of its message, which describe it.
    pub headers: &'a [(String, String)],
    /// Who wrote it.
    pub sender: Sender,
    /// Its place in the line.
    pub at: &'a str,
}

impl Redaction {
    /// A URL without the values of its secrets.
    pub(crate) fn url<'a>(
        &self,
        url: &'a str,
        at: &str,
        marks: &mut Marks,
        secrets: Option<&mut Secrets>,
    ) -> Cow<'a, str> {
        if self.is_nothing() {
            return Cow::Borrowed(url);
        }
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (url, None),
        };
        let mut walk = self.walk(Section::Member(MemberKind::Query), at, marks, secrets);
        let named = walk.text(path, Kind::Address, &[]);
        let parameters = query.and_then(|query| walk.text(query, Kind::Query, &[]));
        if named.is_none() && parameters.is_none() {
            return Cow::Borrowed(url);
        }
        let mut shown = named.unwrap_or_else(|| path.to_owned());
        if let Some(query) = query {
            shown.push('?');
            shown.push_str(parameters.as_deref().unwrap_or(query));
        }
        Cow::Owned(shown)
    }

    /// A URL as a tape shows it, for messages.
    pub fn shown_url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        self.url(url, "", &mut Marks::default(), None)
    }

    /// Headers, an object with a list of values for each name.
    pub(crate) fn headers<'a>(
        &self,
        json: &'a str,
        at: &str,
        marks: &mut Marks,
        secrets: Option<&mut Secrets>,
    ) -> Cow<'a, str> {
        if self.is_nothing() {
            return Cow::Borrowed(json);
        }
        let section = Section::Member(MemberKind::Headers);
        let mut walk = self.walk(section, at, marks, secrets);
        // Our own JSON can be read.
        rewrite(json, &mut walk).unwrap_or(Cow::Borrowed("{}"))
    }

    /// A body as a JSON string; `null` if it cannot be redacted.
    pub(crate) fn outgoing_body<'a>(
        &self,
        body: &OutgoingBody<'a>,
        marks: &mut Marks,
        secrets: Option<&mut Secrets>,
    ) -> Cow<'a, str> {
        if self.is_nothing() {
            return Cow::Borrowed(body.json);
        }
        let mut description = Description::default();
        for (name, value) in body.headers {
            description.add(name, value);
        }
        let described = Body {
            json: body.json,
            is_base64: body.is_base64,
            description: &description,
            sender: body.sender,
            place: body.at,
        };
        self.body(&described, marks, secrets)
            .map_or(Cow::Borrowed(body.json), Cow::Owned)
    }

    fn walk<'a>(
        &'a self,
        section: Section,
        base: &'a str,
        marks: &'a mut Marks,
        secrets: Option<&'a mut Secrets>,
    ) -> Walk<'a> {
        Walk {
            rules: self,
            section,
            base,
            parent: None,
            marks,
            secrets,
            renamed: Renamed::default(),
        }
    }
}
