//! The SDK for JavaScript: its tests, what really arrives in a component, and the project that `host-cli new --lang typescript` makes.

use crate::{
    notes::{self, Planted, event},
    npm,
    run::{root, run},
    server::Server,
};
use anyhow::{Context, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const PLANTED: Planted<'_> = Planted {
    source: "src/index.ts",
    before: "  return store.get(notes.key(params.id))",
    line: "  throw new TypeError(\"planted\");",
    place: |line| format!("at read (src/index.ts:{line})"),
};

/// Builds the SDK and uses it, in an empty folder.
pub fn check(host_cli: &Path, folder: &Path) -> anyhow::Result<()> {
    let sdk = root().join("sdk/javascript");
    npm::build(&sdk)?;
    npm::script(&sdk, "check")?;
    npm::script(&sdk, "test")?;
    arrivals(host_cli, &sdk, folder)?;
    let project = new_project(host_cli, &sdk, folder)?;
    npm::script(&project, "check")?;
    npm::script(&project, "test")?;
    run(Command::new(host_cli).arg("test").current_dir(&project))?;
    serve(&project)?;
    PLANTED.check(host_cli, &project, || npm::script(&project, "build"))
}

/// Compares what a component gets from its host with what the SDK's types and its host of tests say.
fn arrivals(host_cli: &Path, sdk: &Path, folder: &Path) -> anyhow::Result<()> {
    let component = folder.join("arrives.wasm");
    run(Command::new("node")
        .args([
            "dist/build/component-command.js",
            "test/component/arrives.ts",
            "--output",
        ])
        .arg(&component)
        .current_dir(sdk))?;
    let (answer, _) = invoke(host_cli, folder, &component, "/")?;
    let response: serde_json::Value = serde_json::from_str(&answer)?;
    let body = response["body"].as_str().unwrap_or_default();
    let arrived: serde_json::Value = serde_json::from_str(body).context(answer.clone())?;
    let expected = fs::read_to_string(sdk.join("test/component/arrives.json"))?;
    let expected: serde_json::Value = serde_json::from_str(&expected)?;
    ensure!(
        arrived == expected,
        "a component got {arrived}, not what `test/component/arrives.json` says"
    );
    for (path, message) in [
        (
            "/late",
            "the handler returned before its work was done: the store was called",
        ),
        (
            "/deep",
            r#""RangeError: Maximum call stack size exceeded" stack="at deep (test/component/arrives.ts:"#,
        ),
        (
            "/rejected",
            "nothing waited for it: RangeError: nobody waits",
        ),
    ] {
        let (_, log) = invoke(host_cli, folder, &component, path)?;
        ensure!(log.contains(message), "no `{message}` in {log}");
    }
    Ok(())
}

/// The answer of a component to a GET request, and the log.
fn invoke(
    host_cli: &Path,
    folder: &Path,
    component: &Path,
    path: &str,
) -> anyhow::Result<(String, String)> {
    let event = event(host_cli, folder, path)?;
    let invoked = Command::new(host_cli)
        .arg("invoke")
        .arg(event)
        .arg("--guest")
        .arg(component)
        .args(["--env", "GREETING=hello"])
        // Without a grant, a component that calls services is not loaded; this one does not call the service that it is for.
        .args(["--allow-outgoing", "https://granted.example"])
        .current_dir(folder)
        .output()?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let log = text(&invoked.stderr);
    ensure!(
        invoked.status.success(),
        "`invoke` of `{path}` failed: {log}"
    );
    Ok((text(&invoked.stdout), log))
}

fn new_project(host_cli: &Path, sdk: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    run(Command::new(host_cli)
        .args(["new", "typescript", "--lang", "typescript", "--sdk"])
        .arg(sdk)
        .current_dir(folder))?;
    let project = folder.join("typescript");
    run(Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&project))?;
    Ok(project)
}

fn serve(project: &Path) -> anyhow::Result<()> {
    let component = project.join("build/guest.wasm").display().to_string();
    let (_server, address) = Server::start(&["--guest", &component, "--store", "memory"])?;
    notes::create_and_list(&address, "from TypeScript")
}
