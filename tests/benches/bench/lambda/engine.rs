//! A store for the compared programs: a DynamoDB-compatible engine in this process, with one table for each.

use anyhow::Context;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use contract::compatibility::Target;
use runtime::engine;
use std::{fs, path::Path, sync::mpsc, thread};
use storage_dynamodb::{DynamoDbOptions, table};

/// Any value works, because the engine is not part of AWS.
pub const REGION: &str = "us-east-1";
pub const ACCESS_KEY: &str = "bench";

/// A running engine; it ends with the process.
pub struct Engine {
    endpoint: String,
}

impl Engine {
    pub fn start() -> anyhow::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let ended = runtime()?.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
                sender.send(format!("http://{}", listener.local_addr()?))?;
                let database = dynoxide::Database::memory()?;
                dynoxide::server::serve_on(listener, database).await;
                anyhow::Ok(())
            });
            ended.inspect_err(|error| eprintln!("error: the engine ended: {error:#}"))
        });
        let endpoint = receiver.recv().context("the engine did not start")?;
        Ok(Self { endpoint })
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Creates a table of that name.
    pub fn create_table(&self, name: &str) -> anyhow::Result<DynamoDbOptions> {
        let credentials = Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "bench");
        let options = DynamoDbOptions {
            table: name.to_owned(),
            region: REGION.to_owned(),
            endpoint: Some(self.endpoint.clone()),
            credentials: SharedCredentialsProvider::new(credentials),
        };
        runtime()?.block_on(table::create(&options))?;
        Ok(options)
    }
}

/// The reference guest as an image for this machine.
pub fn compile_guest(image: &Path) -> anyhow::Result<()> {
    let component = fs::read(concat!(env!("OUT_DIR"), "/guest.wasm"))?;
    let target = Target::HOST.context("guests do not run on this machine")?;
    fs::write(image, engine::compile(&component, target)?)?;
    Ok(())
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}
