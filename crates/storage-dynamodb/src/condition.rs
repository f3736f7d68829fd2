//! Preconditions as DynamoDB's expressions. An item that has expired by the request's time counts as absent, whether or not it still
//! exists.

use super::layout::{Attributes, number, text};
use storage::{Call, Precondition};

/// A condition expression with its values.
pub(super) struct Condition {
    pub(super) expression: &'static str,
    pub(super) values: Attributes,
}

impl Condition {
    /// `None` if there is no condition.
    pub(super) fn of(precondition: &Precondition, call: &Call) -> Option<Self> {
        let now = (":now".to_owned(), number(call.now_ms / 1000));
        Some(match precondition {
            Precondition::None => return None,
            Precondition::Absent => Self {
                expression: "attribute_not_exists(pk) OR expires_at <= :now",
                values: [now].into(),
            },
            Precondition::Present => Self {
                expression: "attribute_exists(pk) AND (attribute_not_exists(expires_at) OR expires_at > :now)",
                values: [now].into(),
            },
            Precondition::Revision(revision) => Self {
                expression: "rev = :rev AND (attribute_not_exists(expires_at) OR expires_at > :now)",
                values: [now, (":rev".to_owned(), text(revision.as_str()))].into(),
            },
        })
    }
}
