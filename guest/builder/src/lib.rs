//! Builds guests as components, for build scripts.
//!
//! The inner cargo runs in a target folder of its own (the outer one is locked) and hears nothing of the outer one's flags: a
//! component has the same bytes whether `cargo build`, `cargo clippy` or a coverage run asked for it.
//!
//! A build script is `guest_builder::report(guest_builder::reference().map(drop))`, and its package embeds the component by
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

/// The target that makes components.
pub const TARGET: &str = "wasm32-wasip2";

/// Builds the workspace's reference guest and returns the component's path, which is `guest.wasm` in the build script's `OUT_DIR`.
pub fn reference() -> anyhow::Result<PathBuf> {
    let workspace = workspace()?;
    rerun_if_changed(&workspace.join("Cargo.lock"));
    rerun_if_changed(&workspace.join("guest"));
    build(&workspace.join("Cargo.toml"), "guest")
}

/// Builds `package`, a library of the workspace that `manifest` describes, with that workspace's profile `guest` and lock file. Returns
/// the component's path, which is `<package>.wasm` in the build script's `OUT_DIR`.
///
/// Tells cargo to run the build script again when the manifest or `wit/` changes; the package's sources are the caller's to name.
pub fn build(manifest: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let workspace = workspace()?;
    rerun_if_changed(manifest);
    rerun_if_changed(&workspace.join("wit"));
    ensure_target()?;

    let out = PathBuf::from(
        env::var_os("OUT_DIR").context("`OUT_DIR` is not set: call this from a build script")?,
    );
    let built = compile(&workspace, manifest, package, &target_folder(&out))?;
    // Builds of other packages may replace the file there at any time.
    let component = out.join(format!("{package}.wasm"));
    copy(&built, &component)?;
    Ok(component)
}

/// Builds a guest with the same command and flags as build scripts do, so that it has the same bytes; not only for build scripts. Returns
/// where the component is in `target_folder`.
pub fn compile(
    workspace: &Path,
    manifest: &Path,
    package: &str,
    target_folder: &Path,
) -> anyhow::Result<PathBuf> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    environment::scrub(&mut command);
    command
        .current_dir(workspace) // the configuration in `.cargo` holds for guests as well
        // Not `cargo build`: with a second crate type cargo leaves out link-time optimisation.
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
        .stdout(Stdio::null()); // what a build script prints there is for the outer cargo

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

/// Ends a build script. An error is one line of cargo's own; where the compiler of the guest had something to say, cargo shows that
/// too.
pub fn report(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    println!("cargo::error={error:#}");
    // The line makes cargo stop in any case. A failing exit code makes it show all that was printed here.
    if error.is::<GuestFailed>() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The guest itself does not build; the inner cargo has said why.
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

/// The root of the workspace that the build script's package belongs to. Asked for at run time: target folders may be shared between
/// clones, and then so is this program.
pub fn workspace() -> anyhow::Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR").context("`CARGO_MANIFEST_DIR` is not set")?;
    let mut folders = Path::new(&package).ancestors();
    let root = folders.find(|folder| folder.join("guest/builder").is_dir());
    Ok(root
        .context("found no workspace with `guest/builder`")?
        .to_owned())
}

/// `guests` in the outer target folder, which all build scripts share, so that each guest builds once.
fn target_folder(out: &Path) -> PathBuf {
    let outer = out
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    outer.unwrap_or(out).join("guests")
}

/// Where rustup installs nothing by itself, the target named in `rust-toolchain.toml` may be missing; the compiler's own message
/// about that (a crate `core` it cannot find) helps nobody.
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
