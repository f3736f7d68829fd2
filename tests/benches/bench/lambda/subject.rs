//! A bootstrap as Lambda runs it: with only its environment variables, requesting events from our runtime API.

use super::{
    engine::{ACCESS_KEY, Engine, REGION},
    runtime_api::RuntimeApi,
};
use crate::report;
use anyhow::Context;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A program that can be started, with its own table.
#[derive(Clone)]
pub struct Program {
    pub name: &'static str,
    /// The program and its arguments.
    command: Vec<PathBuf>,
    endpoint: String,
    image: Option<PathBuf>,
}

impl Program {
    pub fn new(
        name: &'static str,
        command: Vec<PathBuf>,
        engine: &Engine,
        image: Option<&Path>,
    ) -> anyhow::Result<Self> {
        engine.create_table(name)?;
        Ok(Self {
            name,
            command,
            endpoint: engine.endpoint().to_owned(),
            image: image.map(Path::to_owned),
        })
    }

    /// The address of its store.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The same with another address of its store.
    pub fn at(&self, endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            ..self.clone()
        }
    }

    /// The size of its arguments' files or, without arguments, of the program.
    pub fn bytes(&self) -> anyhow::Result<u64> {
        let file = self.command.last().context("a program has a path")?;
        Ok(fs::metadata(file)?.len())
    }

    /// Starts it, without waiting until it is ready.
    pub fn start(&self) -> anyhow::Result<Subject> {
        let api = RuntimeApi::start()?;
        let (program, arguments) = self.command.split_first().context("a program has a path")?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        if let Some(image) = &self.image {
            command.env("TENON_GUEST", image);
        }
        let started_at = Instant::now();
        let child = command
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", self.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
            .env("AWS_ENDPOINT_URL_DYNAMODB", &self.endpoint)
            .env("TENON_TABLE", self.name)
            .env("NODE_NO_WARNINGS", "1") // at each start, the SDK's warning about the Node version
            .stdin(Stdio::null())
            .stdout(Stdio::null()) // the lines are written in any case
            .spawn()
            .with_context(|| format!("failed to run `{}`", program.display()))?;
        Ok(Subject {
            name: self.name,
            child,
            started_at,
            api,
        })
    }

    /// From process start until it requests an event, and until it has answered `event`.
    pub fn cold_start(&self, event: &[u8]) -> anyhow::Result<(Duration, Duration)> {
        let mut subject = self.start()?;
        let ready_at = subject.api.ready_at()?;
        let (_, answered_at, _) = subject.api.invoke(event)?;
        Ok((
            ready_at - subject.started_at,
            answered_at - subject.started_at,
        ))
    }
}

/// A running bootstrap; killed when dropped.
pub struct Subject {
    pub name: &'static str,
    child: Child,
    started_at: Instant,
    api: RuntimeApi,
}

impl Subject {
    /// The duration of an event, and the response.
    pub fn invoke(&mut self, event: &[u8]) -> anyhow::Result<(Duration, Vec<u8>)> {
        let invoked = self.api.invoke(event);
        let (sent_at, answered_at, answer) = invoked.with_context(|| self.name)?;
        Ok((answered_at - sent_at, answer))
    }

    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        Ok(report::memory_kib(&self.child.id().to_string(), "VmRSS")? * 1024)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
