//! `--seed`, and seeds for requests that come from outside.

use crate::exit::Failure;
use host_core::seed::Seed;

/// The seed that `--seed` names, or `default`.
pub fn resolve(
    text: Option<&str>,
    default: impl FnOnce() -> Result<Seed, Failure>,
) -> Result<Seed, Failure> {
    match text {
        None => default(),
        Some(text) => text.parse().map_err(|error| {
            Failure::usage(format_args!("`--seed {text}`: {error}"))
                .hint("leave it out for the default, or write 64 digits of 0-9 and a-f")
        }),
    }
}

/// A seed that nobody can guess.
pub fn unpredictable() -> Result<Seed, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::environment(format_args!(
            "the operating system gives no random bytes: {error}"
        ))
    })?;
    Ok(Seed::new(bytes))
}
