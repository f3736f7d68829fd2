//! The store of the Lambda host: a DynamoDB table. One request for each operation, no read before a write, and no scan
//! for a guest.
//!
//! `layout` maps items to the table, `condition` writes preconditions as DynamoDB's expressions, [`error_class`] classifies failures, and
//! `retry` repeats what may be repeated within the request's deadline. [`table`] creates and checks tables.
//!
//! A write whose outcome is unknown is repeated only if it cannot happen twice: under a precondition that the first success would break, or,
//! in a transaction, under a token of DynamoDB's own. Revisions follow from the request's seed, so that a repeated write recognises itself.
//!
//! ```no_run
//! use storage_dynamodb::{Credentials, DynamoDbOptions, DynamoDbStorage, SharedCredentialsProvider, table};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let options = DynamoDbOptions {
//!     table: "items".to_owned(),
//!     region: "eu-central-1".to_owned(),
//!     endpoint: Some("http://127.0.0.1:8000".to_owned()),
//!     credentials: SharedCredentialsProvider::new(Credentials::new("local", "local", None, None, "local")),
//! };
//! table::create(&options).await?;
//! let store = DynamoDbStorage::new(&options);
//! # Ok(())
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod client;
mod condition;
mod contents;
mod cursor_key;
mod document;
pub mod error_class;
pub mod layout;
mod lazy_tenant;
mod malformed_item;
mod operation;
mod query;
mod response;
mod retry;
pub mod table;
mod transact;

pub use self::{
    client::DynamoDbOptions, cursor_key::CursorKeyError, lazy_tenant::LazyTenant,
    operation::ApiOperation,
};
use self::{
    condition::Condition,
    error_class::{ErrorClass, judge},
    layout::Attributes,
    malformed_item::MalformedItemError,
    retry::{Answer, Effect, Retry, traced},
};
pub use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    types::{
        ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity,
        ReturnValuesOnConditionCheckFailure,
    },
};
use std::{collections::HashMap, fmt};
use storage::{
    Call, Consistency, DeleteOutcome, Document, FoundText, Item, Key, Precondition, PutOptions,
    PutOutcome, Storage, StorageError, StorageRequest, StorageResponse, memory::new_item,
};

/// Documents in a DynamoDB table. Cheap to create; connects at the first call.
pub struct DynamoDbStorage {
    client: Client,
    table: String,
}

impl DynamoDbStorage {
    /// The store in the table that the options name. Nothing is sent yet.
    pub fn new(options: &DynamoDbOptions) -> Self {
        Self {
            client: options.client(),
            table: options.table.clone(),
        }
    }

    /// The item that prevented a write: from the response, or read afterwards, because some servers do not return it.
    async fn found(
        &self,
        call: &Call,
        key: &Key,
        told: Option<Attributes>,
    ) -> Result<Option<Attributes>, StorageError> {
        if told.is_some() {
            return Ok(told);
        }
        let mut retry = Retry::new(call, ApiOperation::GetItem, Effect::Read);
        self.read(&mut retry, key, Consistency::Strong).await
    }

    /// The attributes of an item.
    async fn read(
        &self,
        retry: &mut Retry<'_>,
        key: &Key,
        consistency: Consistency,
    ) -> Result<Option<Attributes>, StorageError> {
        let call = retry.call();
        let send = || {
            let request = self
                .client
                .get_item()
                .table_name(&self.table)
                .set_key(Some(layout::key_attributes(key)))
                .consistent_read(consistency == Consistency::Strong)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            traced(call, request.customize()).send()
        };
        match retry.run(judge, send).await? {
            Answer::Done(output) => {
                charge(call, output.consumed_capacity);
                Ok(output.item)
            }
            Answer::TooLarge => Err(retry.give_up_on_answer()),
            Answer::Refused(error) => Err(unexpected(retry, &error)),
        }
    }

