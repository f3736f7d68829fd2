//! The path for the guest, and the base path: what precedes it in the URL that the client used.
//!
//! | event | removed from the path | base path |
//! |---|---|---|
//! | REST API | nothing; the gateway has left out the stage | what `requestContext.path` has before `path` |
//! | HTTP API, its own domain | a named stage | the same |
//! | HTTP API, custom domain | a named stage, which the client did not send | nothing |
//! | function URL, load balancer | nothing | nothing |
//!
//! The host's own base path (`TENON_BASE_PATH`) is then removed if it is present, and appended to the base path. HTTP APIs leave out
//! the key of a custom domain's mapping, so for them it is appended in any case.

use super::encode;
use contract::http::PathFidelity;
use std::borrow::Cow;

/// How much of its percent-encoding a path has lost in the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Nothing.
    Kept,
    /// Possibly a part: HTTP APIs with payload format 1.0.
    Unknown,
    /// Everything.
    Lost,
}

/// Where an event contains what precedes its path in the client's URL.
#[derive(Clone, Copy, Debug)]
pub enum Base<'e> {
    /// Nothing precedes it.
    None,
    /// `requestContext.path`: the path as the client sent it.
    ClientPath(Option<&'e str>),
    /// The path may begin with a named stage, as in events of HTTP APIs.
    Stage {
        stage: Option<&'e str>,
        /// `requestContext.path`, for REST APIs that label their payload format 1.0.
        client_path: Option<&'e str>,
        /// The client used a custom domain: its URL has the mapping's key instead of the stage.
        is_custom_domain: bool,
    },
}

/// A path with its base path separated.
#[derive(Debug, PartialEq, Eq)]
pub struct Split {
    pub base_path: String,
    pub path: String,
    pub fidelity: PathFidelity,
}

/// Separates the base path from the path of an event. `path` begins with `/`; `host_base_path` is the configured base path.
pub fn split(
    path: &str,
    encoding: Encoding,
    base: Base<'_>,
    host_base_path: Option<&str>,
) -> Split {
    let host_base_path = host_base_path
        .map(|base_path| base_path.trim_matches('/'))
        .filter(|base_path| !base_path.is_empty())
        .map(|base_path| format!("/{base_path}"));
    let (base_path, path, mut is_below_host_base_path): (Cow<'_, str>, _, _) = match base {
        Base::None => ("".into(), path, false),
        Base::ClientPath(client_path) => {
            let base_path = before(client_path.unwrap_or_default(), path);
            (base_path.into(), path, false)
        }
        Base::Stage {
            stage,
            client_path,
            is_custom_domain,
        } => {
            let prefix = stage.map(|stage| format!("/{stage}"));
            let rest = prefix
                .as_deref()
                .and_then(|prefix| encode::without_prefix(path, prefix));
            match (prefix, rest) {
                (_, Some(rest)) if is_custom_domain => ("".into(), rest, true),
                (Some(prefix), Some(rest)) => (prefix.into(), rest, false),
                (_, _) => {
                    let base_path = before(client_path.unwrap_or_default(), path);
                    (base_path.into(), path, is_custom_domain)
                }
            }
        }
    };
    let encoded = match encoding {
        Encoding::Kept => encode::encoded_path(path),
        Encoding::Unknown => encode::half_decoded_path(path),
        Encoding::Lost => encode::decoded_path(path),
    };
    // A client cannot have sent characters that had to be encoded.
    let fidelity = match (encoding, &encoded) {
        (Encoding::Kept, Cow::Borrowed(_)) => PathFidelity::Encoded,
        (_, _) => PathFidelity::DecodedByGateway,
    };
    let mut base_path = encode::encoded_path(&base_path).into_owned();
    let mut path = encoded;
    if let Some(prefix) = &host_base_path {
        if let Some(rest) = encode::without_prefix(&path, prefix) {
            path = Cow::Owned(rest.to_owned());
            is_below_host_base_path = true;
        }
        if is_below_host_base_path {
            base_path.push_str(prefix);
        }
    }
    Split {
        base_path,
        path: path.into_owned(),
        fidelity,
    }
}

/// What `client_path` has before `path`, without a trailing `/`; empty if that is not an absolute path, because events spell the two
/// differently. Two leading slashes would turn it into a reference to another host.
fn before<'e>(client_path: &'e str, path: &str) -> &'e str {
    let before = client_path
        .strip_suffix(path)
        .unwrap_or(if path == "/" { client_path } else { "" })
        .trim_end_matches('/');
    let is_absolute = before.starts_with('/') && !before.starts_with("//");
    if is_absolute { before } else { "" }
}
