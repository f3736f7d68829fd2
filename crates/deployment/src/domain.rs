//! A domain of the project's own.

/// A domain, and the base path of the API below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its name, such as `api.example.com`.
    pub name: String,
    /// The base path with a leading `/`; empty for the whole domain.
    pub base_path: String,
}

/// A text names no domain, or no base path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// The name.
    #[error("`{0}` is no name of a domain, like `api.example.com`")]
    Name(String),
    /// The base path.
    #[error("`{0}` is no base path, like `/v1`")]
    BasePath(String),
}

impl Domain {
    /// Checks both.
    pub fn new(name: &str, base_path: &str) -> Result<Self, DomainError> {
        let is_label = |label: &str| {
            let is_of_labels =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(is_of_labels)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > 253 || !name.contains('.') || !name.split('.').all(is_label) {
            return Err(DomainError::Name(name.to_owned()));
        }
        // Of what a mapping may have (AWS: `AWS::ApiGatewayV2::ApiMapping`), what is safe in every address.
        let is_of_paths = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_path = |path: &str| {
            path.split('/')
                .all(|segment| !segment.is_empty() && segment.bytes().all(is_of_paths))
        };
        if !base_path.is_empty() && !base_path.strip_prefix('/').is_some_and(is_path) {
            return Err(DomainError::BasePath(base_path.to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            base_path: base_path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_checked() {
        Domain::new("api.example.com", "").unwrap();
        Domain::new("api.example.com", "/v1/items").unwrap();
        for (name, path) in [
            ("example", ""),
            ("API.example.com", ""),
            ("https://a.b", ""),
            ("a.b", "v1"),
            ("a.b", "/"),
            ("a.b", "/v1/"),
            ("a.b", "/~me"),
        ] {
            assert!(Domain::new(name, path).is_err(), "{name} {path}");
        }
    }
}
