//! All that a guest may call.

use crate::{
    error::OutgoingError,
    grant::{Grant, GrantError},
    request::ParsedRequest,
};
use contract::limits::OUTGOING_GRANTS_MAX;
use serde::{Deserialize, Serialize};

/// What a guest may call: at most [`OUTGOING_GRANTS_MAX`] grants. As documents have it, an array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Grant>", into = "Vec<Grant>")]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// These grants. No origin may be there twice with the same path, however it is encoded.
    pub fn new(grants: Vec<Grant>) -> Result<Self, GrantError> {
        if grants.len() > OUTGOING_GRANTS_MAX {
            return Err(GrantError::TooMany(grants.len()));
        }
        for (index, grant) in grants.iter().enumerate() {
            if grants[..index].iter().any(|other| other.is_twin_of(grant)) {
                return Err(GrantError::Twice(grant.to_string()));
            }
        }
        Ok(Self(grants))
    }

    /// These and others. Of two grants for the same origin and path, the other one counts. There can be more than [`OUTGOING_GRANTS_MAX`], but
    /// not in a document.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        let own = self.0.iter();
        let own = own.filter(|grant| !others.0.iter().any(|other| other.is_twin_of(grant)));
        Self(own.chain(&others.0).cloned().collect())
    }

    /// Those of them that are not also in `others`, in every detail.
    pub fn without<'a>(&'a self, others: &'a Self) -> impl Iterator<Item = &'a Grant> {
        let own = self.0.iter();
        own.filter(|grant| !others.0.contains(grant))
    }

    /// Whether nothing is granted: an import without a grant is refused when a guest is loaded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The grants, as they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// The grant that covers a request; of several the one with the longest path.
    ///
    /// The error names what is granted, or the origin that is not. It does not name the path, which can contain a secret.
    pub fn check(&self, request: &ParsedRequest) -> Result<&Grant, OutgoingError> {
        self.0
            .iter()
            .filter(|grant| grant.covers(request))
            .max_by_key(|grant| grant.path_segments())
            .ok_or_else(|| OutgoingError::NotGranted(self.reason(request)))
    }

    fn reason(&self, request: &ParsedRequest) -> String {
        let origin = request.origin();
        let prefixes: Vec<&str> = self
            .0
            .iter()
            .filter(|grant| grant.origin() == origin)
            .map(Grant::path_prefix)
            .collect();
        if prefixes.is_empty() {
            return format!("no grant is for `{origin}`");
        }
        let prefixes = prefixes.join("`, `");
        let is_below = self.0.iter().any(|grant| {
            grant.origin() == origin && crate::path::is_under(request.path(), grant.path_prefix())
        });
        if is_below {
            return format!(
                "a segment of the path is `.` or `..`, possibly encoded, but of `{origin}` only `{prefixes}` is granted"
            );
        }
        format!("of `{origin}` only `{prefixes}` is granted, and the path is not below")
    }
}

impl TryFrom<Vec<Grant>> for Grants {
    type Error = GrantError;

    fn try_from(grants: Vec<Grant>) -> Result<Self, GrantError> {
        Self::new(grants)
    }
}

