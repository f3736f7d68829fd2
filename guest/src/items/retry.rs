//! How often to retry a write whose precondition other requests keep breaking.

use crate::{json::VALUE_BYTES_MAX, problem::Problem, storage_problem};

/// Each lost attempt is another request's success, so this many concurrent requests all succeed. The host waits between attempts.
const ATTEMPTS_MAX: u32 = 100;
/// Memory for all attempts together: the component never frees, and a host allows it 128 MiB.
const BYTES_MAX: usize = 112 << 20;
/// Copies of a document's text per attempt: the stored text, the parsed value, the new text, and the buffer that it grew from.
const TEXT_COPIES: usize = 4;

/// The attempts of one request.
pub struct Attempts {
    left: u32,
    bytes_left: usize,
}

/// None made yet.
impl Default for Attempts {
    fn default() -> Self {
        Self {
            left: ATTEMPTS_MAX,
            bytes_left: BYTES_MAX,
        }
    }
}

impl Attempts {
    /// Counts an attempt that handles `text_bytes` of documents and reads `values` out of them; a conflict if too many were lost. The first
    /// attempt is always allowed.
    pub fn begin(&mut self, text_bytes: usize, values: usize) -> Result<(), Problem> {
        let bytes = text_bytes
            .saturating_mul(TEXT_COPIES)
            .saturating_add(values.saturating_mul(VALUE_BYTES_MAX));
        let is_first = self.left == ATTEMPTS_MAX;
        if self.left == 0 || (bytes > self.bytes_left && !is_first) {
            return Err(storage_problem::conflict());
        }
        self.left -= 1;
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_documents_have_all_attempts_and_large_ones_those_that_fit() {
        let count = |text_bytes, values| {
            let mut attempts = Attempts::default();
            (0..1000)
                .take_while(|_| attempts.begin(text_bytes, values).is_ok())
                .count()
        };
        assert_eq!(count(1_000, 50), 100);
        assert_eq!(count(400_000, 1_000), 61);
        assert_eq!(count(10 << 20, 1 << 20), 1);
    }
}
