//! Which route of a channel answers a path.

use percent_encoding::percent_decode_str;
use release::{Channel, Route};
use std::{cmp::Reverse, ptr};

/// The route whose guests answer requests for a path; `None` if no route matches it.
pub fn route_of<'c>(channel: &'c Channel, path: &str) -> Option<&'c Route> {
    let mut routes: Vec<&Route> = channel.routes.iter().collect();
    sort(&mut routes, |route| &route.path);
    find(&routes, |route| &route.path, path).copied()
}

/// Longest paths first.
pub(super) fn sort<R>(routes: &mut [R], path_of: impl Fn(&R) -> &str) {
    routes.sort_by_key(|route| Reverse(segments(path_of(route)).count()));
}

/// The longest of sorted routes that matches a path. A path in another spelling than its canonical form must match the same route in both
/// spellings, or it matches none: a component before the host that decides by path, such as an authorizer, saw the original spelling.
pub(super) fn find<'r, R>(
    routes: &'r [R],
    path_of: impl Fn(&R) -> &str,
    path: &str,
) -> Option<&'r R> {
    let find = |path: &str| routes.iter().find(|route| takes(path_of(route), path));
    let route = find(path);
    if !may_be_spelt_otherwise(path) {
        return route;
    }
    let canonical = find(&canonical_path(path));
    route.filter(|route| canonical.is_some_and(|canonical| ptr::eq(*route, canonical)))
}

/// Whether a path begins with a route's segments, compared exactly.
fn takes(route: &str, path: &str) -> bool {
    let route = route.trim_end_matches('/');
    path.strip_prefix(route)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path may differ from its canonical form.
fn may_be_spelt_otherwise(path: &str) -> bool {
    path.contains('%') || path.contains("//") || path.contains("/.")
}

/// The path decoded once, without dot segments and empty segments (RFC 3986, 6.2.2). An encoded slash also separates segments here, because
/// some servers treat it as one.
fn canonical_path(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let mut kept: Vec<&str> = Vec::new();
    for segment in decoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// The segments of a path; none for `/`.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .skip(1)
        .filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_route_takes_a_path_in_whole_segments() {
        let mut routes = ["/", "/pay", "/pay/cards"];
        sort(&mut routes, |route| route);
        for (path, route) in [
            ("/", "/"),
            ("/payments", "/"),
            ("/pay", "/pay"),
            ("/pay/1", "/pay"),
            ("/pay/cards/1", "/pay/cards"),
        ] {
            let found = find(&routes, |route| route, path);
            assert_eq!(found, Some(&route), "{path}");
        }
        // Another route in another spelling.
        assert_eq!(find(&routes, |route| route, "/p%61y"), None);
    }

    #[test]
    fn what_a_path_means_is_found_however_it_is_spelt() {
        for (path, canonical) in [
            ("/", "/"),
            ("//", "/"),
            ("//orders", "/orders"),
            ("/%6frders", "/orders"),
            ("/%6Frders/%2e%2E/x/", "/x"),
            ("/a/./b//c/..", "/a/b"),
            ("/../a", "/a"),
            ("/a%2Fb", "/a/b"),
            ("/%256frders", "/%6frders"),
            ("/.well-known/x", "/.well-known/x"),
        ] {
            assert_eq!(canonical_path(path), canonical, "{path}");
            assert!(may_be_spelt_otherwise(path) || path == canonical, "{path}");
        }
    }
}
