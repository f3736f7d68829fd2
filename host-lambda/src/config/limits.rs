//! Limits that an operator may change.

use super::{InvalidVariable, Variables};
use contract::limits::{LIMITS, Limits};

/// The default limits with the changes from the environment.
pub fn read(variables: &Variables) -> Result<Limits, InvalidVariable> {
    let mut limits = Limits::default();
    for limit in LIMITS {
        if let Some(name) = limit.variable()
            && let Some(value) = variables.optional_number(&name, limit.allowed.clone())?
        {
            (limit.set)(&mut limits, value);
        }
    }
    Ok(limits)
}
