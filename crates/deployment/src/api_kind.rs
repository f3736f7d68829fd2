//! The kinds of APIs that a stack can have.

/// The kinds of APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKind {
    /// A REST API of API Gateway.
    Rest,
    /// An HTTP API of API Gateway.
    Http,
    /// A URL of the function itself.
    FunctionUrl,
}

impl ApiKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rest, Self::Http, Self::FunctionUrl];

    /// As `tenon.toml` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Http => "http",
            Self::FunctionUrl => "function-url",
        }
    }

    /// With its article, in messages.
    pub fn described(self) -> &'static str {
        match self {
            Self::Rest => "a REST API",
            Self::Http => "an HTTP API",
            Self::FunctionUrl => "a function URL",
        }
    }
}
