//! A DynamoDB table as named on the command line: its name, server and credentials.

use crate::{
    aws::{self, Service},
    exit::CommandError,
};
use contract::origin::Origin;
use std::{
    fmt,
    time::{Duration, Instant},
};
use storage::{CursorKey, Namespace, StorageError};
use storage_dynamodb::{CursorKeyError, DynamoDbOptions, DynamoDbStorage};

/// How long the start may take to find out whether the table is usable.
const OPENING_DURATION_MAX: Duration = Duration::from_secs(10);
/// Length of a table's name, or of its ARN (AWS: DynamoDB naming rules).
const NAME_BYTES_MAX: usize = 1024;

/// `TABLE[@ENDPOINT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    table: String,
    endpoint: Option<String>,
}

impl TableSpec {
    /// Parses a table's name or ARN, and the server's address if it is not AWS's own.
    pub fn resolve(text: &str) -> Result<Self, CommandError> {
        let (table, endpoint) = match text.split_once('@') {
            Some((table, endpoint)) => (table, Some(endpoint)),
            None => (text, None),
        };
        let is_allowed = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/')
        };
        if !(3..=NAME_BYTES_MAX).contains(&table.len()) || !table.bytes().all(is_allowed) {
            return Err(
                CommandError::usage(format_args!("`{table}` is not the name of a table"))
                    .hint("a name has at least 3 letters, digits, `_`, `-` and `.`, as in `items`"),
            );
        }
        if let Some(endpoint) = endpoint {
            Origin::split(endpoint).map_err(|error| {
                CommandError::usage(format_args!(
                    "`{endpoint}` is not the address of a server: it {error}"
                ))
                .hint("write an address with its scheme after the table, as in `items@http://127.0.0.1:8000`")
            })?;
        }
        Ok(Self {
            table: table.to_owned(),
            endpoint: endpoint.map(str::to_owned),
        })
    }

    /// Parses `TABLE[#NAMESPACE][@ENDPOINT]`. The default namespace is the local one, so that nobody changes a deployed guest's data by
    /// accident.
    pub fn resolve_part(text: &str) -> Result<(Self, Namespace), CommandError> {
        let (name, server) = text.split_at(text.find('@').unwrap_or(text.len()));
        let Some((table, namespace)) = name.split_once('#') else {
            return Ok((Self::resolve(text)?, Namespace::local()));
        };
        let namespace = namespace.parse().map_err(|error| {
            CommandError::usage(error)
                .hint("write the namespace after the table, as in `items#default`")
        })?;
        Ok((Self::resolve(&format!("{table}{server}"))?, namespace))
    }

    /// How to reach the table.
    pub async fn options(&self) -> Result<DynamoDbOptions, CommandError> {
        let what = format!("table `{}`", self.table);
        let access = aws::access(&what, Service::DynamoDb, self.endpoint.as_deref()).await?;
        Ok(DynamoDbOptions {
            table: self.table.clone(),
            region: access.region,
            endpoint: access.endpoint,
            credentials: access.credentials,
        })
    }

    /// Opens the store in the table, with its cursor key.
    pub async fn open(&self) -> Result<(DynamoDbStorage, CursorKey), CommandError> {
        let store = DynamoDbStorage::new(&self.options().await?);
        let deadline = Instant::now() + OPENING_DURATION_MAX;
        let cursor_key = store
            .cursor_key(Some(deadline))
            .await
            .map_err(|error| self.cannot_open(&error))?;
        Ok((store, cursor_key))
    }

    /// What to do if the server does not answer.
    pub fn unreachable_hint(&self) -> String {
        let table = &self.table;
        match &self.endpoint {
            Some(endpoint) => format!(
                "start the server at {endpoint}, or name another one after the table: `{table}@http://127.0.0.1:8000`"
            ),
            None => format!(
                "check the network and `AWS_REGION`, or name a server of your own after the table: `{table}@http://127.0.0.1:8000`"
            ),
        }
    }

    fn cannot_open(&self, error: &CursorKeyError) -> CommandError {
        let failure = CommandError::environment(error);
        match error.error {
            StorageError::Misconfigured => failure.hint(format_args!(
                "`host-cli table check {self}` shows details; `host-cli table create {self}` creates the table"
            )),
            StorageError::Unavailable | StorageError::OutcomeUnknown => {
                failure.hint(self.unreachable_hint())
            }
            StorageError::Throttled { .. } | StorageError::Conflict => failure.hint("try again later"),
            StorageError::Invalid(_) | StorageError::TooLarge(_) | StorageError::Internal => failure,
        }
    }
}

impl fmt::Display for TableSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.table)?;
        match &self.endpoint {
            Some(endpoint) => write!(formatter, "@{endpoint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_table_is_named_by_its_namespace() {
        for (text, table, namespace) in [
            ("items", "items", "local"),
            ("items#shop", "items", "shop"),
            ("items#shop@http://x#y", "items@http://x#y", "shop"),
            ("items@http://x", "items@http://x", "local"),
        ] {
            let (spec, found) = TableSpec::resolve_part(text).unwrap();
            assert_eq!(
                (spec.to_string().as_str(), found.to_string().as_str()),
                (table, namespace)
            );
        }
        for text in ["items#", "items#Shop", "#shop", "items#a#b"] {
            assert!(TableSpec::resolve_part(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tables_are_named_with_or_without_a_server() {
        let spec = |table: &str, endpoint: Option<&str>| TableSpec {
            table: table.to_owned(),
            endpoint: endpoint.map(str::to_owned),
        };
        let arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/items";
        for (text, expected) in [
            ("items", spec("items", None)),
            (
                "my.items_2@http://127.0.0.1:8000",
                spec("my.items_2", Some("http://127.0.0.1:8000")),
            ),
            (arn, spec(arn, None)),
        ] {
            let resolved = TableSpec::resolve(text).unwrap();
            assert_eq!(resolved, expected);
            assert_eq!(resolved.to_string(), text);
        }
        for text in [
            "",
            "ab",
            "a b c",
            "items@",
            "items@127.0.0.1:8000",
            "items@http://",
            "@http://x",
        ] {
            assert!(TableSpec::resolve(text).is_err(), "{text}");
        }
    }
}
