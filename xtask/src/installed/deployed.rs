//! A project of its own from `new` to a rollback on an emulator of AWS that enforces permissions, with the installed `host-cli`.

use crate::{
    e2e, infra,
    run::{Cargo, root, run, target_folder},
};
use anyhow::{Context, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The project, which is also its stack and its channel.
const NAME: &str = "bookings";

/// What one guest says that answers all cases alike, and what one says that does not: changes of `src/lib.rs`.
const COMPATIBLE: (&str, &str) = ("there is no note `{id}`", "no note has the id `{id}`");
const DIFFERENT: (&str, &str) = (
    "TEXT_CHARACTERS_MAX: usize = 1000",
    "TEXT_CHARACTERS_MAX: usize = 2000",
);

/// Makes the project, its packages and its template, deploys it, and uses it.
pub fn check(sdk: &Path, programs: &Path) -> anyhow::Result<()> {
    let folder = target_folder()?.join("installed/deployed");
    fs::create_dir_all(&folder)?;
    let host_cli = programs.join("host-cli");
    run(Command::new(&host_cli)
        .args(["new", NAME, "--sdk"])
        .arg(sdk)
        .current_dir(&folder))?;
    let project = folder.join(NAME);
    // The versions of this workspace, which are there already.
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock"))?;
    let of_project = |arguments: &[&str]| {
        let mut command = Command::new(&host_cli);
        command.args(arguments).current_dir(&project);
        run(&mut command)
    };
    of_project(&["test"])?;
    let compatible = variant(&project, &folder, "compatible", COMPATIBLE)?;
    let different = variant(&project, &folder, "different", DIFFERENT)?;
    let served = built(&project, &folder, "served")?;
    of_project(&["package", "--arch", e2e::ARCH])?;
    of_project(&["template"])?;
    of_project(&["template", "--check"])?;
    let template = infra::expand(
        &project.join("template.yaml"),
        &folder.join("stack"),
        e2e::ARCH,
        &[("CanaryDeployment", "false")],
    )?;
    run(e2e::script(&e2e::programs()?.join("python"), "project.py")
        .arg("--folder")
        .arg(folder.join("emulator"))
        .arg("--host-cli")
        .arg(&host_cli)
        .arg("--project")
        .arg(&project)
        .arg("--packages")
        .arg(project.join("package"))
        .arg("--template")
        .arg(template)
        .arg("--guests")
        .args([served, compatible, different]))
}

/// Builds the project with a change of its source, and takes the change back.
fn variant(
    project: &Path,
    folder: &Path,
    name: &str,
    (from, to): (&str, &str),
) -> anyhow::Result<PathBuf> {
    let source = project.join("src/lib.rs");
    let text = fs::read_to_string(&source)?;
    ensure!(
        text.matches(from).count() == 1,
        "the project does not have `{from}` in one place"
    );
    fs::write(&source, text.replace(from, to))?;
    let component = built(project, folder, name);
    fs::write(&source, text)?;
    component
}

/// Builds the project and keeps its component under a name.
fn built(project: &Path, folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    Cargo::new("build")
        .args(["--release", "--quiet", "--target", "wasm32-wasip2"])
        .current_dir(project)
        .run()?;
    let component = project.join(format!("target/wasm32-wasip2/release/{NAME}.wasm"));
    let kept = folder.join(format!("{name}.wasm"));
    fs::copy(&component, &kept)
        .with_context(|| format!("failed to copy `{}`", component.display()))?;
    Ok(kept)
}
