//! The table itself: creating it, and checking that an existing one has what the store needs. A table with another layout is never changed.

use super::{
    client::DynamoDbOptions,
    error_class::chain_words,
    layout::{EXPIRY, INDEX, INDEX_PARTITION, INDEX_SORT, PARTITION, SORT},
};
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, GlobalSecondaryIndexDescription,
        KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
        TableDescription, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
    },
};
use std::{error::Error, fmt, time::Duration};
use tokio::time::{Instant, sleep};

/// Time limit for a response about a whole table, which may take longer than one about an item.
const ANSWER_DURATION_MAX: Duration = Duration::from_secs(30);
/// How long a new table may take to become usable.
const CREATION_DURATION_MAX: Duration = Duration::from_secs(180);
/// How often to check whether it has.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// What [`create`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The table was created.
    Made,
    /// The table existed without its expiry setting, which is now enabled.
    ExpirySwitchedOn,
    /// The table existed and is valid.
    WasThere,
}

/// The table cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// No table has this name.
    #[error("table `{0}` does not exist")]
    Missing(String),
    /// The table has another layout.
    #[error(
        "table `{table}` differs from what the store needs: {}",
        joined(differences)
    )]
    Differs {
        /// Its name.
        table: String,
        /// Each part that differs.
        differences: Vec<Difference>,
    },
    /// It did not become usable in time.
    #[error("table `{0}` is not ready after {seconds} s", seconds = CREATION_DURATION_MAX.as_secs())]
    NotReady(String),
    /// The endpoint does not answer.
    #[error("failed to {action} table `{table}` {place}: {words}")]
    Unreachable {
        /// The operation that was tried.
        action: &'static str,
        /// The table's name.
        table: String,
        /// `at ENDPOINT`, or `in REGION`.
        place: String,
        /// The error of the connection.
        words: String,
    },
    /// DynamoDB refused the request.
    #[error("failed to {action} table `{table}`: {words}")]
    Refused {
        /// The operation that was tried.
        action: &'static str,
        /// The table's name.
        table: String,
        /// DynamoDB's own words.
        words: String,
    },
}

/// One part of a table that differs from what the store needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The part.
    pub part: &'static str,
    /// The required value.
    pub expected: String,
    /// The actual value.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            part,
            expected,
            found,
        } = self;
        write!(formatter, "{part} is {found}, but must be {expected}")
    }
}

