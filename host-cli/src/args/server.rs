//! Options of the commands that listen: `serve` and `dev`.

use super::{
    KindName, LogFormat,
    identity::IdentityOptions,
    store::{StartOptions, store_help},
};
use clap::Args;

/// What a server listens on and emulates.
#[derive(Debug, Args)]
pub struct ServerOptions {
    /// Address and port to listen on; with port 0 the system chooses a free one, which the first printed line shows
    /// [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    #[arg(long, value_name = "STORE", help = store_help("[default: redb:tenon.redb]"))]
    pub store: Option<String>,
    /// The gateway to emulate: the kind of event that requests become [default: rest]
    #[arg(long, value_enum)]
    pub event_kind: Option<KindName>,
    /// Also answer requests to this host name; may be repeated
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Answer scripts of pages of this origin, like `http://localhost:5173`; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// Format of the lines about requests
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    #[command(flatten)]
    pub start: StartOptions,
    #[command(flatten)]
    pub identity: IdentityOptions,
}
