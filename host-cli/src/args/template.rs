//! Arguments of `template`.

use super::guest::GuestOptions;
use clap::{Args, ValueEnum};
use deployment::ApiKind;
use std::path::PathBuf;

/// Write the project's template for AWS SAM, or check it
///
/// Makes the template from `[deploy]` in tenon.toml, the project's OpenAPI document, and what the guest imports: an API with throttling, logs
/// and alarms, the function with its role, a table if the guest stores anything. A file that was edited by hand is not overwritten. With
/// environments in tenon.toml, `samconfig.toml` is written beside it. See docs/deploy.md.
///
/// With --check, nothing is written: the exit code is 1 if the file is not what would be generated, if something in it cannot work, or if the
/// guest does not have a route.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli template
  host-cli template --check
  host-cli template --api http --stdout")]
pub struct TemplateArgs {
    /// Check the file, and ask the guest for each route, in place of writing
    #[arg(long)]
    pub check: bool,
    /// Print the template in place of writing it
    #[arg(long, conflicts_with_all = ["check", "output"])]
    pub stdout: bool,
    /// The file of the template; written completely or not at all [default: `template` of `[deploy]`, or template.yaml]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What the API is [default: `api` of `[deploy]`, or rest]
    #[arg(long, value_enum)]
    pub api: Option<ApiChoice>,
    /// Overwrite a file that was edited by hand, or that was not generated
    #[arg(long, conflicts_with_all = ["check", "stdout"])]
    pub force: bool,
    #[command(flatten)]
    pub guest: GuestOptions,
}

/// A kind of API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ApiChoice {
    /// A REST API of API Gateway
    Rest,
    /// An HTTP API of API Gateway
    Http,
    /// A URL of the function
    FunctionUrl,
}

impl From<ApiChoice> for ApiKind {
    fn from(choice: ApiChoice) -> Self {
        match choice {
            ApiChoice::Rest => Self::Rest,
            ApiChoice::Http => Self::Http,
            ApiChoice::FunctionUrl => Self::FunctionUrl,
        }
    }
}
