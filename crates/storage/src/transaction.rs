//! Preconditions, and tokens of transactions: one rule for all backends that evaluate them themselves.

use super::{Item, Key, Operation, Precondition, PutOptions, Revision, StorageError};
use contract::limits::TOKEN_DURATION;
use sha2::{Digest, Sha256};

/// Whether `current`, which has not expired, satisfies the precondition.
pub fn holds(precondition: &Precondition, current: Option<&Item>) -> bool {
    match (precondition, current) {
        (Precondition::None, _)
        | (Precondition::Absent, None)
        | (Precondition::Present, Some(_)) => true,
        (Precondition::Revision(revision), Some(item)) => item.revision == *revision,
        (Precondition::Absent, Some(_))
        | (Precondition::Present | Precondition::Revision(_), None) => false,
    }
}

/// The first operation whose precondition does not hold, with the existing item. `read` returns items that have not expired.
pub fn first_failure<E>(
    operations: &[Operation],
    mut read: impl FnMut(&Key) -> Result<Option<Item>, E>,
) -> Result<Option<(u32, Option<Item>)>, E> {
    for (position, operation) in (0..).zip(operations) {
        let item = read(operation.key())?;
        if !holds(operation.precondition(), item.as_ref()) {
            return Ok(Some((position, item)));
        }
    }
    Ok(None)
}

/// One revision for each put.
pub fn revisions(call: &super::Call, operations: &[Operation]) -> Vec<Option<Revision>> {
    operations
        .iter()
        .map(|operation| matches!(operation, Operation::Put { .. }).then(|| call.next_revision()))
        .collect()
}

/// The digest of a transaction, by which a repetition under the same token is recognised.
pub type OperationsDigest = [u8; 32];

/// A transaction that was done under a token.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// When it was done, in milliseconds since the Unix epoch.
    pub done_at_ms: u64,
    /// Digest of the transaction: another one under the same token is refused.
    pub digest: OperationsDigest,
    /// The new revision of each operation that wrote an item.
    pub revisions: Vec<Option<Revision>>,
}

impl Remembered {
    /// The first response, if the token is still valid at `now_ms`.
    pub fn answer(
        &self,
        now_ms: u64,
        digest: &OperationsDigest,
    ) -> Option<Result<Vec<Option<Revision>>, StorageError>> {
        if is_forgotten(self.done_at_ms, now_ms) {
            return None;
        }
        Some(if self.digest == *digest {
            Ok(self.revisions.clone())
        } else {
            Err(StorageError::Invalid(
                "the token was used for another transaction".to_owned(),
            ))
        })
    }
}

/// Whether a token of `done_at_ms` is no longer valid at `now_ms`.
pub fn is_forgotten(done_at_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(done_at_ms) >= TOKEN_DURATION.as_millis() as u64
}

/// The digest of a transaction. Each part is preceded by its length.
pub fn digest(operations: &[Operation]) -> OperationsDigest {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    for operation in operations {
        let key = operation.key();
        part(match operation {
            Operation::Put { .. } => b"put",
            Operation::Delete { .. } => b"delete",
            Operation::Check { .. } => b"check",
        });
        part(key.partition.as_bytes());
        part(key.sort.as_bytes());
        let (name, revision) = match operation.precondition() {
            Precondition::None => ("none", ""),
            Precondition::Absent => ("absent", ""),
            Precondition::Present => ("present", ""),
            Precondition::Revision(revision) => ("revision", revision.as_str()),
        };
        part(name.as_bytes());
        part(revision.as_bytes());
        if let Operation::Put {
            document,
            options: PutOptions {
                index, expires_at, ..
            },
            ..
        } = operation
        {
            part(document.as_str().as_bytes());
            part(index.as_ref().map_or(b"", |_| b"index"));
            let texts = index
                .iter()
                .flat_map(|index| [&index.partition, &index.sort]);
            texts.for_each(|text| part(text.as_bytes()));
            part(&expires_at.map_or(Vec::new(), |seconds| seconds.to_be_bytes().to_vec()));
        }
    }
    digest.finalize().into()
}
