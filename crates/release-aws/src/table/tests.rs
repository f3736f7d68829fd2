//! Which operations of DynamoDB channels use, observed on the wire.

// The scripted server of the tests of `storage-dynamodb`, between client and engine.
#[path = "../../../storage-dynamodb/src/tests/script.rs"]
#[allow(dead_code, reason = "these tests let everything pass")]
mod script;

use super::*;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use dynoxide::Database;
use script::Script;
use std::collections::BTreeSet;
use storage_dynamodb::table;
use tokio::net::TcpListener;

/// A table on an engine inside the process.
async fn empty_table() -> DynamoDbOptions {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let database = Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let credentials = Credentials::new("test", "test", None, None, "test");
    let options = DynamoDbOptions {
        table: "channels".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(format!("http://{address}")),
        credentials: SharedCredentialsProvider::new(credentials),
    };
    table::create(&options).await.unwrap();
    options
}

/// The operations that a publisher's role must allow.
#[tokio::test]
async fn channels_call_what_they_say() {
    let mut options = empty_table().await;
    let script = Script::before(options.endpoint.as_ref().unwrap()).await;
    options.endpoint = Some(script.address.clone());
    let channels = TableChannels::new(&options);
    let channel = "stable".parse().unwrap();
    channels.flip(&channel, 0, 1, "one").await.unwrap();
    channels.flip(&channel, 1, 2, "two").await.unwrap();
    assert_eq!(channels.history(&channel, 9).await.unwrap(), ["two", "one"]);
    let called: BTreeSet<String> = script.take_operations().into_iter().collect();
    let said = TableChannels::OPERATIONS.map(|operation| operation.name().to_owned());
    assert_eq!(called, BTreeSet::from(said));
    // The operations of a host that follows a channel.
    channels.read(&channel).await.unwrap();
    assert_eq!(script.take_operations(), ["GetItem"]);
}
