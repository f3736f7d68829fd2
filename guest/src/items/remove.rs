//! DELETE on an item.

use crate::{
    identifier::{Id, not_found},
    layout::ITEMS,
};
use tenon::{Conditions, NoContent, Problem, Store, store::WriteError};

/// Removes the item: in one call, unless a store cannot check the conditions by itself.
pub fn remove(Id(id): Id, conditions: Conditions, store: Store) -> Result<NoContent, Problem> {
    match store.delete(&ITEMS.key(&id)).when(&conditions).send() {
        Ok(()) => Ok(NoContent),
        Err(WriteError::Lost(found)) => match found.revision() {
            None => Err(not_found(&id)),
            Some(revision) => {
                conditions.check(Some(revision))?;
                Err(WriteError::Lost(found).into())
            }
        },
        Err(error) => Err(error.into()),
    }
}
