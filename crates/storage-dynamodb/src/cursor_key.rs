//! The key that seals cursors. All hosts that share the table share it; the first of them creates it, and the table stores it.

use super::{
    ApiOperation, DynamoDbStorage,
    error_class::judge,
    layout::{self, Attributes},
    retry::{Answer, Effect, Retry},
    unexpected,
};
use aws_sdk_dynamodb::{
    operation::put_item::PutItemError, primitives::Blob, types::AttributeValue,
    types::ReturnValuesOnConditionCheckFailure,
};
use contract::seed::Seed;
use std::time::Instant;
use storage::{Call, CursorKey, Key, StorageError};

const SORT: &str = "cursor-key";
const KEY: &str = "key";

/// The table could not be used at start; described for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to use table `{table}`: {error}{}", after_colon(faults))]
pub struct CursorKeyError {
    /// The table's name.
    pub table: String,
    /// The error, as a guest would see it.
    pub error: StorageError,
    /// The store's own words.
    pub faults: Vec<String>,
}

fn after_colon(faults: &[String]) -> String {
    faults
        .last()
        .map_or(String::new(), |fault| format!(": {fault}"))
}

impl DynamoDbStorage {
    /// The key that seals this table's cursors. Reads it, which opens the connection that the first request will use, and creates it if it
    /// does not exist.
    pub async fn cursor_key(&self, deadline: Option<Instant>) -> Result<CursorKey, CursorKeyError> {
        // The time and seed of this call do not matter.
        let call = Call::new(0, &Seed::new([0; 32]), deadline);
        match self.read_or_make_cursor_key(&call).await {
            Ok(key) => Ok(CursorKey::new(key)),
            Err(error) => Err(CursorKeyError {
                table: self.table.clone(),
                error,
                faults: call.into_report().faults,
            }),
        }
    }

    async fn read_or_make_cursor_key(&self, call: &Call) -> Result<[u8; 32], StorageError> {
        let key = layout::key_attributes(&Key {
            partition: layout::HOST_PARTITION.to_owned(),
            sort: SORT.to_owned(),
        });
        let mut retry = Retry::new(call, ApiOperation::GetItem, Effect::Read);
        let send = || {
            self.client
                .get_item()
                .table_name(&self.table)
                .set_key(Some(key.clone()))
                .consistent_read(true)
                .send()
        };
        let item = match retry.run(judge, send).await? {
            Answer::Done(output) => output.item,
            Answer::TooLarge => return Err(retry.give_up_on_answer()),
            Answer::Refused(error) => return Err(unexpected(&retry, &error)),
        };
        match item {
            Some(item) => read(&retry, &item),
            None => self.make_cursor_key(call, key).await,
        }
    }

    /// Creates the key, unless another host was faster.
    async fn make_cursor_key(
        &self,
        call: &Call,
        mut attributes: Attributes,
    ) -> Result<[u8; 32], StorageError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| StorageError::Internal)?;
        attributes.insert(KEY.to_owned(), AttributeValue::B(Blob::new(bytes)));
        let mut retry = Retry::new(call, ApiOperation::PutItem, Effect::WriteOnce);
        let send = || {
            self.client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(attributes.clone()))
                .condition_expression("attribute_not_exists(pk)")
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .send()
        };
        match retry.run(judge, send).await? {
            Answer::Done(_) => Ok(bytes),
            Answer::TooLarge => Err(retry.give_up_on_answer()),
            Answer::Refused(PutItemError::ConditionalCheckFailedException(lost)) => {
                read(&retry, &lost.item.unwrap_or_default())
            }
            Answer::Refused(error) => Err(unexpected(&retry, &error)),
        }
    }
}

fn read(retry: &Retry<'_>, item: &Attributes) -> Result<[u8; 32], StorageError> {
    let bytes = match item.get(KEY) {
        Some(AttributeValue::B(blob)) => blob.as_ref().try_into().ok(),
        _ => None,
    };
    bytes.ok_or_else(|| {
        retry.fault("the item `#tenon` / `cursor-key` does not hold 32 bytes");
        StorageError::Misconfigured
    })
}
