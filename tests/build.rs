//! Builds the guests for the tests: the reference guest and the fixtures under `guests/`.

use std::process::ExitCode;

fn main() -> ExitCode {
    guest_builder::report(build())
}

fn build() -> anyhow::Result<()> {
    guest_builder::reference()?;
    let fixtures = guest_builder::workspace()?.join("tests/guests");
    guest_builder::rerun_if_changed(&fixtures);
    for folder in [
        "crates/runtime/wit",
        "host-cli/templates/rust/src",
        "sdk/rust",
    ] {
        guest_builder::rerun_if_changed(&guest_builder::workspace()?.join(folder));
    }
    for package in [
        "copier", "eager", "echo", "fetcher", "hostile", "keyvalue", "plain", "proxy", "signer",
        "sockets", "spin", "variant",
    ] {
        guest_builder::build(&fixtures.join("Cargo.toml"), package)?;
    }
    for package in ["notes", "panics"] {
        guest_builder::build(&fixtures.join("sdk/Cargo.toml"), package)?;
    }
    Ok(())
}
