//! Builds the guests that the tests run: the reference guest and the fixtures under `guests/`.

use std::process::ExitCode;

fn main() -> ExitCode {
    guest_builder::report(guest_builder::reference().map(drop))
}
