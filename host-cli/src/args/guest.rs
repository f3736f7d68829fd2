//! Options of all commands that run guests.

use super::limits::HostLimitOptions;
use clap::{Args, ValueEnum};
use contract::log::LogLevel;
use outgoing::Grant;
use std::path::PathBuf;

/// The guest, and what its host gives it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Guest")]
pub struct GuestOptions {
    /// The guest to run: a component (.wasm), an image (.cwasm), or `embedded`, the items API in this program [default: that of tenon.toml]
    #[arg(long, value_name = "GUEST")]
    pub guest: Option<PathBuf>,
    #[command(flatten)]
    pub environment: EnvironmentOptions,
    /// Let the guest call this origin, such as `https://api.example.com` or `http://127.0.0.1:9000/v1`, also at an address of a private
    /// network. May be repeated; adds to `outgoing` in tenon.toml
    #[arg(long, value_name = "ORIGIN")]
    pub allow_outgoing: Vec<Grant>,
    /// Where a secret of tenon.toml is found instead: `env:NAME`, `file:PATH`, `ssm:/PATH` or `secretsmanager:NAME`. May be repeated
    #[arg(long, value_name = "NAME=SOURCE")]
    pub secret: Vec<String>,
    /// Drop less severe log lines of the guest [default: info]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub log_level: Option<LogLevelName>,
    #[command(flatten)]
    pub limits: HostLimitOptions,
}

/// The guest's environment.
#[derive(Debug, Args)]
pub struct EnvironmentOptions {
    /// A variable of the guest's environment; without a value, it is copied from this program's own environment. May be repeated
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub env: Vec<String>,
    /// A file with variables of the guest's environment: lines of `NAME=VALUE`, or a JSON object of strings. May be repeated; `--env` wins. Secrets belong
    /// in `[secrets]` of tenon.toml
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevelName {
    Debug,
    Info,
    Warn,
    Error,
}

impl From<LogLevelName> for LogLevel {
    fn from(name: LogLevelName) -> Self {
        match name {
            LogLevelName::Debug => Self::Debug,
            LogLevelName::Info => Self::Info,
            LogLevelName::Warn => Self::Warn,
            LogLevelName::Error => Self::Error,
        }
    }
}
