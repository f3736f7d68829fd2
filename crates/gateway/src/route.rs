//! What a request was for, in a form that logs may contain: the gateway's route, or otherwise the path.

use super::{
    EventKind,
    envelope::{Envelope, Text, text},
};
use serde_json::value::RawValue;

/// Longer routes are cut, because a client chooses the path.
const ROUTE_BYTES_MAX: usize = 256;

/// The route of an event; its path if the gateway has no route. `path` is the guest's path, if it is known.
pub fn of(kind: EventKind, envelope: &Envelope<'_>, path: Option<&str>) -> String {
    let route = match kind {
        EventKind::Rest => read(envelope.resource),
        // `GET /items/{id}`; `$default` names no path.
        EventKind::HttpApi => read(envelope.route_key)
            .and_then(|key| key.split_once(' ').map(|(_, route)| route.to_owned())),
        EventKind::FunctionUrl | EventKind::Alb => None,
    };
    let mut route = route
        .or_else(|| path.map(str::to_owned))
        .or_else(|| text(&envelope.raw_path).map(str::to_owned))
        .or_else(|| text(&envelope.path).map(str::to_owned))
        .unwrap_or_default();
    route.truncate(for_logs(&route).len());
    route.truncate(route.floor_char_boundary(ROUTE_BYTES_MAX));
    route
}

/// A path up to the point where a pair of name and value may begin, which may be a credential: `;jsessionid=...`, or a query that was
/// encoded or decoded on the way.
pub fn for_logs(path: &str) -> &str {
    let end = path.bytes().enumerate().find_map(|(at, byte)| {
        let begins = match byte {
            b'?' | b'#' | b';' | b'=' => true,
            b'%' => path.as_bytes().get(at + 1..at + 3).is_some_and(|digits| {
                ["3b", "3d", "3f", "23", "25"]
                    .iter()
                    .any(|one| one.as_bytes().eq_ignore_ascii_case(digits))
            }),
            _ => false,
        };
        begins.then_some(at)
    });
    &path[..end.unwrap_or(path.len())]
}

#[expect(clippy::disallowed_methods, reason = "read into a string")]
fn read(raw: Option<&RawValue>) -> Option<String> {
    let Text(route) = serde_json::from_str(raw?.get()).ok()?;
    Some(route.into_owned()).filter(|route| !route.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(kind: EventKind, event: &str, path: Option<&str>) -> String {
        of(kind, &serde_json::from_str(event).unwrap(), path)
    }

    #[test]
    fn each_kind_names_its_route() {
        let rest = r#"{"resource":"/items/{id}","path":"/items/1"}"#;
        assert_eq!(route(EventKind::Rest, rest, None), "/items/{id}");
        let http = r#"{"routeKey":"GET /items/{id}","rawPath":"/items/1"}"#;
        assert_eq!(route(EventKind::HttpApi, http, None), "/items/{id}");
        let default = r#"{"routeKey":"$default","rawPath":"/items/1"}"#;
        assert_eq!(route(EventKind::HttpApi, default, None), "/items/1");
        assert_eq!(route(EventKind::FunctionUrl, default, Some("/a")), "/a");
        assert_eq!(route(EventKind::Alb, rest, None), "/items/1");
    }

    #[test]
    fn a_path_in_logs_ends_where_a_pair_may_begin() {
        for (path, shown) in [
            ("/items/1", "/items/1"),
            ("/items/x;jsessionid=s3cret", "/items/x"),
            ("/items/password%3Ds3cret", "/items/password"),
            ("/items/password=s3cret", "/items/password"),
            ("/items/a%3ftoken=s3cret", "/items/a"),
            ("/items/password%253Ds3cret", "/items/password"),
            ("/items/%C3%BC%", "/items/%C3%BC%"),
        ] {
            assert_eq!(for_logs(path), shown);
            let event = format!(r#"{{"rawPath":"{path}"}}"#);
            assert_eq!(route(EventKind::FunctionUrl, &event, None), shown);
        }
    }

    #[test]
    fn a_route_that_cannot_be_read_is_the_path() {
        for event in [r#"{"resource":7}"#, r#"{"resource":""}"#, "{}"] {
            assert_eq!(route(EventKind::Rest, event, Some("/a")), "/a", "{event}");
        }
        assert_eq!(route(EventKind::Rest, "{}", None), "");
    }

    #[test]
    fn a_path_is_cut_before_what_may_be_secret_and_where_it_is_long() {
        for path in ["/a?token=s", "/a#s", "/a;jsessionid=s"] {
            assert_eq!(route(EventKind::Alb, "{}", Some(path)), "/a");
        }
        let long = "/é".repeat(ROUTE_BYTES_MAX);
        assert!(route(EventKind::Alb, "{}", Some(&long)).len() <= ROUTE_BYTES_MAX);
    }
}
