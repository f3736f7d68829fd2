//! How often a write is tried again whose precondition other requests keep breaking.

/// Each lost attempt is another request's success, so this many concurrent requests all succeed. The host waits between attempts.
const ATTEMPTS_MAX: u32 = 100;
/// Memory of a component, all of it. A host allows 128 MiB, and a component may never give memory back
/// (feature `arena`), so that attempts on large documents add up.
const MEMORY_BYTES_MAX: usize = 112 << 20;

/// The attempts of one write.
#[derive(Default)]
pub(super) struct Attempts {
    made: u32,
    /// The memory at the start of the latest attempt.
    memory: usize,
    /// The most that an attempt has taken.
    largest: usize,
}

impl Attempts {
    /// Counts an attempt; `false` if there were enough, or memory would not suffice for another one like those before. The first attempt is
    /// always allowed.
    pub(super) fn begin(&mut self) -> bool {
        self.begin_at(memory_bytes())
    }

    fn begin_at(&mut self, memory: usize) -> bool {
        if self.made > 0 {
            self.largest = self.largest.max(memory.saturating_sub(self.memory));
            if self.made == ATTEMPTS_MAX || memory + self.largest > MEMORY_BYTES_MAX {
                return false;
            }
        }
        self.made += 1;
        self.memory = memory;
        true
    }
}

/// How much memory the component has; it never shrinks.
#[cfg(target_arch = "wasm32")]
fn memory_bytes() -> usize {
    core::arch::wasm32::memory_size(0) * 65_536
}

/// A native test has as much as it needs.
#[cfg(not(target_arch = "wasm32"))]
fn memory_bytes() -> usize {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_documents_have_all_attempts_and_large_ones_those_that_fit() {
        let count = |start: usize, bytes: usize| {
            let mut attempts = Attempts::default();
            (0..1000)
                .take_while(|attempt| attempts.begin_at(start + attempt * bytes))
                .count()
        };
        assert_eq!(count(1 << 20, 1_000), 100);
        assert_eq!(count(1 << 20, 2 << 20), 55);
        assert_eq!(count(1 << 20, 64 << 20), 1);
        assert_eq!(count(128 << 20, 1), 1);
    }
}