    /// The items that exist and have not expired. DynamoDB returns up to 16 MB at once, which is more than a response may have here: in
    /// that case fewer keys are requested at a time, and each response is converted before the next one is read.
    async fn find_many(
        &self,
        call: &Call,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<HashMap<Key, Item>, StorageError> {
        let mut retry = Retry::new(call, ApiOperation::BatchGetItem, Effect::Read);
        let mut found = HashMap::with_capacity(keys.len());
        let mut text = FoundText::default();
        let mut wanted: Vec<Attributes> = keys.iter().map(layout::key_attributes).collect();
        let mut batch_keys_max = BATCH_KEYS_MAX;
        while !wanted.is_empty() {
            let later = wanted.split_off(wanted.len().min(batch_keys_max));
            let asked = wanted.len();
            let request = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(consistency == Consistency::Strong)
                .build()
                .map_err(|error| retry.give_up(ErrorClass::Defect, &error.to_string()))?;
            let send = || {
                let request = self
                    .client
                    .batch_get_item()
                    .request_items(&self.table, request.clone())
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                traced(call, request.customize()).send()
            };
            let output = match retry.run(judge, send).await? {
                Answer::Done(output) => output,
                Answer::TooLarge if asked > 1 => {
                    batch_keys_max = asked / 2;
                    wanted = request.keys;
                    wanted.extend(later);
                    retry.advance();
                    continue;
                }
                Answer::TooLarge => return Err(retry.give_up_on_answer()),
                Answer::Refused(error) => return Err(unexpected(&retry, &error)),
            };
            charge(call, output.consumed_capacity.unwrap_or_default());
            // Only one table was requested, by name or by ARN.
            let responses = output.responses.into_iter().flatten();
            for attributes in responses.flat_map(|(_, items)| items) {
                if let Some((key, item)) = keyed_item(&retry, attributes)? {
                    text.add(Some(&item))?;
                    found.insert(key, item);
                }
            }
            wanted = output
                .unprocessed_keys
                .into_iter()
                .flatten()
                .flat_map(|(_, left)| left.keys)
                .collect();
            let left = wanted.len();
            wanted.extend(later);
            if left == asked {
                retry
                    .wait(ErrorClass::Throttled, "no key of a batch was processed")
                    .await?;
            } else {
                retry.advance();
                call.report(|report| report.retries += u32::from(left > 0));
            }
        }
        Ok(found)
    }
}

impl fmt::Debug for DynamoDbStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DynamoDbStorage")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// Adds the consumed capacity to the request's report.
fn charge(call: &Call, consumed: impl IntoIterator<Item = ConsumedCapacity>) {
    let units: f64 = consumed
        .into_iter()
        .filter_map(|consumed| consumed.capacity_units)
        .sum();
    call.report(|report| report.capacity_units += units);
}

/// An item that a read returned.
fn readable(retry: &Retry<'_>, attributes: Attributes) -> Result<Item, StorageError> {
    layout::item(attributes).map_err(|error| unreadable(retry, &error))
}

/// An item of a batch with its key, unless it has expired.
fn keyed_item(
    retry: &Retry<'_>,
    mut attributes: Attributes,
) -> Result<Option<(Key, Item)>, StorageError> {
    let key = layout::key(&mut attributes).map_err(|error| unreadable(retry, &error))?;
    let item = readable(retry, attributes)?;
    Ok((!retry.call().is_expired(item.expires_at)).then_some((key, item)))
}

/// Another request wrote the existing item, or overwrote ours.
fn unreadable(retry: &Retry<'_>, error: &MalformedItemError) -> StorageError {
    retry.fault(&format!(
        "the stored data cannot be read as an item: {error}"
    ));
    StorageError::Internal
}

/// The error for an outcome that the operation cannot have.
fn unexpected(retry: &Retry<'_>, error: &impl ProvideErrorMetadata) -> StorageError {
    let code = error.code().unwrap_or("an error without a code");
    retry.give_up(ErrorClass::Defect, code)
}

/// An item that prevented a write, unless it has expired.
fn in_the_way(
    retry: &Retry<'_>,
    attributes: Option<Attributes>,
) -> Result<Option<Item>, StorageError> {
    let item = attributes
        .map(|attributes| readable(retry, attributes))
        .transpose()?;
    Ok(item.filter(|item| !retry.call().is_expired(item.expires_at)))
}

/// The error of a repeated write that either lost now, or won at first and was then overwritten; which of them is unknown.
fn lost_after_uncertainty(retry: &Retry<'_>) -> Result<(), StorageError> {
    if retry.is_uncertain {
        retry.fault("repeated after an unknown outcome, and found another state");
        return Err(StorageError::OutcomeUnknown);
    }
    Ok(())
}

#[async_trait::async_trait]
impl Storage for DynamoDbStorage {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        use StorageRequest as Request;
        use StorageResponse as Response;
        Ok(match request {
            Request::Get { key, consistency } => {
                Response::Get(self.find_item(call, &key, consistency).await?)
            }
            Request::GetMany { keys, consistency } => {
                Response::GetMany(self.find_items(call, &keys, consistency).await?)
            }
            Request::Put {
                key,
                document,
                options,
            } => Response::Put(self.put_item(call, &key, &document, &options).await?),
            Request::Delete { key, precondition } => {
                Response::Delete(self.delete_item(call, &key, &precondition).await?)
            }
            Request::Query {
                partition,
                consistency,
                options,
            } => {
                let page = self.query_partition(call, &partition, consistency, &options);
                Response::Query(page.await?)
            }
            Request::QueryIndex { partition, options } => {
                Response::QueryIndex(self.query_secondary(call, &partition, &options).await?)
            }
            Request::Transact { operations, token } => {
                let outcome = self.transact_all(call, &operations, token.as_deref());
                Response::Transact(outcome.await?)
            }
        })
    }
}

