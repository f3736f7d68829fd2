//! The contents of the table in parts, for a person with permissions of their own: a scan. A host never does this for a guest.

use super::{
    ApiOperation, DynamoDbStorage, charge,
    error_class::judge,
    layout::{self, Attributes, PARTITION, text},
    retry::{Answer, Effect, Retry, traced},
    unexpected, unreadable,
};
use aws_sdk_dynamodb::{
    error::SdkError, operation::scan::ScanOutput, types::ReturnConsumedCapacity,
};
use storage::{Call, Contents, Entry, Namespace, Part, Position, StorageError};

/// Items that a scan reads at once, before those of other namespaces are left out. DynamoDB itself stops at 1 MB.
const SCANNED_ITEMS_MAX: i32 = 1000;

#[async_trait::async_trait]
impl Contents for DynamoDbStorage {
    async fn stored_part(
        &self,
        call: &Call,
        prefix: &str,
        after: Option<&Position>,
    ) -> Result<Part, StorageError> {
        let mut retry = Retry::new(call, ApiOperation::Scan, Effect::Read);
        let send = || {
            let request = self
                .client
                .scan()
                .table_name(&self.table)
                .filter_expression(format!("begins_with({PARTITION}, :prefix)"))
                .expression_attribute_values(":prefix", text(prefix))
                .set_exclusive_start_key(after.map(|Position(key)| layout::key_attributes(key)))
                .consistent_read(true)
                .limit(SCANNED_ITEMS_MAX)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            traced(call, request.customize()).send()
        };
        let output: ScanOutput = match retry.run(judge, send).await? {
            Answer::Done(output) => output,
            Answer::TooLarge => return Err(retry.give_up_on_answer()),
            Answer::Refused(error) => return Err(unexpected(&retry, &error)),
        };
        charge(call, output.consumed_capacity);
        let read = |attributes: Attributes| {
            layout::entry(attributes).map_err(|error| unreadable(&retry, &error))
        };
        let entries: Vec<Entry> = output
            .items
            .into_iter()
            .flatten()
            .map(read)
            .collect::<Result<_, _>>()?;
        let next = output.last_evaluated_key.filter(|last| !last.is_empty());
        Ok(Part {
            entries: entries
                .into_iter()
                .filter(|entry| !call.is_expired(entry.item.expires_at))
                .collect(),
            next: next
                .map(|mut last| layout::key(&mut last).map(Position))
                .transpose()
                .map_err(|error| unreadable(&retry, &error))?,
        })
    }

    /// Each namespace could be anywhere in the table, and reading all of it is charged.
    async fn namespaces(
        &self,
        _call: &Call,
        _namespaces_max: usize,
    ) -> Result<Option<Vec<Namespace>>, StorageError> {
        Ok(None)
    }

    async fn store_entries(&self, call: &Call, entries: Vec<Entry>) -> Result<(), StorageError> {
        for Entry { key, item } in entries {
            // The same item again is the same state, so an unknown outcome may be repeated.
            let mut retry = Retry::new(call, ApiOperation::PutItem, Effect::WriteOnce);
            let send = || async {
                let attributes =
                    layout::item_attributes(&key, &item).map_err(SdkError::construction_failure)?;
                let request = self
                    .client
                    .put_item()
                    .table_name(&self.table)
                    .set_item(Some(attributes))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                traced(call, request.customize()).send().await
            };
            match retry.run(judge, send).await? {
                Answer::Done(output) => charge(call, output.consumed_capacity),
                Answer::TooLarge => return Err(retry.give_up_on_answer()),
                Answer::Refused(error) => return Err(unexpected(&retry, &error)),
            }
        }
        Ok(())
    }
}
