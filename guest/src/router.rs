//! The resources of the API by path, and their methods.
//!
//! A plain match instead of a routing library: every request runs in a new instance, so a routing tree would be built anew for each, and
//! four routes are easier to read than to register. A path with a trailing slash is another resource, which does not exist.

use crate::{percent, problem::Problem};
use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
};

/// A resource of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/items`
    Items,
    /// `/items/{id}`, with the decoded id, which need not be a valid one.
    Item(String),
    /// `/health`
    Health,
    /// `/openapi.json`
    OpenApi,
}

impl Route {
    /// The resource that a percent-encoded path names.
    pub fn find(path: &str) -> Result<Self, Problem> {
        let mut segments = [Cow::Borrowed(""), Cow::Borrowed("")];
        let mut count = 0;
        for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
            let decoded = percent::decode(segment).ok_or_else(|| {
                Problem::new(400, "invalid-path", "the path is not percent-encoded UTF-8")
            })?;
            if let Some(place) = segments.get_mut(count) {
                *place = decoded;
            }
            count += 1;
        }
        match (count, segments[0].as_ref(), segments[1].as_ref()) {
            (1, "items", _) => Ok(Self::Items),
            (2, "items", id) if !id.is_empty() => Ok(Self::Item(id.to_string())),
            (1, "health", _) => Ok(Self::Health),
            (1, "openapi.json", _) => Ok(Self::OpenApi),
            _ => Err(Problem::new(
                404,
                "not-found",
                format!("there is nothing at `{path}`"),
            )),
        }
    }

    /// The methods that the resource knows, as `Allow` lists them.
    pub fn allow(&self) -> &'static str {
        match self {
            Self::Items => "GET, HEAD, POST, OPTIONS",
            Self::Item(_) => "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
            Self::Health | Self::OpenApi => "GET, HEAD, OPTIONS",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_once_after_they_are_split() {
        assert_eq!(Route::find("/%69tems"), Ok(Route::Items));
        assert_eq!(Route::find("/items/a%2Fb"), Ok(Route::Item("a/b".into())));
        assert_eq!(Route::find("/items/%2541"), Ok(Route::Item("%41".into())));
    }

    #[test]
    fn a_trailing_slash_is_another_resource() {
        for path in [
            "/",
            "/items/",
            "/items/a/",
            "//items",
            "/health/",
            "/openapi.json/x",
        ] {
            assert_eq!(
                Route::find(path).map_err(|problem| problem.status),
                Err(404),
                "{path}"
            );
        }
    }

    #[test]
    fn a_path_that_is_not_encoded_text_is_a_bad_request() {
        for path in ["/items/%", "/items/%zz", "/%ff", "/a/b/c/%"] {
            assert_eq!(
                Route::find(path).map_err(|problem| problem.status),
                Err(400),
                "{path}"
            );
        }
    }
}
