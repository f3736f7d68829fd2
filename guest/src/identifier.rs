//! Ids of items.

use alloc::{borrow::ToOwned, format, string::String};
use tenon::{Context, FromRequest, Problem};

const CHARACTERS_MAX: usize = 64;

/// The id in the path of an item, which need not exist. What no id can be is refused without a call to the store.
pub struct Id(pub String);

impl FromRequest for Id {
    fn from_request(context: &Context) -> Result<Self, Problem> {
        let id = context.parameters().first().map_or("", |(_, id)| id);
        if is_valid(id) {
            return Ok(Self(id.to_owned()));
        }
        if context.method == "PUT" {
            let detail = "an id has 1 to 64 characters of `A-Z a-z 0-9 _ -`";
            return Err(Problem::new(400, "invalid-id", detail));
        }
        Err(not_found(id))
    }
}

/// No item has this id.
pub fn not_found(id: &str) -> Problem {
    Problem::not_found(format!("there is no item `{id}`"))
}

/// Whether this is a valid id of an item: 1 to 64 characters of `[A-Za-z0-9_-]`, which need no encoding in a path.
pub fn is_valid(id: &str) -> bool {
    (1..=CHARACTERS_MAX).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_characters() {
        assert!(is_valid("a"));
        assert!(is_valid(&"-".repeat(64)));
        for id in ["", "a b", "a/b", "é", ".", &"a".repeat(65)] {
            assert!(!is_valid(id), "{id}");
        }
    }
}
