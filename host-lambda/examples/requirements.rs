//! Prints what the host needs of the stack around it, as JSON: `cargo xtask infra` compares the template with it.
//!
//! Names are linked from the code that uses them, so that neither can change alone. Which operations the store calls is held by a test;
//! which of them following and publishing need is written down here and in `TableChannels`, and tried by `cargo xtask e2e`.

use gateway::REST_BINARY_TYPES;
use release_aws::{S3Request, TableChannels};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use storage_dynamodb::{ApiOperation, layout};
use telemetry::Metric;

fn main() {
    println!("{:#}", requirements());
}

fn requirements() -> Value {
    let following = actions(&[ApiOperation::GetItem])
        .chain([S3Request::Get.action()])
        .collect::<BTreeSet<_>>();
    let publishing = actions(&TableChannels::OPERATIONS)
        .chain(S3Request::ALL.map(S3Request::action))
        .collect::<BTreeSet<_>>();
    json!({
        // Environment variables that the host reads of its own.
        "variables": host_lambda::VARIABLES,
        "metrics": { "names": Metric::ALL.map(Metric::name), "dimension": telemetry::DIMENSION },
        // Media types that the REST API has to have as binary ones.
        "binary_types": REST_BINARY_TYPES,
        "table": {
            "key": [layout::PARTITION, layout::SORT],
            "index": layout::INDEX,
            "index_key": [layout::INDEX_PARTITION, layout::INDEX_SORT],
            "expiry": layout::EXPIRY,
        },
        // Partitions that belong to the host, and to no guest's namespace.
        "partitions": { "facts": layout::HOST_PARTITION, "tokens": layout::TOKEN_PARTITION, "channels": TableChannels::PARTITION },
        // What the host calls of DynamoDB in requests of guests; the template's alarms watch each.
        "operations": ApiOperation::ALL.map(ApiOperation::name),
        // IAM actions: of a host, of one that follows a channel besides, and of a publisher.
        "actions": {
            "storing": actions(&ApiOperation::ALL).collect::<BTreeSet<_>>(),
            "following": following,
            "publishing": publishing,
        },
    })
}

fn actions(operations: &[ApiOperation]) -> impl Iterator<Item = &'static str> {
    operations
        .iter()
        .flat_map(|operation| operation.actions())
        .copied()
}
