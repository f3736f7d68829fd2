//! docs/guide/tutorial.md, run as it is written: each command, each change of a file, and the output that the page shows.
//!
//! | block | what happens |
//! |---|---|
//! | `console` | commands after `$ `, in one folder after the other; their output must be what follows |
//! | `console terminal-1` | the same for a program that goes on running: lines of its output in this order, keys that are typed, and `^C` |
//! | `diff` | a change of a file |
//!
//! In expected output `...` stands for any text, and alone on a line for any lines.

mod page;
mod terminal;

use crate::program::Folder;
use page::{Block, Kind, matches_all};
use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use terminal::Terminal;

const TUTORIAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/tutorial.md");
/// The port in the page.
const PORT: &str = "3000";

/// The reader's machine: a folder of their own, and a terminal in which a program runs.
struct Reader {
    folder: PathBuf,
    /// Where `host-cli` keeps compiled guests.
    cache: String,
    port: String,
    terminal: Option<Terminal>,
}

#[test]
fn the_tutorial_is_true() {
    let folder = Folder::new();
    let mut reader = Reader {
        cache: folder.path("cache"),
        folder: PathBuf::from(folder.path("")),
        port: free_port(),
        terminal: None,
    };
    let page = fs::read_to_string(TUTORIAL).unwrap();
    let blocks = page::blocks(&page);
    assert!(blocks.len() > 10, "the page was read: {blocks:?}");
    for block in blocks {
        reader.follow(&block);
    }
    assert!(reader.terminal.is_none(), "the page ends what it starts");
}

impl Reader {
    fn follow(&mut self, block: &Block) {
        let text = block
            .text
            .replace(&format!(":{PORT}"), &format!(":{}", self.port));
        match block.kind {
            Kind::Console => self.run_commands(block.line, &text),
            Kind::Terminal => self.watch(block.line, &text),
            Kind::Diff => self.patch(block.line, &text),
        }
    }

    fn run_commands(&mut self, line: usize, text: &str) {
        for (command, expected) in page::commands(text) {
            // Only a comparison that differs may fail.
            let may_fail = expected.iter().any(|line| line.starts_with("differs "));
            let (output, folder) = self.run(&command, may_fail);
            self.folder = folder;
            if let Some(name) = command.strip_prefix("host-cli new ") {
                self.share_builds(&self.folder.join(name));
            }
            assert!(
                expected.is_empty() || matches_all(&expected, &output),
                "tutorial.md:{line}: `{command}` printed\n{output}\ninstead of\n{}",
                expected.join("\n")
            );
        }
    }

    /// The versions of this workspace, and a target folder that the next run of this test and the one of `new` use, too.
    fn share_builds(&self, project: &Path) {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        fs::copy(lock, project.join("Cargo.lock")).unwrap();
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-project");
        fs::create_dir_all(&shared).unwrap();
        symlink(shared, project.join("target")).unwrap();
    }

    /// Runs a command in a shell, and returns what it printed and where the shell ended.
    fn run(&self, command: &str, may_fail: bool) -> (String, PathBuf) {
        let marker = "FOLDER=";
        let script = format!("{command}\ncode=$?\nprintf '\\n{marker}%s' \"$PWD\"\nexit $code");
        let output = self.shell(&script).stdin(Stdio::null()).output().unwrap();
        assert!(
            output.status.success() || may_fail,
            "`{command}`: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let (text, folder) = text
            .rsplit_once(marker)
            .unwrap_or_else(|| panic!("`{command}`: {text}"));
        (text.trim_end().to_owned(), PathBuf::from(folder))
    }

    fn shell(&self, script: &str) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_host-cli")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .current_dir(&self.folder)
            .env("PATH", path)
            .env("CARGO_TERM_COLOR", "never")
            .env("XDG_CACHE_HOME", &self.cache);
        // Variables of the outer cargo, among them its target folder and flags.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_") && name != "CARGO_HOME" || name.starts_with("RUSTFLAGS") {
                shell.env_remove(name.as_ref());
            }
        }
        shell
    }

    fn watch(&mut self, line: usize, text: &str) {
        for expected in text.lines() {
            if let Some(command) = expected.strip_prefix("$ ") {
                assert!(
                    self.terminal.is_none(),
                    "tutorial.md:{line}: something runs already"
                );
                let listen = format!("exec {command} --listen 127.0.0.1:{}", self.port);
                self.terminal = Some(Terminal::start(&mut self.shell(&listen)));
                continue;
            }
            let terminal = self
                .terminal
                .as_mut()
                .expect("a block before this one starts a program");
            if expected == "^C" || expected == "q" {
                self.terminal.take().unwrap().end(expected);
            } else if page::is_key(expected) {
                terminal.type_line(expected);
            } else {
                terminal.expect(expected, line);
            }
        }
    }

    fn patch(&self, line: usize, text: &str) {
        let mut patch = Command::new("patch")
            .args(["--strip=0", "--fuzz=0"])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        patch
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let output = patch.wait_with_output().unwrap();
        assert!(output.status.success(), "tutorial.md:{line}: {output:?}");
    }
}

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}
