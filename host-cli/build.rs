//! Builds the reference guest, which the program carries with it, and tells it where the SDK of this checkout is.

use std::{env, path::Path, process::ExitCode};

/// Set where the program is built for other machines: `new` then needs `--sdk`.
const FOR_OTHERS: &str = "TENON_FOR_DISTRIBUTION";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={FOR_OTHERS}");
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR"))
        .with_file_name("sdk")
        .join("rust");
    if env::var_os(FOR_OTHERS).is_none() && sdk.is_dir() {
        println!("cargo::rustc-env=TENON_SDK={}", sdk.display());
    }
    guest_builder::report(guest_builder::reference().map(drop))
}
