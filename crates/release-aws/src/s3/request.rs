//! The requests to S3.

/// What is asked of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3Request {
    /// An artifact.
    Get,
    /// Checks whether an artifact exists.
    Head,
    /// The names of artifacts.
    List,
    /// To keep an artifact.
    Put,
    /// Writes an artifact unless one exists under its name (AWS: "Prevent object overwrites with conditional writes").
    PutNew,
}

impl S3Request {
    /// All of them. A check compares the roles of the stack with this list, so that they allow nothing else.
    pub const ALL: [Self; 5] = [Self::Get, Self::Head, Self::List, Self::Put, Self::PutNew];
    /// Header of a write that replaces nothing; its only value is `*`.
    const CONDITION: &str = "if-none-match";

    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Get | Self::List => "GET",
            Self::Head => "HEAD",
            Self::Put | Self::PutNew => "PUT",
        }
    }

    /// Headers that are signed in addition to those that every request has.
    pub(super) fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::PutNew => &[(Self::CONDITION, "*")],
            Self::Get | Self::Head | Self::List | Self::Put => &[],
        }
    }

    /// The IAM action that allows it (AWS: "Actions, resources, and condition keys for Amazon S3").
    pub fn action(self) -> &'static str {
        match self {
            Self::Get | Self::Head => "s3:GetObject",
            Self::List => "s3:ListBucket",
            Self::Put | Self::PutNew => "s3:PutObject",
        }
    }
}
