//! `store`: a look into a store, and what a store holds when a server starts.

use crate::store::STORE_FORMS;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The help of an option that names a store.
pub fn store_help(remark: &str) -> String {
    format!("The store: {STORE_FORMS} {remark}")
        .trim_end()
        .to_owned()
}

/// What the store of a server holds when it starts.
#[derive(Debug, Default, Args)]
pub struct StartOptions {
    /// Start with an empty store: it takes the place of an existing file once everything else has succeeded
    #[arg(long)]
    pub fresh: bool,
    /// Store the entries of this file, a JSON list as `host-cli store export` writes it, unless they are there; `-` for stdin
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
}

/// Look into a store, and change it
///
/// If a server has the store open, it is reached through the server's socket, `FILE.sock` beside a redb file, or `.tenon/store.sock` in the project
/// of a server with a store in memory. Only what belongs to one namespace is seen. Partitions and sort keys are those of the guest.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli store list
  host-cli store get items 0190b1c2
  host-cli store query items --prefix 0190 --limit 5
  host-cli store put items lamp '{\"name\":\"lamp\"}' --if-absent
  host-cli store delete items lamp
  host-cli store list --namespace orders
  host-cli store export before.json
  host-cli store import before.json --store redb:other.redb")]
pub struct StoreArgs {
    #[command(subcommand)]
    pub command: StoreCommand,
    #[arg(long, value_name = "STORE", global = true,
        help = store_help("(`memory` is that of a running server) [default: that of tenon.toml, or redb:tenon.redb]"))]
    pub store: Option<String>,
    /// The part of the store that belongs to the guests of a route, as `promote --namespace` named it [default: that of guests without a route of
    /// their own]
    #[arg(long, value_name = "NAMESPACE", global = true)]
    pub namespace: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = StoreFormat::Text, global = true)]
    pub format: StoreFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoreFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// List the partitions, with the number of their items
    ///
    /// Reads the whole namespace. On DynamoDB that is a scan of the table, which is charged.
    #[command(after_help = "\
Examples:
  host-cli store list
  host-cli store list --format json --store memory")]
    List,
    /// Show one item
    ///
    /// Prints the document; its revision and the rest on stderr. With `--format json`, all of it as one entry. Exit code 1 if there is none.
    #[command(after_help = "\
Examples:
  host-cli store get items 0190b1c2
  host-cli store get items 0190b1c2 --format json")]
    Get(KeyArgs),
    /// Write one item
    ///
    /// It gets a new revision. Without `--if-absent` or `--if-revision` an existing item is replaced. Exit code 1 if the item is in another state.
    #[command(after_help = "\
Examples:
  host-cli store put items lamp '{\"name\":\"lamp\"}'
  host-cli store put items lamp @lamp.json --if-absent
  host-cli store put items lamp - --index by-name lamp < lamp.json")]
    Put(PutArgs),
    /// Remove one item
    ///
    /// Exit code 1 if there is none.
    #[command(after_help = "\
Examples:
  host-cli store delete items lamp
  host-cli store delete items lamp --if-revision 2f6c1f0e5d4a3b2c1d0e9f8a")]
    Delete(DeleteArgs),
    /// List items of a partition, by their sort keys
    #[command(after_help = "\
Examples:
  host-cli store query items
  host-cli store query items --from 2026-01-01 --to 2026-02-01 --descending
  host-cli store query by-name --index --prefix lamp --format json")]
    Query(QueryArgs),
    /// Write all entries as a JSON list, in the format of `before.json`
    ///
    /// A file is written completely or not at all. A large store is written while it is read: entries that change meanwhile may be in it before or
    /// after the change.
    #[command(after_help = "\
Examples:
  host-cli store export before.json
  host-cli store export --store memory | jq length")]
    Export(ExportArgs),
    /// Store the entries of a JSON list, with their revisions
    ///
    /// Existing items of the same keys are replaced. A file is checked as a whole before the first entry is stored. Entries are stored in batches of
    /// 100; after an interruption, the same import stores the rest.
    #[command(after_help = "\
Examples:
  host-cli store import before.json
  host-cli store export | host-cli store import - --store redb:copy.redb")]
    Import(ImportArgs),
}

#[derive(Debug, Args)]
pub struct KeyArgs {
    /// The partition
    #[arg(value_name = "PARTITION")]
    pub partition: String,
    /// The sort key
    #[arg(value_name = "SORT")]
    pub sort: String,
}

#[derive(Debug, Args)]
pub struct PutArgs {
    #[command(flatten)]
    pub key: KeyArgs,
    /// The document, a JSON object: text, `@FILE`, or `-` for stdin
    #[arg(value_name = "DOCUMENT")]
    pub document: String,
    /// The secondary key: its partition and sort key
    #[arg(long, num_args = 2, value_names = ["PARTITION", "SORT"])]
    pub index: Option<Vec<String>>,
    /// When the item expires, in seconds since 1970
    #[arg(long, value_name = "SECONDS")]
    pub expires_at: Option<u64>,
    /// Only if there is no such item
    #[arg(long)]
    pub if_absent: bool,
    /// Only if the item has this revision
    #[arg(long, value_name = "REVISION", conflicts_with = "if_absent")]
    pub if_revision: Option<String>,
}

#[derive(Debug, Args)]
pub struct DeleteArgs {
    #[command(flatten)]
    pub key: KeyArgs,
    /// Only if the item has this revision
    #[arg(long, value_name = "REVISION")]
    pub if_revision: Option<String>,
}

#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The partition
    #[arg(value_name = "PARTITION")]
    pub partition: String,
    /// It is a partition of secondary keys
    #[arg(long)]
    pub index: bool,
    /// Only sort keys that begin with this text
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["from", "to"])]
    pub prefix: Option<String>,
    /// Only sort keys from this one on
    #[arg(long, value_name = "SORT")]
    pub from: Option<String>,
    /// Only sort keys up to this one
    #[arg(long, value_name = "SORT")]
    pub to: Option<String>,
    /// Highest sort key first
    #[arg(long)]
    pub descending: bool,
    /// Largest number of items
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to write; `-` for stdout [default: stdout]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The file to read; `-` for stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}
