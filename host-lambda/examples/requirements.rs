//! Prints what the host needs from its stack, as JSON, for the comparison with the template in `cargo xtask infra`.
//!
//! Names are linked from the code that uses them, so that neither can change alone. A test checks which operations the store calls; those
//! of following and publishing are listed here and in `TableChannels`, and `cargo xtask e2e` exercises them.

use gateway::REST_BINARY_TYPES;
use release_aws::{S3Request, TableChannels};
use secrets::AwsSources;
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
        // Environment variables of the host itself.
        "variables": host_lambda::variables().collect::<Vec<_>>(),
        "metrics": { "names": Metric::ALL.map(Metric::name), "dimension": telemetry::DIMENSION },
        // The binary media types that the REST API must have.
        "binary_types": REST_BINARY_TYPES,
        "table": {
            "key": [layout::PARTITION, layout::SORT],
            "index": layout::INDEX,
            "index_key": [layout::INDEX_PARTITION, layout::INDEX_SORT],
            "expiry": layout::EXPIRY,
        },
        // Partitions that belong to the host, and to no guest's namespace.
        "partitions": { "facts": layout::HOST_PARTITION, "tokens": layout::TOKEN_PARTITION, "channels": TableChannels::PARTITION },
        // The DynamoDB operations in requests of guests; the template's alarms watch each of them.
        "operations": ApiOperation::ALL.map(ApiOperation::name),
        // IAM actions: of a host, of a host that also follows a channel, of a publisher, and for reading secrets of guests.
        "actions": {
            "storing": actions(&ApiOperation::ALL).collect::<BTreeSet<_>>(),
            "following": following,
            "publishing": publishing,
            "parameters": AwsSources::PARAMETER_ACTIONS,
            "secrets": AwsSources::SECRET_ACTIONS,
        },
    })
}

fn actions(operations: &[ApiOperation]) -> impl Iterator<Item = &'static str> {
    operations
        .iter()
        .flat_map(|operation| operation.actions())
        .copied()
}
