//! The version of a document, which is read before its members: a later version may have some that this release does not know.

use serde::Deserialize;

/// What every version of every document has.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// Fails if a payload says that it has another format than the one that this release reads. A payload without a format passes: its own
/// reader says what it lacks.
#[expect(
    clippy::disallowed_methods,
    reason = "read into a type of named members that holds no `Value`; its signature is verified"
)]
pub(super) fn check_format(payload: &str, known: u32) -> Result<(), String> {
    match serde_json::from_str::<Head>(payload) {
        Ok(Head { format }) if format != known => {
            Err(format!("format {format}, this host reads {known}"))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_told_by_its_number_whatever_else_is_there() {
        let told = |payload| check_format(payload, 1);
        assert_eq!(told(r#"{"format":1,"later":true}"#), Ok(()));
        assert_eq!(
            told(r#"{"later":{},"format":2}"#),
            Err("format 2, this host reads 1".to_owned())
        );
        for other in ["{}", r#"{"format":"1"}"#, "[1]", "1"] {
            assert_eq!(told(other), Ok(()), "{other}");
        }
    }
}
