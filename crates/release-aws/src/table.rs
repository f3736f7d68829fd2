//! Channels in the DynamoDB table, in the host's own partition, which guests cannot reach: the current document under the channel's name,
//! earlier ones under `NAME#GENERATION`.

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::put_item::PutItemError,
    types::AttributeValue,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use release::{ChannelName, ChannelStore, FlipError, StoreError};
use std::{collections::HashMap, time::Duration};
use storage_dynamodb::{ApiOperation, DynamoDbOptions, error_class, layout};
use tokio::time::timeout;

/// The signed document, as text.
const DOCUMENT: &str = "document";
/// Its generation, as a number, which is the condition of a change.
const GENERATION: &str = "generation";
/// Time limit for one request to the table.
const REQUEST_DURATION_MAX: Duration = Duration::from_secs(5);

/// Channels in a table.
pub struct TableChannels {
    client: Client,
    table: String,
    /// For messages.
    place: String,
}

impl TableChannels {
    /// The partition of channels. Guests' partitions begin with their namespace, which is never empty.
    pub const PARTITION: &str = "#channel";
    /// The operations of DynamoDB's API that reading and writing channels call.
    pub const OPERATIONS: [ApiOperation; 3] = [
        ApiOperation::GetItem,
        ApiOperation::PutItem,
        ApiOperation::Query,
    ];

    /// Channels in the table that the options name. Nothing is sent yet.
    pub fn new(options: &DynamoDbOptions) -> Self {
        Self {
            client: options.client(),
            table: options.table.clone(),
            place: match &options.endpoint {
                Some(endpoint) => format!("table {} at {endpoint}", options.table),
                None => format!("table {} in {}", options.table, options.region),
            },
        }
    }

    fn item(sort: String, generation: u64, document: &str) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (
                layout::PARTITION.to_owned(),
                AttributeValue::S(Self::PARTITION.to_owned()),
            ),
            (layout::SORT.to_owned(), AttributeValue::S(sort)),
            (
                GENERATION.to_owned(),
                AttributeValue::N(generation.to_string()),
            ),
            (DOCUMENT.to_owned(), AttributeValue::S(document.to_owned())),
        ])
    }

    async fn read_item(&self, channel: &ChannelName) -> Result<Option<(u64, String)>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(
                layout::PARTITION,
                AttributeValue::S(Self::PARTITION.to_owned()),
            )
            .key(layout::SORT, AttributeValue::S(channel.to_string()))
            // An eventual read could return the previous generation, which would look like an attack.
            .consistent_read(true)
            .send();
        let output = self.answered("read", request).await?;
        output.item.map(|item| self.parts(&item)).transpose()
    }

    fn parts(&self, item: &HashMap<String, AttributeValue>) -> Result<(u64, String), StoreError> {
        let document = item.get(DOCUMENT).and_then(|value| value.as_s().ok());
        let generation = item
            .get(GENERATION)
            .and_then(|value| value.as_n().ok()?.parse().ok());
        document.cloned().zip(generation).map_or_else(
            || {
                let words = "an item in `#channel` holds no document";
                Err(StoreError::Refused(self.message("read", words)))
            },
            |(document, generation)| Ok((generation, document)),
        )
    }

    async fn answered<T, E>(
        &self,
        action: &str,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, StoreError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match timeout(REQUEST_DURATION_MAX, request).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(self.failed(action, error)),
            Err(_) => Err(self.unavailable(action, &no_answer())),
        }
    }

    fn failed<E>(&self, action: &str, error: SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match error_class::described(error) {
            (true, words) => self.unavailable(action, &words),
            (false, words) => StoreError::Refused(self.message(action, &words)),
        }
    }

    fn unavailable(&self, action: &str, words: &str) -> StoreError {
        StoreError::Unavailable(self.message(action, words))
    }

    fn message(&self, action: &str, words: &str) -> String {
        format!("failed to {action} channels in {}: {words}", self.place)
    }
}

fn no_answer() -> String {
    format!("no answer in {} s", REQUEST_DURATION_MAX.as_secs())
}

/// Generations have 20 digits, so that sort keys are ordered.
fn past(channel: &ChannelName, generation: u64) -> String {
    format!("{channel}#{generation:020}")
}

#[async_trait::async_trait]
impl ChannelStore for TableChannels {
    async fn read(&self, channel: &ChannelName) -> Result<Option<String>, StoreError> {
        Ok(self.read_item(channel).await?.map(|(_, document)| document))
    }

    async fn flip(
        &self,
        channel: &ChannelName,
        expected: u64,
        generation: u64,
        document: &str,
    ) -> Result<(), FlipError> {
        let lost = FlipError::Lost { expected };
        match self.read_item(channel).await? {
            Some((present, _)) if present != expected => return Err(lost),
            None if expected != 0 => return Err(lost),
            None => {}
            Some((_, replaced)) => {
                // Written first, so that a crash after it has changed nothing. Writing it twice gives the same result.
                let request = self
                    .client
                    .put_item()
                    .table_name(&self.table)
                    .set_item(Some(Self::item(
                        past(channel, expected),
                        expected,
                        &replaced,
                    )))
                    .send();
                self.answered("write", request).await?;
            }
        }
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Self::item(channel.to_string(), generation, document)));
        let request = if expected == 0 {
            request.condition_expression("attribute_not_exists(pk)")
        } else {
            request
                .condition_expression("#generation = :expected")
                .expression_attribute_names("#generation", GENERATION)
                .expression_attribute_values(":expected", AttributeValue::N(expected.to_string()))
        };
        match timeout(REQUEST_DURATION_MAX, request.send()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(SdkError::ServiceError(error)))
                if matches!(
                    error.err(),
                    PutItemError::ConditionalCheckFailedException(_)
                ) =>
            {
                Err(lost)
            }
            Ok(Err(error)) => Err(self.failed("write", error).into()),
            Err(_) => {
                let words = format!("{}: check whether it has changed", no_answer());
                Err(self.unavailable("write", &words).into())
            }
        }
    }

    async fn history(
        &self,
        channel: &ChannelName,
        count: usize,
    ) -> Result<Vec<String>, StoreError> {
        let Some((present, document)) = self.read_item(channel).await? else {
            return Ok(Vec::new());
        };
        let mut documents = vec![document];
        let mut start = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
                .expression_attribute_values(":pk", AttributeValue::S(Self::PARTITION.to_owned()))
                .expression_attribute_values(":first", AttributeValue::S(past(channel, 0)))
                // A change that was interrupted between the two writes left the current document among the earlier ones.
                .expression_attribute_values(
                    ":last",
                    AttributeValue::S(past(channel, present.saturating_sub(1))),
                )
                .scan_index_forward(false)
                .set_exclusive_start_key(start.take())
                .send();
            let output = self.answered("read", request).await?;
            for item in output.items.unwrap_or_default() {
                if documents.len() >= count {
                    return Ok(documents);
                }
                documents.push(self.parts(&item)?.1);
            }
            start = output.last_evaluated_key.filter(|last| !last.is_empty());
            if start.is_none() {
                return Ok(documents);
            }
        }
    }

    fn describe(&self) -> String {
        self.place.clone()
    }
}

#[cfg(test)]
mod tests;
