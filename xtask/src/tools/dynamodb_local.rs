//! `cargo xtask dynamodb-local`: runs the tests of the DynamoDB backend against Amazon's own engine.
//!
//! The engine listens on every interface and cannot be configured otherwise. So it runs, with the tests, in a network that has only a
//! loopback interface.

use super::loopback;
use crate::{
    run::{Cargo, run},
    setup,
};
use anyhow::{Context, bail, ensure};
use std::{
    env, fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What the names of the tests have in common that use the engine that `TENON_TEST_DYNAMODB_ENDPOINT` names.
pub const TESTS_DEFAULT: &str = "the_server_that_the_environment_names";
/// The command with which this program calls itself inside that network.
pub const CONFINED: &str = "dynamodb-local-confined";

/// Any port is free there.
const PORT: u16 = 8000;
/// It takes two seconds on an idle machine.
const START_MAX: Duration = Duration::from_secs(60);

/// Builds the tests whose name contains `filter`, then runs this program again in its own network.
pub fn test(filter: &str) -> anyhow::Result<()> {
    setup::target()?;
    let engine = super::dynamodb_local()?;
    let list = tests(filter).args(["--", "--list"]).output()?;
    ensure!(
        list.lines().any(|line| line.ends_with(": test")),
        "no test's name contains `{filter}`"
    );
    run(loopback::unshared(&env::current_exe()?)?
        .arg(CONFINED)
        .arg(engine)
        .arg(filter))
}

/// What [`test()`] runs in the separate network. Everything is already built and fetched.
pub fn test_confined(engine: &Path, filter: &str) -> anyhow::Result<()> {
    loopback::up()?;
    let _engine = Engine::start(engine)?;
    tests(filter)
        .args(["--offline"])
        .env(
            "TENON_TEST_DYNAMODB_ENDPOINT",
            format!("http://127.0.0.1:{PORT}"),
        )
        .run()
}

/// The whole workspace, so that features are the same as in the other tests.
fn tests(filter: &str) -> Cargo {
    Cargo::new("test").args(["--release", "--workspace", "--lib", "--locked", filter])
}

/// A running engine; killed when dropped.
struct Engine(Child);

impl Engine {
    /// Returns once it listens.
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let output = env::temp_dir().join(format!("dynamodb-local-{}.log", std::process::id()));
        let log = fs::File::create(&output)?;
        let child = Command::new("java")
            .args(["-Xmx512m", "-Djava.library.path=./DynamoDBLocal_lib"])
            .args(["-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb"])
            .args(["-disableTelemetry", "-port", &PORT.to_string()])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("failed to run `java`: DynamoDB Local needs Java 17 or later")?;
        let mut engine = Self(child);
        let listens = engine.wait();
        let said = fs::read_to_string(&output).unwrap_or_default();
        fs::remove_file(&output)?;
        listens.with_context(|| format!("DynamoDB Local did not start: {}", said.trim()))?;
        Ok(engine)
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + START_MAX;
        while TcpStream::connect(("127.0.0.1", PORT)).is_err() {
            if let Some(status) = self.0.try_wait()? {
                bail!("it ended with {status}");
            }
            ensure!(
                Instant::now() < until,
                "it does not listen after {} s",
                START_MAX.as_secs()
            );
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
