//! Any bytes as a gateway event: a request that satisfies all properties, or a rejection, never a panic.
#![no_main]

#[path = "../../../crates/gateway/tests/gateway/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|event: &[u8]| {
    let _ = invariants::check(event);
});
