//! The kept files, and a project with copies of them, because programs lock and change what they open.

use crate::program::{Folder, Server, command};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A kept file or folder.
pub fn path(name: &str) -> PathBuf {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/compatibility/v1"
    ))
    .join(name)
}

pub fn bytes(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap()
}

pub fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

/// The component of the first version.
pub fn component() -> Vec<u8> {
    bytes("first.wasm")
}

/// The same with `from` replaced wherever it is by `to`, which is as long.
pub fn component_with(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut component = component();
    let mut count = 0;
    for at in 0..component.len() - from.len() {
        if component[at..].starts_with(from.as_bytes()) {
            component[at..at + to.len()].copy_from_slice(to.as_bytes());
            count += 1;
        }
    }
    assert!(count > 0, "`{from}` is not in the component");
    component
}

/// The project with its component, and copies of the kept files.
pub struct Project(Folder);

impl Project {
    pub fn new() -> Self {
        let folder = Folder::short();
        let root = folder.folder();
        copy(&path("project"), root);
        copy(&path("releases"), &root.join("releases"));
        copy(&path("tapes"), &root.join("tapes"));
        for file in ["first.wasm", "store.redb"] {
            fs::copy(path(file), root.join(file)).unwrap();
        }
        for secret in ["store.redb", "tapes/identity.txt"] {
            // git keeps no permissions, and programs refuse keys that others can read.
            fs::set_permissions(root.join(secret), fs::Permissions::from_mode(0o600)).unwrap();
        }
        Self(folder)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.folder().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        self.0.write(name, bytes).into()
    }

    /// The program in this project, with the values of its secrets.
    fn command(&self, arguments: &[&str]) -> Command {
        let project = self.0.path("");
        let mut command = command(&[&["--project", &project], arguments].concat());
        command
            .current_dir(self.0.folder())
            .stdin(Stdio::null())
            .env("API_KEY", "kept-value-of-a-key")
            .env("WEBHOOK", "kept-key-of-a-webhook");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints, if it ends with exit code 0.
    pub fn printed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.printed(arguments)).unwrap()
    }

    /// Fails unless the program ends with this exit code and says all these parts.
    pub fn refused(&self, arguments: &[&str], code: i32, parts: &[&str]) {
        let output = self.run(arguments);
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        for part in parts {
            assert!(
                told.contains(part),
                "{arguments:?} without `{part}`: {told}"
            );
        }
    }

    /// `serve` with these options.
    pub fn serve(&self, options: &[&str]) -> Server {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--quiet"];
        Server::spawn(&mut self.command(&[&serve, options].concat()))
    }
}

/// The JSON that a server answers to a request.
pub fn ask(server: &Server, method: &str, target: &str, body: &str) -> Value {
    let length = body.len();
    let answer = server.talk(format!(
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    ));
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
