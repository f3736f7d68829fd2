//! Follows a page: runs its commands, types into its programs, changes its files.

use super::{
    page::{self, Block, Kind, matches_all},
    terminal::Terminal,
};
use crate::program::Folder;
use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The port in the pages.
const PORT: &str = "3000";

/// The reader's machine: a folder of their own, and a terminal in which a program runs.
pub struct Reader {
    /// The file that is followed, for messages.
    page: &'static str,
    pub folder: PathBuf,
    /// Where `host-cli` keeps compiled guests.
    cache: String,
    port: String,
    pub terminal: Option<Terminal>,
}

impl Reader {
    pub fn new(page: &'static str, home: &Folder) -> Self {
        Self {
            page,
            cache: home.path("cache"),
            folder: PathBuf::from(home.path("")),
            port: free_port(),
            terminal: None,
        }
    }

    pub fn follow(&mut self, block: &Block) {
        let text = self.with_own_port(&block.text);
        match block.kind {
            Kind::Console => self.run_commands(block.line, &text),
            Kind::Terminal => self.watch(block.line, &text),
            Kind::Diff => self.patch(block.line, &text),
        }
    }

    /// The text with the port that is free here.
    pub fn with_own_port(&self, text: &str) -> String {
        text.replace(&format!(":{PORT}"), &format!(":{}", self.port))
    }

    /// The text as the page has it.
    pub fn with_port_of_page(&self, text: &str) -> String {
        text.replace(&format!(":{}", self.port), &format!(":{PORT}"))
    }

    fn run_commands(&mut self, line: usize, text: &str) {
        for (command, expected) in page::commands(text) {
            // Only a comparison that differs may fail.
            let may_fail = expected.iter().any(|line| line.starts_with("differs "));
            let output = self.run_command(&command, may_fail);
            assert!(
                expected.is_empty() || matches_all(&expected, &output),
                "{}:{line}: `{command}` printed\n{output}\ninstead of\n{}",
                self.page,
                expected.join("\n")
            );
        }
    }

    /// Runs a command in the folder where the one before it ended, and returns what it printed.
    pub fn run_command(&mut self, command: &str, may_fail: bool) -> String {
        let new = command.strip_prefix("host-cli new ");
        let (output, folder) = match (new, std::env::var("TENON_TEST_SDK")) {
            (Some(_), Ok(sdk)) => self.run(&format!("{command} --sdk '{sdk}'"), may_fail),
            _ => self.run(command, may_fail),
        };
        self.folder = folder;
        if let Some(name) = new {
            self.share_builds(&self.folder.join(name));
        }
        output
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
        let built = || Path::new(env!("CARGO_BIN_EXE_host-cli")).with_file_name("");
        let programs = std::env::var_os("TENON_TEST_PROGRAMS").map_or_else(built, PathBuf::from);
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
                self.start(line, command);
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
                terminal.expect(expected, &format!("{}:{line}", self.page));
            }
        }
    }

    /// Starts the program of the terminal.
    pub fn start(&mut self, line: usize, command: &str) {
        let page = self.page;
        assert!(
            self.terminal.is_none(),
            "{page}:{line}: something runs already"
        );
        let listen = format!("exec {command} --listen 127.0.0.1:{}", self.port);
        self.terminal = Some(Terminal::start(&mut self.shell(&listen)));
    }

    pub fn patch(&self, line: usize, text: &str) {
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
        assert!(output.status.success(), "{}:{line}: {output:?}", self.page);
    }
}

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}
