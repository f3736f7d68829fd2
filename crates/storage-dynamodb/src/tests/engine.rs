//! A separate table for each test, on an engine inside the process or on another server.

use crate::{DynamoDbOptions, DynamoDbStorage, table};
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, SharedCredentialsProvider},
};
use dynoxide::Database;
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
};
use tokio::net::TcpListener;

/// An empty table and the options to reach it.
pub(super) struct Engine {
    options: DynamoDbOptions,
}

/// Options for a table that nobody else uses.
pub(super) fn options_at(endpoint: &str) -> DynamoDbOptions {
    static TABLES: AtomicU32 = AtomicU32::new(0);
    let number = TABLES.fetch_add(1, Ordering::Relaxed);
    let credentials = Credentials::new("test", "test", None, None, "test");
    DynamoDbOptions {
        table: format!("tenon-test-{}-{number}", std::process::id()),
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        credentials: SharedCredentialsProvider::new(credentials),
    }
}

/// Starts an engine in this test's runtime, with which it ends. Returns its address.
pub(super) async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(dynoxide::server::serve_on(
        listener,
        Database::memory().unwrap(),
    ));
    format!("http://{address}")
}

/// An engine for tests that use several runtimes; it ends with the process.
pub(super) fn shared() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            super::runtime().block_on(async {
                sender.send(start().await).unwrap();
                std::future::pending::<()>().await;
            });
        });
        receiver.recv().unwrap()
    })
}

impl Engine {
    pub(super) async fn embedded() -> Self {
        Self::at(&start().await).await
    }

    /// The table has no expiry setting: the cases run in the past, so a server that removes expired items would interfere.
    pub(super) async fn at(endpoint: &str) -> Self {
        let options = options_at(endpoint);
        table::create_without_expiry(&options).await.unwrap();
        Self { options }
    }

    pub(super) fn options(&self) -> &DynamoDbOptions {
        &self.options
    }

    pub(super) fn store(&self) -> DynamoDbStorage {
        DynamoDbStorage::new(&self.options)
    }

    /// The table as other tools see it.
    pub(super) fn client(&self) -> Client {
        self.options.client()
    }

    pub(super) async fn remove(self) {
        let removal = self.client().delete_table().table_name(&self.options.table);
        removal.send().await.unwrap();
    }
}
