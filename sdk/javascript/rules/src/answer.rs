//! Results in the shapes in which a component in JavaScript has them: `null` for what is not there, `{tag, val}` for variants.

use serde::Serialize;
use storage::{
    DeleteOutcome, Item, Key, Page, PutOutcome, StorageError, StorageResponse, TransactOutcome,
};

/// What a call returns.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Ok(Value),
    Error(Variant),
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Value {
    Text(String),
    Item(Option<FoundItem>),
    Items(Vec<Option<FoundItem>>),
    Page(FoundPage),
    Outcome(Variant),
}

/// A variant with its value, if it has one.
#[derive(Serialize)]
pub struct Variant {
    tag: &'static str,
    #[serde(skip_serializing_if = "Content::is_nothing")]
    val: Content,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content {
    Nothing,
    Text(String),
    Number(Option<u64>),
    Revisions(Vec<Option<String>>),
    Item(Option<FoundItem>),
    Failed {
        position: u32,
        item: Option<FoundItem>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundItem {
    document: String,
    revision: String,
    index: Option<FoundKey>,
    expires_at: Option<u64>,
}

#[derive(Serialize)]
struct FoundKey {
    partition: String,
    sort: String,
}

#[derive(Serialize)]
pub struct FoundPage {
    entries: Vec<FoundEntry>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct FoundEntry {
    key: FoundKey,
    item: FoundItem,
}

impl Content {
    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl Answer {
    /// Not by `From`, because a text is a value, too.
    pub fn text(text: String) -> Self {
        Self::Ok(Value::Text(text))
    }
}

impl From<Result<StorageResponse, StorageError>> for Answer {
    fn from(result: Result<StorageResponse, StorageError>) -> Self {
        match result {
            Ok(response) => Self::Ok(response.into()),
            Err(error) => Self::Error(error.into()),
        }
    }
}

impl From<StorageResponse> for Value {
    fn from(response: StorageResponse) -> Self {
        let failed = |found: Option<Item>| Variant {
            tag: "precondition-failed",
            val: Content::Item(found.map(FoundItem::from)),
        };
        let done = |val| Variant { tag: "done", val };
        match response {
            StorageResponse::Get(item) => Self::Item(item.map(FoundItem::from)),
            StorageResponse::GetMany(items) => Self::Items(
                items
                    .into_iter()
                    .map(|item| item.map(FoundItem::from))
                    .collect(),
            ),
            StorageResponse::Put(PutOutcome::Done(revision)) => {
                Self::Outcome(done(Content::Text(revision.into())))
            }
            StorageResponse::Delete(DeleteOutcome::Done) => Self::Outcome(done(Content::Nothing)),
            StorageResponse::Put(PutOutcome::PreconditionFailed(found))
            | StorageResponse::Delete(DeleteOutcome::PreconditionFailed(found)) => {
                Self::Outcome(failed(found))
            }
            StorageResponse::Query(page) | StorageResponse::QueryIndex(page) => {
                Self::Page(page.into())
            }
            StorageResponse::Transact(TransactOutcome::Done(revisions)) => {
                let revisions = revisions.into_iter();
                Self::Outcome(done(Content::Revisions(
                    revisions
                        .map(|revision| revision.map(String::from))
                        .collect(),
                )))
            }
            StorageResponse::Transact(TransactOutcome::PreconditionFailed { position, item }) => {
                Self::Outcome(Variant {
                    tag: "precondition-failed",
                    val: Content::Failed {
                        position,
                        item: item.map(FoundItem::from),
                    },
                })
            }
        }
    }
}

impl From<StorageError> for Variant {
    fn from(error: StorageError) -> Self {
        let (tag, val) = match error {
            StorageError::Invalid(rule) => ("invalid", Content::Text(rule)),
            StorageError::TooLarge(limit) => ("too-large", Content::Text(limit)),
            StorageError::Throttled { retry_after_ms } => {
                ("throttled", Content::Number(retry_after_ms))
            }
            StorageError::Unavailable => ("unavailable", Content::Nothing),
            StorageError::Conflict => ("conflict", Content::Nothing),
            StorageError::OutcomeUnknown => ("outcome-unknown", Content::Nothing),
            StorageError::Misconfigured => ("misconfigured", Content::Nothing),
            StorageError::Internal => ("internal", Content::Nothing),
        };
        Self { tag, val }
    }
}

impl From<Item> for FoundItem {
    fn from(item: Item) -> Self {
        Self {
            document: item.document.as_str().to_owned(),
            revision: item.revision.into(),
            index: item.index.map(FoundKey::from),
            expires_at: item.expires_at,
        }
    }
}

impl From<Key> for FoundKey {
    fn from(key: Key) -> Self {
        Self {
            partition: key.partition,
            sort: key.sort,
        }
    }
}

impl From<Page> for FoundPage {
    fn from(page: Page) -> Self {
        let entries = page.entries.into_iter();
        Self {
            entries: entries
                .map(|entry| FoundEntry {
                    key: entry.key.into(),
                    item: entry.item.into(),
                })
                .collect(),
            cursor: page.cursor,
        }
    }
}
