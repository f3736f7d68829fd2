//! Rules for content beyond its types.

use crate::{
    problem::{Problem, Violation},
    response::Text,
};
use alloc::{string::String, vec::Vec};

/// Checks rules of content, so that a client learns all that it breaks at once.
///
/// ```
/// use tenon::{App, Json, NoContent, Problem, Rules};
///
/// #[derive(serde::Deserialize)]
/// struct Draft {
///     room: String,
///     persons: u32,
/// }
///
/// fn book(Json(draft): Json<Draft>) -> Result<NoContent, Problem> {
///     Rules::new()
///         .require(!draft.room.is_empty(), "/room", "must not be empty")
///         .require(draft.persons > 0, "/persons", "must be at least 1")
///         .finish()?;
///     Ok(NoContent)
/// }
///
/// let client = App::new().post("/bookings", book).test();
/// let request = client.post("/bookings").json(&serde_json::json!({"room": "", "persons": 0}));
/// let response = request.send();
/// assert_eq!(response.status(), 422);
/// assert_eq!(response.value()["errors"][1]["pointer"], "/persons");
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct Rules(Vec<Violation>);

impl Rules {
    /// Nothing is broken yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A rule, whether it holds, and the JSON pointer (RFC 6901) to what it is about.
    pub fn require(
        mut self,
        holds: bool,
        pointer: impl Into<String>,
        rule: impl Into<Text>,
    ) -> Self {
        if !holds {
            self.0.push(Violation::new(pointer, rule));
        }
        self
    }

    /// Fails with 422 and all rules that do not hold, see [`Problem::invalid_content`].
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid_content(self.0))
        }
    }
}
