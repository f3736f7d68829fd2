//! Environment variables as text, and errors about invalid ones.

use std::{collections::BTreeMap, env, ops::RangeInclusive};

/// Environment variables by name. A value that is not UTF-8 is kept in readable form, and is invalid unless any text is allowed.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, String>);

/// An invalid variable, which stops init.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidVariable(String);

impl std::error::Error for InvalidVariable {}

impl std::fmt::Display for InvalidVariable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Characters of an invalid value that are shown.
const SHOWN_MAX: usize = 100;

impl Variables {
    /// Those of this process.
    pub fn of_process() -> Self {
        let texts = env::vars_os().map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        });
        texts.collect()
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        #[cfg(test)]
        self.note_read(name);
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The same for a required variable; without it, init stops.
    pub fn required(&self, name: &str, meaning: &str) -> Result<&str, InvalidVariable> {
        self.get(name).ok_or_else(|| {
            InvalidVariable(format!("variable `{name}` is not set: it is {meaning}"))
        })
    }

    /// A whole number within bounds.
    pub fn number(&self, name: &str, allowed: RangeInclusive<u64>) -> Result<u64, InvalidVariable> {
        self.required(name, "a number")?;
        self.optional_number(name, allowed)
            .map(Option::unwrap_or_default)
    }

    /// A whole number within bounds, if it is set.
    pub fn optional_number(
        &self,
        name: &str,
        allowed: RangeInclusive<u64>,
    ) -> Result<Option<u64>, InvalidVariable> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| allowed.contains(number));
        number.map(Some).ok_or_else(|| {
            let (from, to) = (allowed.start(), allowed.end());
            self.invalid(name, &format!("a whole number from {from} to {to}"))
        })
    }

    /// Names that begin with `prefix` and are unknown.
    pub fn unknown(&self, prefix: &str, known: &[String]) -> Vec<String> {
        let names = self.0.keys().filter(|name| name.starts_with(prefix));
        names
            .filter(|name| !known.contains(name))
            .cloned()
            .collect()
    }

    /// The error for a value.
    pub fn invalid(&self, name: &str, allowed: &str) -> InvalidVariable {
        let value: String = self
            .get(name)
            .unwrap_or_default()
            .chars()
            .take(SHOWN_MAX)
            .collect();
        InvalidVariable(format!(
            "variable `{name}` is `{value}`, allowed is {allowed}"
        ))
    }

    /// The same without the value.
    pub fn invalid_secret(&self, name: &str, allowed: &str) -> InvalidVariable {
        InvalidVariable(format!(
            "variable `{name}` (its value is not shown) is not valid, allowed is {allowed}"
        ))
    }
}

#[cfg(test)]
thread_local! {
    /// Names that were asked for in this thread.
    static READ: std::cell::RefCell<std::collections::BTreeSet<String>> = Default::default();
}

#[cfg(test)]
impl Variables {
    fn note_read(&self, name: &str) {
        READ.with_borrow_mut(|read| read.insert(name.to_owned()));
    }

    /// What this thread has asked for so far.
    pub fn read_so_far() -> std::collections::BTreeSet<String> {
        READ.take()
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}
