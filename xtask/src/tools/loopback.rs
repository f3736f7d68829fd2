//! Running a program where no network but a private loopback exists, for servers that listen on every interface.

use crate::run::run;
use anyhow::{Context, bail};
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// `unshare` with what makes a network of its own: root may do it, others where the kernel lets them be root of a namespace.
const WAYS: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];

/// A command that runs `program` in a network of its own, whose loopback is still down.
pub fn unshared(program: &Path) -> anyhow::Result<Command> {
    for way in WAYS {
        let permitted = Command::new("unshare")
            .args(way)
            .arg("true")
            .stderr(Stdio::null())
            .status()
            .context("failed to run `unshare`, which is part of util-linux")?;
        if permitted.success() {
            let mut command = Command::new("unshare");
            command.args(way).arg("--").arg(program);
            return Ok(command);
        }
    }
    bail!(
        "`unshare` may not make a network namespace here, and a server that listens on every interface must not run outside of one: \
         run as root, allow unprivileged user namespaces, or give the container CAP_SYS_ADMIN"
    )
}

/// Brings this network's loopback up, where there is nothing else.
pub fn up() -> anyhow::Result<()> {
    run(Command::new("python3").args(["-c", include_str!("loopback.py")]))
        .context("failed to bring the loopback up")
}
