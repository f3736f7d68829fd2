//! Routes: a method and a path, as API Gateway and OpenAPI documents write them.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// A method that API Gateway can route. It has no TRACE and no CONNECT (AWS: `AWS::ApiGateway::Method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // their names
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    /// In the order in which templates name them.
    pub const ALL: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
        Self::Options,
    ];

    /// As in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// As the member of a path item in OpenAPI.
    pub fn member(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Head => "head",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Options => "options",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What the body of a request is, as far as the gateway looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// None, or anything: it passes as it is.
    Unchecked,
    /// A JSON object, of one of these media types.
    Objects(BTreeSet<String>),
}

/// A method of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What it is.
    pub key: RouteKey,
    /// What its requests contain.
    pub content: Content,
}

/// Method and path: `GET /items/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteKey {
    /// The path; a parameter is a whole segment, `{name}`.
    pub path: String,
    /// The method.
    pub method: Method,
}

impl fmt::Display for RouteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)
    }
}

/// A text is no route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteKeyError {
    /// There is no blank between method and path.
    #[error("a route is a method and a path, like `GET /health`")]
    Form,
    /// API Gateway has no such method.
    #[error("`{0}` is no method that API Gateway routes")]
    Method(String),
    /// The path cannot be that of a route.
    #[error("path `{path}`: {problem}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl FromStr for RouteKey {
    type Err = RouteKeyError;

    fn from_str(text: &str) -> Result<Self, RouteKeyError> {
        let (method, path) = text.split_once(' ').ok_or(RouteKeyError::Form)?;
        let known = Method::ALL
            .into_iter()
            .find(|known| known.as_str() == method);
        let method = known.ok_or_else(|| RouteKeyError::Method(method.to_owned()))?;
        check_path(path).map_err(|problem| RouteKeyError::Path {
            path: path.to_owned(),
            problem,
        })?;
        Ok(Self {
            path: path.to_owned(),
            method,
        })
    }
}

/// Checks that API Gateway can route a path (AWS: `AWS::ApiGateway::Resource`, `PathPart`).
pub fn check_path(path: &str) -> Result<(), &'static str> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err("a path begins with `/`");
    };
    if rest.is_empty() {
        return Ok(());
    }
    let mut names = BTreeSet::new();
    for segment in rest.split('/') {
        if segment.is_empty() {
            return Err("API Gateway routes no empty segments, as of `//` or of a `/` at the end");
        }
        if matches!(segment, "." | "..") {
            return Err("clients resolve the segments `.` and `..`, so no request has them");
        }
        match parameter(segment)? {
            Some(name) if !names.insert(name) => return Err("a parameter occurs twice"),
            Some(_) => {}
            None if !segment.chars().all(is_of_segments) => {
                return Err(
                    "API Gateway takes letters, digits and `-_.:~$@,` in the segments of a path",
                );
            }
            None => {}
        }
    }
    Ok(())
}

/// The name of a segment that is a parameter.
fn parameter(segment: &str) -> Result<Option<&str>, &'static str> {
    if !segment.contains(['{', '}']) {
        return Ok(None);
    }
    let name = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .filter(|name| !name.contains(['{', '}']))
        .ok_or("a parameter of API Gateway is a whole segment")?;
    if name.ends_with('+') {
        return Err(
            "a parameter with `+` would take all further segments; leave out the document for one route to everything",
        );
    }
    let is_of_names =
        |character: char| character.is_ascii_alphanumeric() || ['_', '-', '.'].contains(&character);
    match !name.is_empty() && name.chars().all(is_of_names) {
        true => Ok(Some(name)),
        false => Err("the name of a parameter has letters, digits and `_.-`"),
    }
}

fn is_of_segments(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.:~$@,".contains(character)
}

/// The segments of a path.
pub fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Whether a segment is a parameter.
pub fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_a_method_and_a_path() {
        let key: RouteKey = "GET /items/{id}".parse().unwrap();
        assert_eq!(key.to_string(), "GET /items/{id}");
        for bad in [
            "GET",
            "get /",
            "TRACE /",
            "GET items",
            "GET //",
            "GET /a/",
            "GET /a{b}",
            "GET /{a}/{a}",
            "GET /{proxy+}",
            "GET /{}",
            "GET /a b",
        ] {
            assert!(bad.parse::<RouteKey>().is_err(), "{bad}");
        }
    }
}
