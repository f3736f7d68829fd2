//! `cargo xtask python-sdk`: the SDK for Python: its tests, what really arrives in a component, and the project that
//! `host-cli new --lang python` makes.

use crate::{
    notes::{self, Planted, event},
    publisher::publisher,
    python,
    run::{output, root, run, target_folder},
    server::{Server, ask},
};
use anyhow::{Context, ensure};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const PLANTED: Planted<'_> = Planted {
    source: "app.py",
    before: "    note = store.get(notes.key(id))",
    line: "    raise TypeError(\"planted\")",
    place: |line| format!("app.py\\\", line {line}, in read"),
};

/// Builds the SDK, checks it, and uses it in an empty folder.
pub fn check() -> anyhow::Result<()> {
    let host_cli = publisher()?.host_cli;
    let sdk = root().join("sdk/python");
    run(Command::new("python3").arg("prepare.py").current_dir(&sdk))?;
    let programs = python::environment("python-sdk-environment", "sdk/python/requirements.txt")?;
    // Its dependencies are there already, and it needs nothing to be built.
    run(Command::new(programs.join("pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(["--no-index", "--no-deps", "--editable", "."])
        .current_dir(&sdk))?;
    run(Command::new(programs.join("mypy")).current_dir(&sdk))?;
    unit_tests(&programs, &sdk, &["discover", "tests"])?;
    let folder = target_folder()?.join("python-sdk");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    arrivals(&host_cli, &programs, &sdk, &folder)?;
    let project = new_project(&host_cli, &sdk, &folder)?;
    serve(&host_cli, &project)?;
    PLANTED.check(&host_cli, &project, || {
        run(Command::new(project.join(".venv/bin/tenon-build")).current_dir(&project))
    })
}

fn unit_tests(programs: &Path, folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    run(Command::new(programs.join("python"))
        .args(["-m", "unittest"])
        .args(arguments)
        .current_dir(folder))
}

/// Compares what a component gets from its host with what the SDK's host of tests gives, and with what the guide says of files and sockets.
fn arrivals(host_cli: &Path, programs: &Path, sdk: &Path, folder: &Path) -> anyhow::Result<()> {
    let component = folder.join("arrives.wasm");
    let tests = sdk.join("tests/component");
    run(Command::new(programs.join("tenon-build"))
        .args(["arrives", "--output"])
        .arg(&component)
        .current_dir(&tests))?;
    let expected = fs::read_to_string(tests.join("arrives.json"))?;
    let expected: Value = serde_json::from_str(&expected)?;
    for (path, expected) in expected.as_object().into_iter().flatten() {
        let answer = output(
            Command::new(host_cli)
                .arg("invoke")
                .arg(event(host_cli, folder, path)?)
                .arg("--guest")
                .arg(&component)
                .args(["--env", "GREETING=hello"])
                // Without a grant, a component that calls services is not loaded; this one does not call the service that it is for.
                .args(["--allow-outgoing", "https://granted.example"])
                .current_dir(folder),
        )?;
        let response: Value = serde_json::from_str(&answer)?;
        let body = response["body"].as_str().unwrap_or_default();
        let arrived: Value = serde_json::from_str(body).context(answer.clone())?;
        ensure!(
            arrived == *expected,
            "a component got {arrived} at `{path}`, not what `tests/component/arrives.json` says"
        );
    }
    Ok(())
}

/// Makes a project with the commands of its README, and runs everything that they name.
fn new_project(host_cli: &Path, sdk: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    run(Command::new(host_cli)
        .args(["new", "python", "--lang", "python", "--sdk"])
        .arg(sdk)
        .current_dir(folder))?;
    let project = folder.join("python");
    run(Command::new("python3")
        .args(["-m", "venv", ".venv"])
        .current_dir(&project))?;
    let programs = project.join(".venv/bin");
    run(Command::new(programs.join("pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(["--requirement", "requirements.txt"])
        .current_dir(&project))?;
    run(Command::new(programs.join("mypy")).current_dir(&project))?;
    unit_tests(&programs, &project, &[])?;
    run(Command::new(host_cli).arg("test").current_dir(&project))?;
    let component = project.join("build/guest.wasm");
    eprintln!(
        "build/guest.wasm has {} bytes",
        fs::metadata(component)?.len()
    );
    Ok(project)
}

/// Serves the component and records; what was recorded replays strictly.
fn serve(host_cli: &Path, project: &Path) -> anyhow::Result<()> {
    let path = |name: &str| project.join(name).display().to_string();
    let (component, tape) = (path("build/guest.wasm"), path("day.tape"));
    let (mut server, address) = Server::start(&[
        "--guest", &component, "--store", "memory", "--record", &tape,
    ])?;
    notes::create_and_list(&address, "from Python")?;
    let address = address.trim_start_matches("http://");
    let refused = ask(address, "POST", "/notes", r#"{"text":""}"#)?;
    ensure!(
        refused.contains(" 422 ") && refused.contains("application/problem+json"),
        "{refused}"
    );
    server.end()?;
    run(Command::new(host_cli)
        .args(["replay", "--mode", "strict", "day.tape"])
        .current_dir(project))
}
