//! Conformance, agreement with memory, tables, and behaviour when DynamoDB fails.
//!
//! Everything runs on an engine inside the test process. If [`ENDPOINT_VARIABLE`] names another server, conformance and agreement also run
//! there.

mod engine;
mod faults;
mod other_servers;
mod requests;
mod script;
mod tables;

use super::*;
use contract::seed::Seed;
use engine::Engine;
use proptest::prelude::*;
use std::{env, sync::Arc, time::Instant};
use storage::{MemoryStorage, agreement, conformance};

/// Address of a DynamoDB-compatible server for tests, like `http://127.0.0.1:8000`.
const ENDPOINT_VARIABLE: &str = "TENON_TEST_DYNAMODB_ENDPOINT";

fn make() -> Arc<dyn Storage> {
    let making = async { Arc::new(Engine::embedded().await.store()) };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(making))
}

storage::storage_conformance!(make);

fn call(number: u64) -> Call {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    Call::new(1_767_225_600_000, &Seed::new(seed), None)
}

fn call_until(number: u64, deadline: Instant) -> Call {
    let mut call = call(number);
    call.deadline = Some(deadline);
    call
}

fn key(partition: &str, sort: &str) -> Key {
    Key {
        partition: partition.to_owned(),
        sort: sort.to_owned(),
    }
}

fn doc(text: &str) -> Document {
    Document::parse(text).unwrap()
}

fn only_if(precondition: Precondition) -> PutOptions {
    PutOptions {
        precondition,
        index: None,
        expires_at: None,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Runs only if the variable is set; otherwise the tests say so.
fn other_server() -> Option<String> {
    let endpoint = env::var(ENDPOINT_VARIABLE).ok();
    if endpoint.is_none() {
        eprintln!("skipped: `{ENDPOINT_VARIABLE}` names no server");
    }
    endpoint
}

#[test]
fn the_server_that_the_environment_names_passes_the_conformance_suite() {
    let Some(endpoint) = other_server() else {
        return;
    };
    for (name, _) in conformance::CASES {
        eprintln!("{name}");
        runtime().block_on(async {
            let engine = Engine::at(&endpoint).await;
            conformance::run(name, Arc::new(engine.store())).await;
            engine.remove().await;
        });
    }
}

fn assert_agrees(engine: Engine, steps: &[agreement::Step]) -> Result<(), TestCaseError> {
    let runtime = runtime();
    let (one, _) = runtime.block_on(agreement::play_on(Arc::new(MemoryStorage::new()), steps));
    let (other, _) = runtime.block_on(agreement::play_on(Arc::new(engine.store()), steps));
    runtime.block_on(engine.remove());
    agreement::assert_same(steps, &one, &other)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_dynamodb_agree(steps in agreement::steps_before_removal()) {
        assert_agrees(runtime().block_on(Engine::at(engine::shared())), &steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_the_server_that_the_environment_names_agree(steps in agreement::steps_before_removal()) {
        if let Some(endpoint) = other_server() {
            assert_agrees(runtime().block_on(Engine::at(&endpoint)), &steps)?;
        }
    }
}
