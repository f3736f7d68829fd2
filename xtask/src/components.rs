//! `cargo xtask components`: applications that public toolchains made into components of `wasi:http` run unchanged. Each is served, answers
//! as on `wasmtime serve`, is recorded, replayed without the service that it called, and released.

mod host;
mod http;
mod pairs;
mod upstream;

use crate::{
    apps, peers,
    publisher::publisher,
    run::{output, run, step, target_folder},
};
use anyhow::{Context, ensure};
use host::Host;
use pairs::Pair;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use upstream::Upstream;

/// Builds and checks both applications.
pub fn check() -> anyhow::Result<()> {
    let host_cli = publisher()?.host_cli;
    let wasmtime = peers::wasmtime()?;
    for (name, build) in [
        ("hono", apps::hono as fn() -> anyhow::Result<PathBuf>),
        ("python", apps::python),
    ] {
        step(name, || {
            let started = Instant::now();
            let component = build()?;
            let bytes = fs::metadata(&component)?.len();
            report(name, "built", &[size(bytes), seconds(started.elapsed())]);
            let folder = target_folder()?.join("components").join(name);
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(&folder)?;
            let app = App {
                name,
                component,
                pairs: pairs::read(name)?,
                folder,
                host_cli: &host_cli,
            };
            app.check(&wasmtime)
        })?;
    }
    Ok(())
}

/// An application as a component.
struct App<'a> {
    name: &'static str,
    component: PathBuf,
    pairs: Vec<Pair>,
    /// Where everything is written.
    folder: PathBuf,
    host_cli: &'a Path,
}

impl App<'_> {
    fn check(&self, wasmtime: &Path) -> anyhow::Result<()> {
        let image = self.compile()?;
        let upstream = Upstream::start()?;
        let origin = upstream.origin();
        let peer = Host::wasmtime(wasmtime, &self.component, &origin)?;
        self.ask("wasmtime serve", peer)?;
        let tape = self.record(&origin)?;
        // From here on, only the tape knows what the service answers.
        drop(upstream);
        self.replay(&image, &tape, &origin)?;
        self.release(&tape, &origin)
    }

    /// Compiles it to an image, and once more into the cache of compiled guests, so that no later time includes it.
    fn compile(&self) -> anyhow::Result<PathBuf> {
        let image = self.folder.join("guest.cwasm");
        let started = Instant::now();
        output(
            self.host_cli()
                .arg("compile")
                .arg(&self.component)
                .arg("-o")
                .arg(&image),
        )?;
        let duration = seconds(started.elapsed());
        let bytes = fs::metadata(&image)?.len();
        report(self.name, "compiled", &[size(bytes), duration]);
        let inspected = output(self.host_cli().arg("inspect").arg(&self.component))?;
        ensure!(inspected.contains("this host can run it"), "{inspected}");
        Ok(image)
    }

    /// Records all requests, whose responses are checked.
    fn record(&self, upstream: &str) -> anyhow::Result<PathBuf> {
        let tape = self.folder.join("day.tape");
        let (component, tape_name) = (text(&self.component)?, text(&tape)?);
        let environment = format!("UPSTREAM={upstream}");
        let ours = Host::tenon(&[
            "--store",
            "memory",
            "--guest",
            component,
            "--env",
            &environment,
            "--allow-outgoing",
            upstream,
            "--record",
            tape_name,
            // Nothing here is a secret, and a redacted cookie would be another request.
            "--no-redaction",
            "--log-level",
            "error",
        ])?;
        self.ask("host-cli serve", ours)?;
        Ok(tape)
    }

    fn ask(&self, name: &str, host: Host) -> anyhow::Result<()> {
        for pair in &self.pairs {
            pair.check(host.address).with_context(|| name.to_owned())?;
        }
        let start = format!("first response after {}", seconds(host.start));
        let memory = format!("{} of memory at most", size(host.peak_bytes()?));
        let pairs = format!("{} responses as expected", self.pairs.len());
        report(self.name, name, &[start, memory, pairs]);
        host.end()
    }

    /// Replays it strictly, each time in a process of its own.
    fn replay(&self, image: &Path, tape: &Path, upstream: &str) -> anyhow::Result<()> {
        for (what, guest, mode) in [
            ("component", &*self.component, &["--mode", "strict"][..]),
            ("component, prepared for others", &*self.component, &[]),
            ("image", image, &[]),
        ] {
            let started = Instant::now();
            let replayed = output(
                self.host_cli()
                    .arg("replay")
                    .args(mode)
                    .arg("--guest")
                    .arg(guest)
                    .args(["--env", &format!("UPSTREAM={upstream}")])
                    .arg(tape),
            )?;
            let summary = replayed.lines().last().unwrap_or_default().to_owned();
            let details = [what.to_owned(), summary, seconds(started.elapsed())];
            report(self.name, "replayed strictly", &details);
        }
        Ok(())
    }

    /// Publishes it, and promotes it if it answers as recorded.
    fn release(&self, tape: &Path, upstream: &str) -> anyhow::Result<()> {
        output(self.host_cli().args(["keygen", "release.key"]))?;
        let started = Instant::now();
        let published = output(self.host_cli().arg("publish").arg(&self.component).args([
            "--to",
            "file://releases",
            "--key",
            "release.key",
        ]))?;
        report(self.name, "published", &[seconds(started.elapsed())]);
        let digest = published
            .split_whitespace()
            .find(|word| word.len() == 64)
            .with_context(|| format!("no digest in `{published}`"))?;
        let started = Instant::now();
        run(self
            .host_cli()
            .args(["promote", self.name, digest])
            .args(["--artifacts", "file://releases", "--key", "release.key"])
            .args(["--env", &format!("UPSTREAM={upstream}")])
            .args(["--outgoing", upstream, "--gate"])
            .arg(tape))?;
        report(self.name, "promoted", &[seconds(started.elapsed())]);
        Ok(())
    }

    fn host_cli(&self) -> Command {
        let mut command = Command::new(self.host_cli);
        command
            .env("XDG_STATE_HOME", self.folder.join("state"))
            .current_dir(&self.folder);
        command
    }
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

fn report(app: &str, what: &str, details: &[String]) {
    eprintln!("{app}: {what}: {}", details.join(", "));
}

fn size(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}