impl From<Grants> for Vec<Grant> {
    fn from(grants: Grants) -> Self {
        grants.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutgoingRequest;

    fn grants(texts: &[&str]) -> Grants {
        let grants = texts.iter().map(|text| text.parse().unwrap()).collect();
        Grants::new(grants).unwrap()
    }

    fn parsed(url: &str) -> ParsedRequest {
        let request = OutgoingRequest {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
        };
        ParsedRequest::new(request).unwrap()
    }

    #[test]
    fn only_what_is_granted_is_covered() {
        let grants = grants(&[
            "https://api.example.com/v1",
            "https://api.example.com:8443",
            "http://[::1]:9000/a/b",
        ]);
        for (url, expected) in [
            ("https://api.example.com/v1", true),
            ("https://api.example.com/v1?q", true),
            ("HTTPS://API.EXAMPLE.COM:443/v1/items", true),
            ("https://api.example.com/%76%31/items", true),
            ("https://api.example.com:8443", true),
            ("https://api.example.com:8443/a/../b", true),
            ("http://[0:0::1]:9000/a/b/c", true),
            ("https://api.example.com/", false),
            ("https://api.example.com/v10", false),
            ("https://api.example.com/v1/../v2", false),
            ("https://api.example.com/v1/%2e%2e/v2", false),
            ("https://api.example.com/v1/..%2fv2", false),
            ("https://api.example.com/v1/..%5cv2", false),
            ("https://api.example.com/v1/..%3f/v2", false),
            ("https://api.example.com/v1/..%23/v2", false),
            ("https://api.example.com/v1/..%26/v2", false),
            ("https://api.example.com/v1/..%01/v2", false),
            ("https://api.example.com/v1/..%c2%85/v2", false),
            ("https://api.example.com/v1/%c0%ae%c0%ae/v2", false),
            ("https://api.example.com/v1/%ef%bc%8e%ef%bc%8e/v2", false),
            ("https://api.example.com/v1/%e2%80%a5/v2", false),
            ("https://api.example.com/v1/...", true),
            ("https://api.example.com/v1/..a", true),
            ("https://api.example.com/v1/%C3%A9?..", true),
            ("https://api.example.com/v1/%252e%252e%252fv2", false),
            ("https://api.example.com/v1/..;x/v2", false),
            ("http://api.example.com/v1", false),
            ("https://api.example.com:444/v1", false),
            ("https://example.com/v1", false),
            ("https://xapi.example.com/v1", false),
            ("https://api.example.com.evil.example/v1", false),
            ("http://[::1]:9000/a", false),
            ("http://127.0.0.1:9000/a/b", false),
        ] {
            assert_eq!(grants.check(&parsed(url)).is_ok(), expected, "{url}");
        }
    }

    #[test]
    fn the_most_specific_grant_decides() {
        let whole = "https://api.example.com";
        let part = "https://api.example.com/v1";
        for grants in [grants(&[whole, part]), grants(&[part, whole])] {
            for (url, expected) in [
                ("https://api.example.com/v1/x", part),
                ("https://api.example.com/v2", whole),
                ("https://api.example.com/v1/../v2", whole),
            ] {
                let request = parsed(url);
                let grant = grants.check(&request).unwrap();
                assert_eq!(grant.to_string(), expected);
            }
        }
        let encoded = "https://api.example.com/%76%31";
        let below = "https://api.example.com/v1/a";
        let request = parsed("https://api.example.com/v1/a/b");
        for grants in [grants(&[encoded, below]), grants(&[below, encoded])] {
            assert_eq!(grants.check(&request).unwrap().to_string(), below);
        }
    }

    #[test]
    fn the_same_path_is_granted_once_however_it_is_encoded() {
        let all = |texts: &[&str]| {
            let grants = texts.iter().map(|text| text.parse().unwrap()).collect();
            Grants::new(grants)
        };
        for (first, second) in [
            ("https://a.example/v1", "https://a.example/%76%31/"),
            ("https://a.example/caf%c3%a9", "https://a.example/caf%C3%A9"),
        ] {
            let text = second.trim_end_matches('/').to_owned();
            assert_eq!(all(&[first, second]), Err(GrantError::Twice(text)));
        }
        let different = ["https://a.example/v1/a", "https://a.example/v1%2Fa"];
        assert!(all(&different).is_ok());
    }

    #[test]
    fn messages_name_what_is_granted_and_no_secret() {
        let grants = grants(&["https://api.example.com/v1", "https://api.example.com/v2"]);
        for (url, message) in [
            (
                "https://other.example:8443/bot-planted?planted",
                "not granted: no grant is for `https://other.example:8443`",
            ),
            (
                "https://api.example.com/planted?planted",
                "not granted: of `https://api.example.com` only `/v1`, `/v2` is granted, and the path is not below",
            ),
            (
                "https://api.example.com/v1/../planted",
                "not granted: a segment of the path is `.` or `..`, possibly encoded, but of `https://api.example.com` only `/v1`, `/v2` is granted",
            ),
        ] {
            let error = grants.check(&parsed(url)).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let none = Grants::default()
            .check(&parsed("https://a.example"))
            .unwrap_err();
        assert_eq!(
            none.to_string(),
            "not granted: no grant is for `https://a.example`"
        );
    }
}
