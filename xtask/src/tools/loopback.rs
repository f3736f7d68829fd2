//! Runs a program in a network that has only a private loopback interface, for servers that listen on every interface.

use crate::run::run;
use anyhow::{Context, bail};
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// `unshare` with the options for a separate network: root may use it, other users if the kernel lets them be root of a namespace.
const WAYS: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];

/// A command that runs `program` in a separate network, whose loopback interface is still down.
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

/// Brings up this network's loopback interface; refuses to do so elsewhere.
pub fn up() -> anyhow::Result<()> {
    run(Command::new("python3").args(["-c", include_str!("loopback.py")]))
        .context("failed to bring the loopback up")
}
