//! The members of events and responses, for callers that scan them without parsing: redaction, tapes, comparisons.
//!
//! Only this module knows the meaning of an event's members, beside [`parse`](crate::parse) and [`respond`](crate::respond()), so that no other
//! crate has to name one:
//!
//! ```
//! use gateway::message::{MemberKind, Message};
//!
//! let event = r#"{"rawPath": "/items", "cookies": ["session=1"], "body": "aGk=", "isBase64Encoded": true}"#;
//! let members = Message::Event.members(event)?;
//! let kinds: Vec<MemberKind> = members.iter().map(|member| member.kind).collect();
//! assert_eq!(
//!     kinds,
//!     [MemberKind::Other, MemberKind::Header("cookie"), MemberKind::Body, MemberKind::Other]
//! );
//! assert!(members.is_base64());
//! # Ok::<(), json::JsonError>(())
//! ```

use json::{JsonError, Step, elements, members, string};
use std::borrow::Cow;

/// The member that contains the body, in every event and response.
pub const BODY: &str = "body";

/// Names that only members of events and responses have. `cargo xtask check` looks for them in the sources of all other crates.
pub const NAMES: &[&str] = &[
    "domainName",
    "httpMethod",
    "isBase64Encoded",
    "multiValueHeaders",
    "multiValueQueryStringParameters",
    "pathParameters",
    "queryStringParameters",
    "rawPath",
    "rawQueryString",
    "requestContext",
    "requestTimeEpoch",
    "routeKey",
    "sourceIp",
    "stageVariables",
    "statusCode",
    "statusDescription",
    "timeEpoch",
];

/// A message between gateway and host, as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// From the gateway.
    Event,
    /// To the gateway.
    Response,
}

/// The meaning of a member of an event or response, for any gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// Header fields: a text or a list of texts for each name.
    Headers,
    /// The values of the one header of this name, which are separate from the others: a list of texts.
    Header(&'static str),
    /// Query parameters: a text or a list of texts for each name.
    QueryParameters,
    /// The query as one text, as it was sent.
    Query,
    /// The gateway's data about request and caller, including what an authorizer added. Its names are chosen by the gateway.
    Context,
    /// The body as a text; [`Members::is_base64`] says whether it is encoded.
    Body,
    /// Anything else, like path, method or status.
    Other,
}

/// A member of an event or response.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// As written, without escapes.
    pub name: &'a str,
    /// Its value, a part of the text that was read.
    pub json: &'a str,
    /// Its meaning.
    pub kind: MemberKind,
}

/// The members of an event or response, in order. Values are not parsed.
#[derive(Debug)]
pub struct Members<'a> {
    message: Message,
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl Message {
    /// The members of a JSON object; an error if the text is not one.
    pub fn members(self, json: &str) -> Result<Members<'_>, JsonError> {
        Ok(Members {
            message: self,
            members: members(json)?,
        })
    }

    /// The meaning of the member of this name.
    pub fn kind(self, name: &str) -> MemberKind {
        match (self, name) {
            (_, "headers" | "multiValueHeaders") => MemberKind::Headers,
            (Self::Event, "cookies") => MemberKind::Header("cookie"),
            (Self::Response, "cookies") => MemberKind::Header("set-cookie"),
            (Self::Event, "queryStringParameters" | "multiValueQueryStringParameters") => {
                MemberKind::QueryParameters
            }
            (Self::Event, "rawQueryString") => MemberKind::Query,
            (Self::Event, "requestContext") => MemberKind::Context,
            (_, BODY) => MemberKind::Body,
            (_, _) => MemberKind::Other,
        }
    }
}

impl<'a> Members<'a> {
    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = Member<'_>> {
        self.members.iter().map(|(name, json)| Member {
            name,
            json,
            kind: self.message.kind(name),
        })
    }

    /// The values of bodies: one, unless the member is repeated.
    pub fn bodies(&self) -> impl Iterator<Item = &'a str> {
        let bodies = self.members.iter().filter(|(name, _)| name == BODY);
        bodies.map(|(_, json)| *json)
    }

    /// Whether the body is written in base64.
    pub fn is_base64(&self) -> bool {
        self.members
            .iter()
            .any(|(name, value)| name == "isBase64Encoded" && *value == "true")
    }

    /// Calls `header` with name and value of each header field that can be read. A field that two members contain is reported twice.
    pub fn each_header(&self, mut header: impl FnMut(&str, &str)) {
        let maps = self
            .iter()
            .filter(|member| member.kind == MemberKind::Headers);
        for (name, value) in maps.flat_map(|map| members(map.json).unwrap_or_default()) {
            let values = elements(value).unwrap_or_else(|_| vec![value]);
            for value in values.into_iter().filter_map(|value| string(value).ok()) {
                header(&name, &value);
            }
        }
    }
}

/// Whether a member of the [context](MemberKind::Context) is part of how a gateway describes a caller, although its name looks like a
/// credential: the object around the claims of a token, the id of an access key. `place` is its path in the context.
pub fn describes_caller(place: &[Step<'_>]) -> bool {
    let names: Vec<&str> = place.iter().filter_map(Step::name).collect();
    matches!(
        names.as_slice(),
        ["authorizer", "jwt"] | ["authorizer", "iam", "accessKey"] | ["identity", "accessKey"]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventKind, Origin};
    use contract::http::Response;

    #[test]
    fn no_response_that_is_made_here_has_a_header_or_body_that_is_not_known_as_one() {
        let response = Response {
            status: 200,
            headers: [("set-cookie", "a=1"), ("etag", "x")]
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: b"\xff".to_vec(),
        };
        for kind in EventKind::ALL {
            let json = crate::respond(&Origin::new(kind), response.clone()).unwrap();
            let json = String::from_utf8(json).unwrap();
            let members = Message::Response.members(&json).unwrap();
            let mut seen = Vec::new();
            members.each_header(|name, _| seen.push(name.to_owned()));
            for member in members.iter() {
                if member.kind == MemberKind::Header("set-cookie") {
                    seen.push("set-cookie".to_owned());
                }
            }
            for name in ["etag", "set-cookie"] {
                assert!(seen.iter().any(|seen| seen == name), "{kind}: {seen:?}");
            }
            assert!(members.is_base64() && members.bodies().count() == 1);
        }
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        assert!(Message::Event.members("[1]").is_err());
        assert!(Message::Response.members("null").is_err());
    }
}