impl DynamoDbStorage {
    async fn find_item(
        &self,
        call: &Call,
        key: &Key,
        consistency: Consistency,
    ) -> Result<Option<Item>, StorageError> {
        let mut retry = Retry::new(call, ApiOperation::GetItem, Effect::Read);
        let found = self.read(&mut retry, key, consistency).await?;
        in_the_way(&retry, found)
    }

    async fn find_items(
        &self,
        call: &Call,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<Vec<Option<Item>>, StorageError> {
        let mut found = self.find_many(call, keys, consistency).await?;
        Ok(keys.iter().map(|key| found.remove(key)).collect())
    }

    async fn put_item(
        &self,
        call: &Call,
        key: &Key,
        document: &Document,
        options: &PutOptions,
    ) -> Result<PutOutcome, StorageError> {
        let revision = call.next_revision();
        let effect = Effect::of_write(&options.precondition);
        let mut retry = Retry::new(call, ApiOperation::PutItem, effect);
        retry.wait_for_others(&options.precondition).await;
        let item = new_item(document, options, revision.clone());
        // A tree of the document needs much memory: it is created for each attempt, and dropped once it is text.
        let send = || async {
            let attributes =
                layout::item_attributes(key, &item).map_err(SdkError::construction_failure)?;
            let mut request = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(attributes))
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            if let Some(condition) = Condition::of(&options.precondition, call) {
                request = request
                    .condition_expression(condition.expression)
                    .set_expression_attribute_values(Some(condition.values))
                    .return_values_on_condition_check_failure(
                        ReturnValuesOnConditionCheckFailure::AllOld,
                    );
            }
            traced(call, request.customize()).send().await
        };
        let there = match retry.run(judge, send).await? {
            Answer::Done(output) => {
                charge(call, output.consumed_capacity);
                return Ok(PutOutcome::Done(revision));
            }
            Answer::Refused(PutItemError::ConditionalCheckFailedException(lost)) => lost.item,
            Answer::TooLarge => return Err(retry.give_up_on_answer()),
            Answer::Refused(error) => return Err(unexpected(&retry, &error)),
        };
        call.count_lost_race(&options.precondition);
        let there = self.found(call, key, there).await?;
        if retry.is_uncertain && layout::has_revision(there.as_ref(), &revision) {
            return Ok(PutOutcome::Done(revision));
        }
        lost_after_uncertainty(&retry)?;
        Ok(PutOutcome::PreconditionFailed(in_the_way(&retry, there)?))
    }

    async fn delete_item(
        &self,
        call: &Call,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<DeleteOutcome, StorageError> {
        let effect = Effect::of_write(precondition);
        let mut retry = Retry::new(call, ApiOperation::DeleteItem, effect);
        retry.wait_for_others(precondition).await;
        let send = || {
            let mut request = self
                .client
                .delete_item()
                .table_name(&self.table)
                .set_key(Some(layout::key_attributes(key)))
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            if let Some(condition) = Condition::of(precondition, call) {
                request = request
                    .condition_expression(condition.expression)
                    .set_expression_attribute_values(Some(condition.values))
                    .return_values_on_condition_check_failure(
                        ReturnValuesOnConditionCheckFailure::AllOld,
                    );
            }
            traced(call, request.customize()).send()
        };
        let there = match retry.run(judge, send).await? {
            Answer::Done(output) => {
                charge(call, output.consumed_capacity);
                return Ok(DeleteOutcome::Done);
            }
            Answer::Refused(DeleteItemError::ConditionalCheckFailedException(lost)) => lost.item,
            Answer::TooLarge => return Err(retry.give_up_on_answer()),
            Answer::Refused(error) => return Err(unexpected(&retry, &error)),
        };
        call.count_lost_race(precondition);
        let there = self.found(call, key, there).await?;
        lost_after_uncertainty(&retry)?;
        Ok(DeleteOutcome::PreconditionFailed(in_the_way(
            &retry, there,
        )?))
    }
}

/// Keys in one request (AWS: BatchGetItem).
const BATCH_KEYS_MAX: usize = 100;

#[cfg(test)]
mod tests;
