//! Builds the guests for the tests: the reference guest and the fixtures under `guests/`.

use std::process::ExitCode;

fn main() -> ExitCode {
    guest_builder::report(build())
}

fn build() -> anyhow::Result<()> {
    guest_builder::reference()?;
    let fixtures = guest_builder::workspace()?.join("tests/guests");
    guest_builder::rerun_if_changed(&fixtures);
    guest_builder::rerun_if_changed(&guest_builder::workspace()?.join("crates/runtime/wit"));
    for package in [
        "copier", "eager", "echo", "hostile", "plain", "sockets", "variant",
    ] {
        guest_builder::build(&fixtures.join("Cargo.toml"), package)?;
    }
    Ok(())
}
