//! `cargo xtask javascript`: checks that the interface works for another language. A guest in JavaScript is built, released beside the
//! reference guest, and sent requests. Then the SDK for JavaScript is checked, with the project that `host-cli new --lang typescript` makes.

mod project;

use crate::{
    npm,
    publisher::{Publisher, publisher},
    run::{output, root, target_folder},
    server::{Server, ask},
};
use anyhow::{Context, ensure};
use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// Requests to each guest, of which the median is reported.
const REQUESTS: usize = 301;

/// Builds and releases both guests into a new folder, and requests from each what only it has.
pub fn check() -> anyhow::Result<()> {
    let publisher = publisher()?;
    let component = build()?;
    let folder = target_folder()?.join("javascript");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    release(&publisher, &folder, &component)?;
    serve(&folder)?;
    project::check(&publisher.host_cli, &folder)?;
    eprintln!("notes.wasm has {} bytes", fs::metadata(&component)?.len());
    Ok(())
}

/// The component, including QuickJS. The tool comes from npm, as pinned by its lock file.
fn build() -> anyhow::Result<std::path::PathBuf> {
    let source = root().join("guest/examples/notes");
    npm::build(&source)?;
    Ok(source.join("notes.wasm"))
}

/// Publishes both: the reference guest answers everything, the other one answers below `/notes`, in its own namespace.
fn release(publisher: &Publisher, folder: &Path, notes: &Path) -> anyhow::Result<()> {
    let host_cli = |arguments: &[&str]| {
        output(
            Command::new(&publisher.host_cli)
                .args(arguments)
                .env("XDG_STATE_HOME", folder.join("state"))
                .current_dir(folder),
        )
    };
    host_cli(&["keygen", "release.key"])?;
    for (component, route) in [
        (&*publisher.guest, &[][..]),
        (notes, &["--path", "/notes", "--namespace", "notes"][..]),
    ] {
        let component = component.to_str().context("a path that is not UTF-8")?;
        let to = ["--to", "file://releases", "--key", "release.key"];
        let published = host_cli(&[&["publish", component], &to[..]].concat())?;
        let digest = published
            .split_whitespace()
            .find(|word| word.len() == 64)
            .with_context(|| format!("no digest in `{published}`"))?;
        let from = ["--artifacts", "file://releases", "--key", "release.key"];
        host_cli(&[&["promote", "shop", digest], &from[..], route].concat())?;
    }
    Ok(())
}

/// Serves both and compares their responses; what was recorded must replay byte for byte.
fn serve(folder: &Path) -> anyhow::Result<()> {
    let path = |name: &str| folder.join(name).display().to_string();
    let (artifacts, key) = (
        format!("file://{}", path("releases")),
        path("release.key.pub"),
    );
    let (_server, address) = Server::start(&[
        "--store",
        "memory",
        "--channel",
        "shop",
        "--artifacts",
        &artifacts,
        "--public-key",
        &key,
    ])?;
    let address = address.trim_start_matches("http://");
    let item = ask(address, "POST", "/items", r#"{"name":"lamp"}"#)?;
    ensure!(item.contains(" 201 ") && item.contains("lamp"), "{item}");
    let note = ask(address, "POST", "/notes", r#"{"text":"from JavaScript"}"#)?;
    ensure!(
        note.contains(" 201 ") && note.contains("from JavaScript"),
        "{note}"
    );
    for (list, own, others) in [
        ("/items", "lamp", "from JavaScript"),
        ("/notes", "from JavaScript", "lamp"),
    ] {
        let answer = ask(address, "GET", list, "")?;
        ensure!(
            answer.contains(" 200 ") && answer.contains(own) && !answer.contains(others),
            "{answer}"
        );
        let median = median(|| ask(address, "GET", list, "").map(drop))?;
        eprintln!("GET {list}: {median:?} at the median, connection included");
    }
    let wrong = ask(address, "POST", "/notes", r#"{"text":""}"#)?;
    ensure!(
        wrong.contains(" 422 ") && wrong.contains("application/problem+json"),
        "{wrong}"
    );
    Ok(())
}

fn median(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let mut durations = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let start = Instant::now();
        work()?;
        durations.push(start.elapsed());
    }
    durations.sort_unstable();
    Ok(durations[REQUESTS / 2])
}
