//! DELETE on an item.

use super::{check_id, retry::Attempts};
use crate::{
    conditional::Conditions,
    http::{Request, Response},
    layout,
    ports::{Consistency, DeleteOutcome, Host, Precondition},
    problem::Problem,
    storage_problem::{self, Source},
};

/// Removes the item: in one call, unless a store cannot check the conditions by itself.
pub fn remove(request: &Request, host: &dyn Host, id: &str) -> Result<Response, Problem> {
    check_id(id)?;
    let conditions = Conditions::of(request)?;
    let key = layout::item(id);
    let failed = |error| storage_problem::from_error(request, host, Source::Program, error);
    let mut precondition = if conditions.hold_for_any_item() {
        Precondition::Present
    } else if let Some(revision) = conditions.exact_revision() {
        Precondition::Revision(revision.into())
    } else {
        let stored = host.get(&key, Consistency::Strong).map_err(failed)?;
        let stored = stored.ok_or_else(|| Problem::item_not_found(id))?;
        conditions.check(Some(&stored.revision))?;
        Precondition::Revision(stored.revision)
    };
    let mut attempts = Attempts::default();
    attempts.begin(0, 0)?;
    loop {
        match host.delete(&key, &precondition).map_err(failed)? {
            DeleteOutcome::Done => return Ok(Response::empty(204)),
            DeleteOutcome::PreconditionFailed(None) => return Err(Problem::item_not_found(id)),
            DeleteOutcome::PreconditionFailed(Some(found)) => {
                conditions.check(Some(&found.revision))?;
                attempts.begin(found.document.len(), 0)?;
                precondition = Precondition::Revision(found.revision);
            }
        }
    }
}