fn joined(differences: &[Difference]) -> String {
    let texts: Vec<String> = differences.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// Creates the table with its index and its expiry setting, and waits until it can be used. An existing table only gets the expiry setting,
/// and only if everything else is valid.
pub async fn create(options: &DynamoDbOptions) -> Result<Created, TableError> {
    let admin = Admin::new(options);
    match admin.differences().await {
        Ok((table, expiry)) => {
            admin.refuse(table)?;
            match expiry {
                None => Ok(Created::WasThere),
                Some(difference) if difference.found == NO_EXPIRY => {
                    admin.switch_expiry_on().await?;
                    Ok(Created::ExpirySwitchedOn)
                }
                Some(difference) => Err(admin.differs(vec![difference])),
            }
        }
        Err(TableError::Missing(_)) => {
            admin.create_table().await?;
            admin.wait_until_active().await?;
            admin.switch_expiry_on().await?;
            Ok(Created::Made)
        }
        Err(error) => Err(error),
    }
}

/// Creates a table for tests whose clocks differ from the server's.
#[cfg(test)]
pub(super) async fn create_without_expiry(options: &DynamoDbOptions) -> Result<(), TableError> {
    let admin = Admin::new(options);
    admin.create_table().await?;
    admin.wait_until_active().await
}

/// Checks whether the table has what the store needs, and returns the differences.
pub async fn check(options: &DynamoDbOptions) -> Result<(), TableError> {
    let admin = Admin::new(options);
    let (mut differences, expiry) = admin.differences().await?;
    differences.extend(expiry);
    admin.refuse(differences)
}

const NO_EXPIRY: &str = "off";

struct Admin {
    client: Client,
    table: String,
    /// `at ENDPOINT`, or `in REGION`.
    place: String,
}

impl Admin {
    fn new(options: &DynamoDbOptions) -> Self {
        Self {
            client: options.client_with(ANSWER_DURATION_MAX),
            table: options.table.clone(),
            place: match &options.endpoint {
                Some(endpoint) => format!("at {endpoint}"),
                None => format!("in {}", options.region),
            },
        }
    }

    fn differs(&self, differences: Vec<Difference>) -> TableError {
        TableError::Differs {
            table: self.table.clone(),
            differences,
        }
    }

    fn refuse(&self, differences: Vec<Difference>) -> Result<(), TableError> {
        if differences.is_empty() {
            Ok(())
        } else {
            Err(self.differs(differences))
        }
    }

    fn refused<E, R>(&self, action: &'static str, error: SdkError<E, R>) -> TableError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        if error.code() == Some("ResourceNotFoundException") {
            return TableError::Missing(self.table.clone());
        }
        let words = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            (None, _) => chain_words(&error),
        };
        if matches!(
            error,
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)
        ) {
            return TableError::Unreachable {
                action,
                table: self.table.clone(),
                place: self.place.clone(),
                words,
            };
        }
        TableError::Refused {
            action,
            table: self.table.clone(),
            words,
        }
    }

    async fn describe(&self) -> Result<TableDescription, TableError> {
        self.client
            .describe_table()
            .table_name(&self.table)
            .send()
            .await
            .map_err(|error| self.refused("look at", error))?
            .table
            .ok_or_else(|| TableError::Missing(self.table.clone()))
    }

    /// Differences of the table, and of its expiry setting.
    async fn differences(&self) -> Result<(Vec<Difference>, Option<Difference>), TableError> {
        let table = differences(&self.describe().await?);
        let expiry = self
            .client
            .describe_time_to_live()
            .table_name(&self.table)
            .send()
            .await
            .map_err(|error| self.refused("check the expiry setting of", error))?
            .time_to_live_description;
        let attribute = expiry.as_ref().and_then(|expiry| expiry.attribute_name());
        let is_on = expiry
            .as_ref()
            .and_then(|expiry| expiry.time_to_live_status())
            .is_some_and(|status| {
                matches!(
                    status,
                    TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling
                )
            });
        let found = match attribute {
            Some(attribute) if is_on => format!("on attribute `{attribute}`"),
            Some(_) | None => NO_EXPIRY.to_owned(),
        };
        Ok((
            table,
            difference("expiry (TTL)", format!("on attribute `{EXPIRY}`"), found),
        ))
    }

    async fn create_table(&self) -> Result<(), TableError> {
        let defect = |error: aws_sdk_dynamodb::error::BuildError| TableError::Refused {
            action: "create",
            table: self.table.clone(),
            words: error.to_string(),
        };
        let mut request = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest);
        for name in [PARTITION, SORT, INDEX_PARTITION, INDEX_SORT] {
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S);
            request = request.attribute_definitions(attribute.build().map_err(defect)?);
        }
        let key = |name: &str, kind: KeyType| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
                .map_err(defect)
        };
        let index = GlobalSecondaryIndex::builder()
            .index_name(INDEX)
            .key_schema(key(INDEX_PARTITION, KeyType::Hash)?)
            .key_schema(key(INDEX_SORT, KeyType::Range)?)
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::All)
                    .build(),
            )
            .build()
            .map_err(defect)?;
        request
            .key_schema(key(PARTITION, KeyType::Hash)?)
            .key_schema(key(SORT, KeyType::Range)?)
            .global_secondary_indexes(index)
            .send()
            .await
            .map_err(|error| self.refused("create", error))?;
        Ok(())
    }

    async fn wait_until_active(&self) -> Result<(), TableError> {
        let started = Instant::now();
        loop {
            match self.describe().await {
                Ok(table) if table.table_status() == Some(&TableStatus::Active) => return Ok(()),
                // Right after its creation, not every server of DynamoDB knows a table.
                Ok(_) | Err(TableError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
            if started.elapsed() >= CREATION_DURATION_MAX {
                return Err(TableError::NotReady(self.table.clone()));
            }
            sleep(LOOK_INTERVAL).await;
        }
    }

    async fn switch_expiry_on(&self) -> Result<(), TableError> {
        let specification = TimeToLiveSpecification::builder()
            .enabled(true)
            .attribute_name(EXPIRY)
            .build()
            .map_err(|error| TableError::Refused {
                action: "enable the expiry setting of",
                table: self.table.clone(),
                words: error.to_string(),
            })?;
        self.client
            .update_time_to_live()
            .table_name(&self.table)
            .time_to_live_specification(specification)
            .send()
            .await
            .map_err(|error| self.refused("enable the expiry setting of", error))?;
        Ok(())
    }
}

fn difference(part: &'static str, expected: String, found: String) -> Option<Difference> {
    (expected != found).then_some(Difference {
        part,
        expected,
        found,
    })
}

/// All differences except the expiry setting, which another request returns.
fn differences(table: &TableDescription) -> Vec<Difference> {
    let types = table.attribute_definitions();
    let index = table
        .global_secondary_indexes()
        .iter()
        .find(|index| index.index_name() == Some(INDEX));
    let index_keys = match index {
        Some(index) => shown_keys(index.key_schema(), types),
        None => "missing".to_owned(),
    };
    let projection = index.map(shown_projection);
    [
        difference(
            "the key",
            shown_keys_of([PARTITION, SORT]),
            shown_keys(table.key_schema(), types),
        ),
        difference(
            "index `index`",
            shown_keys_of([INDEX_PARTITION, INDEX_SORT]),
            index_keys,
        ),
        projection.and_then(|found| {
            difference(
                "the projection of index `index`",
                ProjectionType::All.as_str().to_owned(),
                found,
            )
        }),
        local_indexes(table),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Local indexes limit the size of a partition.
fn local_indexes(table: &TableDescription) -> Option<Difference> {
    let count = table.local_secondary_indexes().len();
    difference(
        "the number of local secondary indexes",
        "0".to_owned(),
        count.to_string(),
    )
}

fn shown_keys_of([hash, range]: [&str; 2]) -> String {
    format!("`{hash}` (HASH, S), `{range}` (RANGE, S)")
}

fn shown_keys(keys: &[KeySchemaElement], types: &[AttributeDefinition]) -> String {
    let shown: Vec<String> = keys
        .iter()
        .map(|key| {
            let name = key.attribute_name();
            let kind = types
                .iter()
                .find(|definition| definition.attribute_name() == name)
                .map_or("of unknown type", |definition| {
                    definition.attribute_type().as_str()
                });
            format!("`{name}` ({}, {kind})", key.key_type().as_str())
        })
        .collect();
    shown.join(", ")
}

fn shown_projection(index: &GlobalSecondaryIndexDescription) -> String {
    index
        .projection()
        .and_then(Projection::projection_type)
        .map_or("unknown", ProjectionType::as_str)
        .to_owned()
}
