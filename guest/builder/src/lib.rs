//! Builds guests as components, for build scripts.
//!
//! The inner cargo uses a target folder of its own (the outer one is locked) and none of the outer one's flags, so that a component has the
//! same bytes whether `cargo build`, `cargo clippy` or a coverage run asked for it.
//!
//! A build script calls `guest_builder::report(guest_builder::reference().map(drop))`, and its package embeds the component with
//! `include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"))`.

mod environment;

pub use environment::remap_flags;

use anyhow::{Context, bail};
use std::{
    env,
    error::Error,
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// The compiler target for components.
pub const TARGET: &str = "wasm32-wasip2";

/// Builds the workspace's reference guest and returns the component's path, which is `guest.wasm` in the build script's `OUT_DIR`.
pub fn reference() -> anyhow::Result<PathBuf> {
    let workspace = workspace()?;
    let guest = workspace.join("guest");
    rerun_if_changed(&workspace.join("Cargo.lock"));
    // Not the whole folder, which also holds an example in JavaScript that is built in place.
    for part in ["Cargo.toml", "build.rs", "src"] {
        rerun_if_changed(&guest.join(part));
    }
    let sdk = workspace.join("sdk/rust");
    for part in ["Cargo.toml", "random", "src"] {
        rerun_if_changed(&sdk.join(part));
    }
    build(&workspace.join("Cargo.toml"), "guest")
}

/// Builds `package`, a library of the workspace described by `manifest`, with that workspace's profile `guest` and lock file. Returns the
/// component's path, which is `<package>.wasm` in the build script's `OUT_DIR`.
///
/// Tells cargo to run the build script again when the manifest or `wit/` changes; the caller must name the package's sources.
pub fn build(manifest: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let workspace = workspace()?;
    rerun_if_changed(manifest);
    rerun_if_changed(&workspace.join("wit"));
    ensure_target()?;

    let out = PathBuf::from(
        env::var_os("OUT_DIR").context("`OUT_DIR` is not set: call this from a build script")?,
    );
    let built = compile(&workspace, manifest, package, &target_folder(&out))?;
    // Builds of other packages may replace the file in the target folder at any time.
    let component = out.join(format!("{package}.wasm"));
    copy(&built, &component)?;
    Ok(component)
}

/// Builds a guest with the same command and flags as in build scripts, so that it has the same bytes; for other callers. Returns the path
/// of the component in `target_folder`.
pub fn compile(
    workspace: &Path,
    manifest: &Path,
    package: &str,
    target_folder: &Path,
) -> anyhow::Result<PathBuf> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    environment::scrub(&mut command);
    command
        .current_dir(workspace) // the configuration in `.cargo` also applies to guests
        // Not `cargo build`, because with a second crate type cargo omits link-time optimisation.
        .args([
            "rustc",
            "--lib",
            "--crate-type",
            "cdylib",
            "--profile",
            "guest",
            "--locked",
            "--target",
            TARGET,
        ])
        .args(["--package", package])
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target_folder)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            remap_flags(workspace).join("\x1f"),
        )
        .stdout(Stdio::null()); // output of inner build scripts is for the outer cargo

    let status = command
        .status()
        .with_context(|| format!("failed to run {:?}", command.get_program()))?;
    if !status.success() {
        return Err(GuestFailed(package.to_owned()).into());
    }

    let name = format!("{}.wasm", package.replace('-', "_"));
    Ok(target_folder.join(TARGET).join("guest").join(&name))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("failed to copy `{}` to `{}`", from.display(), to.display()))
}

/// Ends a build script. The error is one line for cargo; if the guest's compiler printed anything, cargo shows that as well.
pub fn report(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    println!("cargo::error={error:#}");
    // The line makes cargo stop in any case. A failing exit code makes it show everything that was printed here.
    if error.is::<GuestFailed>() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The guest itself does not build; the inner cargo has printed the reason.
#[derive(Debug)]
struct GuestFailed(String);

impl fmt::Display for GuestFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the guest `{}` does not build, see below",
            self.0
        )
    }
}

impl Error for GuestFailed {}

/// Runs the build script again when `path`, or anything under it, changes.
pub fn rerun_if_changed(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

/// The root of the workspace of the build script's package. Determined at run time, because clones may share a target folder, and then also
/// this program.
pub fn workspace() -> anyhow::Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR").context("`CARGO_MANIFEST_DIR` is not set")?;
    let mut folders = Path::new(&package).ancestors();
    let root = folders.find(|folder| folder.join("guest/builder").is_dir());
    Ok(root
        .context("found no workspace with `guest/builder`")?
        .to_owned())
}

/// The folder `guests` in the outer target folder, shared by all build scripts, so that each guest is built once.
fn target_folder(out: &Path) -> PathBuf {
    let outer = out
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    outer.unwrap_or(out).join("guests")
}

/// Explains a missing target: if rustup does not install automatically, the target named in `rust-toolchain.toml` may be missing, and the
/// compiler's own message (a missing crate `core`) does not help.
fn ensure_target() -> anyhow::Result<()> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .with_context(|| format!("failed to run {rustc:?}"))?;
    let folder =
        String::from_utf8(output.stdout).context("rustc printed a path that is not UTF-8")?;
    if !Path::new(folder.trim()).is_dir() {
        bail!(
            "the target `{TARGET}` is not installed: run `cargo xtask setup` or `rustup target add {TARGET}`"
        );
    }
    Ok(())
}
