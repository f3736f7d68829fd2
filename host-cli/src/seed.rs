//! `--seed`, and random seeds for requests.

use crate::exit::CommandError;
use contract::seed::Seed;
use std::{cell::RefCell, mem};

/// The seed given by `--seed`, or `default`.
pub fn resolve(
    text: Option<&str>,
    default: impl FnOnce() -> Result<Seed, CommandError>,
) -> Result<Seed, CommandError> {
    match text {
        None => default(),
        Some(text) => text.parse().map_err(|error| {
            CommandError::usage(format_args!("`--seed {text}`: {error}"))
                .hint("leave it out for the default, or write 64 digits of 0-9 and a-f")
        }),
    }
}

/// A random seed from the operating system.
pub fn unpredictable() -> Result<Seed, CommandError> {
    let mut bytes = [0; 32];
    fill(&mut bytes)?;
    Ok(Seed::new(bytes))
}

/// A random seed for a request to a server: one system call provides many seeds, and each is erased here when it is returned.
pub fn of_request() -> Result<Seed, CommandError> {
    thread_local! {
        static BATCH: RefCell<Batch> = const { RefCell::new(Batch::EMPTY) };
    }
    BATCH.with_borrow_mut(Batch::next)
}

/// Seeds that were drawn in advance.
struct Batch {
    seeds: [[u8; 32]; Self::SEEDS],
    left: usize,
}

impl Batch {
    const SEEDS: usize = 32;
    const EMPTY: Self = Self {
        seeds: [[0; 32]; Self::SEEDS],
        left: 0,
    };

    fn next(&mut self) -> Result<Seed, CommandError> {
        if self.left == 0 {
            fill(self.seeds.as_flattened_mut())?;
            self.left = Self::SEEDS;
        }
        self.left -= 1;
        Ok(Seed::new(mem::take(&mut self.seeds[self.left])))
    }
}

fn fill(bytes: &mut [u8]) -> Result<(), CommandError> {
    getrandom::fill(bytes).map_err(|error| {
        CommandError::environment(format_args!(
            "failed to get random bytes from the operating system: {error}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_requests_have_the_same_seed_and_none_stays_behind() {
        let mut batch = Batch::EMPTY;
        let seeds = (0..3 * Batch::SEEDS).map(|_| *batch.next().unwrap().as_bytes());
        let seeds: HashSet<[u8; 32]> = seeds.collect();
        assert_eq!(seeds.len(), 3 * Batch::SEEDS);
        assert!(!seeds.contains(&[0; 32]));
        assert_eq!(batch.seeds, Batch::EMPTY.seeds);
    }
}
