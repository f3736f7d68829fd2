//! Arguments of `package`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Package the Lambda host and a guest for deployment
///
/// Writes host-lambda.zip (the function), guest.zip (a layer with the guest, compiled for its processor) and manifest.json (digests, sizes and
/// versions) to FOLDER/ARCH. The same host and guest give the same bytes on every machine. See docs/deploy.md for what to deploy them with.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli package --arch arm64
  host-cli package --arch all --output dist
  host-cli package --guest guest.wasm")]
pub struct PackageArgs {
    /// The component, or `embedded` [default: that of tenon.toml]
    #[arg(long, value_name = "GUEST")]
    pub guest: Option<PathBuf>,
    /// Architecture of the function [default: that of `[deploy]` in tenon.toml, or arm64; without a
    /// project this machine's]
    #[arg(long, value_enum)]
    pub arch: Option<ArchChoice>,
    /// Folder for the packages [default: `package` of `[deploy]`, or the folder `package` of the
    /// project, or of the current folder]
    #[arg(long, short, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Take the Lambda host from FOLDER/ARCH, where another package is [default: the one in this program]
    #[arg(long, value_name = "FOLDER")]
    pub host: Option<PathBuf>,
}

/// One architecture or all, by Lambda's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArchChoice {
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
    /// Arm, such as AWS Graviton
    Arm64,
    /// A package for each
    All,
}
