//! `new`: the project builds, passes its own tests and cases, and serves.

use crate::program::{Folder, Server, cli, cli_in, command};
use std::{
    env, fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/rust");

/// Runs cargo in the project, with the toolchain and the versions of this workspace.
fn cargo(project: &Path, arguments: &[&str]) {
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo tells this test about its own package would mean the project's.
    for (name, _) in env::vars() {
        if name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_ENCODED_")
            || name == "RUSTFLAGS"
        {
            cargo.env_remove(name);
        }
    }
    let output = cargo
        .args(arguments)
        .current_dir(project)
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {stderr}");
}

#[test]
fn a_new_project_builds_passes_its_tests_and_cases_and_serves() {
    let folder = Folder::new();
    let path = folder.path("my-notes");
    let run = cli(&["new", &path, "--sdk", SDK]).expect_code(0);
    assert_eq!(
        run.stdout,
        format!("next:\n  cd {path}\n  host-cli dev\n  curl localhost:3000/notes\n")
    );
    let sdk = fs::canonicalize(SDK).unwrap();
    assert!(
        run.stderr
            .contains(&format!("its SDK is `{}`", sdk.display())),
        "{run:#?}"
    );

    let spaced = folder.path("a b");
    fs::create_dir(&spaced).unwrap();
    let run = cli(&["new", &format!("{spaced}/api"), "--sdk", SDK]).expect_code(0);
    assert!(
        run.stdout.contains(&format!("  cd '{spaced}/api'\n")),
        "{run:#?}"
    );

    let project = Path::new(&path);
    fs::copy(format!("{ROOT}/Cargo.lock"), project.join("Cargo.lock")).unwrap();
    // What one run of this test has built, the next one need not build again.
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-project");
    fs::create_dir_all(&shared).unwrap();
    symlink(&shared, project.join("target")).unwrap();
    cargo(project, &["test"]);
    cargo(
        project,
        &["build", "--release", "--target", "wasm32-wasip2"],
    );

    let inspected = cli_in(project, &["inspect"]).expect_code(0).stdout;
    assert!(
        inspected.contains("target/wasm32-wasip2/release/my_notes.wasm"),
        "{inspected}"
    );
    let replayed = cli_in(project, &["replay", "cases"]).expect_code(0).stdout;
    assert!(replayed.contains("4 cases: 4 as expected"), "{replayed}");
    let server = Server::spawn(command(&["serve", "--listen", "127.0.0.1:0"]).current_dir(project));
    let created = server.talk(
        "POST /notes HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: 15\r\n\r\n{\"text\":\"salt\"}",
    );
    assert!(created.starts_with("HTTP/1.1 201 "), "{created}");
    let listed = server.talk("GET /notes HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(listed.contains("\"text\":\"salt\""), "{listed}");
    assert_eq!(server.stop().0, 0);
    assert!(project.join(".tenon/store.redb").is_file());
}

/// What the project does is checked by `cargo xtask javascript`, which has npm.
#[test]
fn a_project_in_typescript_needs_an_sdk_that_is_built() {
    let folder = Folder::new();
    let manifest = fs::read_to_string(format!("{ROOT}/sdk/javascript/package.json")).unwrap();
    folder.write("sdk/package.json", &manifest);
    let (path, sdk) = (folder.path("notes"), folder.path("sdk"));
    let new = ["new", &path, "--lang", "typescript", "--sdk"];
    cli(&[&new[..], &[SDK]].concat())
        .expect_failure(3, "it has no `package.json` of a package `@tenon/sdk`")
        .expect_hint();
    cli(&[&new[..], &[&sdk]].concat())
        .expect_failure(3, "is not built")
        .expect_hint();
    assert!(!Path::new(&path).exists());

    folder.write("sdk/dist/rules.wasm", "built");
    let run = cli(&[&new[..], &[&sdk]].concat()).expect_code(0);
    assert_eq!(
        run.stdout,
        format!("next:\n  cd {path}\n  npm install\n  host-cli dev\n  curl localhost:3000/notes\n")
    );
    let package = fs::read_to_string(format!("{path}/package.json")).unwrap();
    let sdk = fs::canonicalize(sdk).unwrap();
    let dependency = format!("\"@tenon/sdk\": \"file:{}\"", sdk.display());
    assert!(package.contains(&dependency), "{package}");
    assert!(Path::new(&path).join("cases/create/event.json").is_file());
}

/// What the project does is checked by `cargo xtask python-sdk`, which has pip.
#[test]
fn a_project_in_python_needs_an_sdk_that_is_built_and_says_what_to_install() {
    let folder = Folder::new();
    let manifest = fs::read_to_string(format!("{ROOT}/sdk/python/pyproject.toml")).unwrap();
    folder.write("my sdk/pyproject.toml", &manifest);
    let (path, sdk) = (folder.path("notes"), folder.path("my sdk"));
    let new = ["new", &path, "--lang", "python", "--sdk"];
    cli(&[&new[..], &[SDK]].concat())
        .expect_failure(3, "it has no `pyproject.toml` of a package `tenon-sdk`")
        .expect_hint();
    cli(&[&new[..], &[&sdk]].concat())
        .expect_failure(3, "is not built")
        .expect_hint();
    assert!(!Path::new(&path).exists());

    folder.write("my sdk/src/tenon/testing/rules.wasm", "built");
    let run = cli(&[&new[..], &[&sdk]].concat()).expect_code(0);
    assert_eq!(
        run.stdout,
        format!(
            "next:\n  cd {path}\n  python3 -m venv .venv\n  .venv/bin/pip install -r requirements.txt\n  \
             host-cli dev\n  curl localhost:3000/notes\n"
        )
    );
    let project = Path::new(&path);
    let requirements = fs::read_to_string(project.join("requirements.txt")).unwrap();
    assert!(requirements.contains("/my%20sdk\n"), "{requirements}");
    let failed = cli_in(project, &["test"]).expect_code(3);
    assert!(
        failed
            .stderr
            .contains("failed to run `.venv/bin/tenon-build`")
            && failed.stderr.contains("hint: run `python3 -m venv .venv"),
        "{failed:#?}"
    );
}

#[test]
fn a_project_is_only_written_where_nothing_is() {
    let folder = Folder::new();
    let there = folder.write("there/file", "precious");
    let existing = folder.path("there");
    cli(&["new", &existing])
        .expect_failure(3, "already exists and was not changed")
        .expect_hint();
    assert_eq!(fs::read(there).unwrap(), b"precious");
    cli(&["new", &folder.path("no/such/api")])
        .expect_failure(3, "failed to write")
        .expect_hint();
    for (name, why) in [
        ("1st", "does not begin with a letter"),
        ("a b", "contains ` `"),
        ("async", "is reserved"),
        ("..", "has no name"),
    ] {
        cli(&["new", &folder.path(name)])
            .expect_failure(2, why)
            .expect_hint();
    }
    let other = folder.path("other");
    cli(&["new", &other, "--sdk", &existing])
        .expect_failure(3, "is not the SDK")
        .expect_hint();
    assert!(!Path::new(&other).exists());
}
