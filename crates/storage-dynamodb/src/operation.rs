//! The operations of DynamoDB's API that the store and the release channels call, and the permissions that they need. A check compares the
//! roles of the stack with this list, so that they allow nothing else.

/// An operation as the API names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // documented by DynamoDB
pub enum ApiOperation {
    BatchGetItem,
    DeleteItem,
    GetItem,
    PutItem,
    Query,
    /// For people who look into a store, with their own permissions; no host scans.
    Scan,
    TransactWriteItems,
}

impl ApiOperation {
    /// All operations that the store calls for guests and for itself. Creating and checking tables and scanning are not included: `host-cli
    /// table` and `host-cli store` do that with their user's own permissions.
    pub const ALL: [Self; 6] = [
        Self::BatchGetItem,
        Self::DeleteItem,
        Self::GetItem,
        Self::PutItem,
        Self::Query,
        Self::TransactWriteItems,
    ];

    /// For example `GetItem`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BatchGetItem => "BatchGetItem",
            Self::DeleteItem => "DeleteItem",
            Self::GetItem => "GetItem",
            Self::PutItem => "PutItem",
            Self::Query => "Query",
            Self::Scan => "Scan",
            Self::TransactWriteItems => "TransactWriteItems",
        }
    }

    /// IAM actions that allow it (AWS: "Actions, resources, and condition keys for Amazon DynamoDB"). A transaction needs those of its
    /// operations; ours put, delete and check.
    pub fn actions(self) -> &'static [&'static str] {
        match self {
            Self::BatchGetItem => &["dynamodb:BatchGetItem"],
            Self::DeleteItem => &["dynamodb:DeleteItem"],
            Self::GetItem => &["dynamodb:GetItem"],
            Self::PutItem => &["dynamodb:PutItem"],
            Self::Query => &["dynamodb:Query"],
            Self::Scan => &["dynamodb:Scan"],
            Self::TransactWriteItems => &[
                "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem",
                "dynamodb:PutItem",
            ],
        }
    }
}
