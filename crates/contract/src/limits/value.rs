//! The types that limits have, and the numbers by which documents, variables and flags write them.

use std::time::Duration;

/// The type of a limit, and how documents contain it.
pub trait LimitValue: Copy {
    /// The type in documents.
    type Number: LimitValue;

    /// Converts a number of a document.
    fn from_number(number: Self::Number) -> Self;
    /// Converts any number; one that is too large becomes the largest value.
    fn from_u64(number: u64) -> Self;
    /// The value as a number.
    fn to_u64(self) -> u64;
}

impl LimitValue for usize {
    type Number = Self;

    fn from_number(number: Self) -> Self {
        number
    }

    fn from_u64(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }

    fn to_u64(self) -> u64 {
        self as u64
    }
}

impl LimitValue for u32 {
    type Number = Self;

    fn from_number(number: Self) -> Self {
        number
    }

    fn from_u64(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }

    fn to_u64(self) -> u64 {
        self.into()
    }
}

impl LimitValue for u64 {
    type Number = Self;

    fn from_number(number: Self) -> Self {
        number
    }

    fn from_u64(number: u64) -> Self {
        number
    }

    fn to_u64(self) -> u64 {
        self
    }
}

/// In milliseconds.
impl LimitValue for Duration {
    type Number = u64;

    fn from_number(number: u64) -> Self {
        Self::from_millis(number)
    }

    fn from_u64(number: u64) -> Self {
        Self::from_millis(number)
    }

    fn to_u64(self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }
}
