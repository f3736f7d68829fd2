//! Builds the reference guest, which the program carries with it, and tells it where the SDK of this checkout and the Lambda hosts for
//! `package` are.

use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Set where the program is built for other machines: the SDK of `new` is then that of a registry.
const FOR_OTHERS: &str = "TENON_FOR_DISTRIBUTION";

/// Names a folder with a folder for each architecture that has a Lambda host, with its manifest: the program then contains them.
const LAMBDA_HOSTS: &str = "TENON_LAMBDA_HOSTS";

/// Lambda's names for the architectures.
const ARCHITECTURES: [&str; 2] = ["x86_64", "arm64"];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={FOR_OTHERS}");
    println!("cargo::rerun-if-env-changed={LAMBDA_HOSTS}");
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR"))
        .with_file_name("sdk")
        .join("rust");
    if env::var_os(FOR_OTHERS).is_none() && sdk.is_dir() {
        println!("cargo::rustc-env=TENON_SDK={}", sdk.display());
    }
    let hosts = env::var_os(LAMBDA_HOSTS).map(PathBuf::from);
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    if let Err(error) = fs::write(out.join("lambda_hosts.rs"), lambda_hosts(hosts.as_deref())) {
        println!("cargo::error=failed to write the list of Lambda hosts: {error}");
    }
    guest_builder::report(guest_builder::reference().map(drop))
}

/// The constant with the hosts' manifests and archives. A file that is missing stops the compiler, which names it.
fn lambda_hosts(folder: Option<&Path>) -> String {
    let mut source = "static EMBEDDED: &[EmbeddedHost] = &[".to_owned();
    for (folder, arch) in folder
        .iter()
        .flat_map(|folder| ARCHITECTURES.map(|arch| (folder.join(arch), arch)))
    {
        let [manifest, archive] =
            ["manifest.json", "host-lambda.zip"].map(|name| folder.join(name));
        for path in [&manifest, &archive] {
            println!("cargo::rerun-if-changed={}", path.display());
        }
        let _ = write!(
            source,
            "({arch:?}, include_bytes!({manifest:?}), include_bytes!({archive:?})),"
        );
    }
    source + "];"
}
