//! GET and HEAD on an item.

use super::{CACHE_CONTROL, check_id};
use crate::{
    conditional::{Conditions, Verdict, entity_tag},
    http::{Request, Response},
    layout, negotiation,
    ports::{Consistency, Host},
    problem::Problem,
    storage_problem::{self, Source},
};

/// Answers with the item, or with 304 if the client already has it. Reads strongly, so that a client sees its own writes and the entity tag
/// is valid for the next `If-Match`.
pub fn read(request: &Request, host: &dyn Host, id: &str) -> Result<Response, Problem> {
    negotiation::check_accept(request)?;
    check_id(id)?;
    let conditions = Conditions::of(request)?;
    let stored = host
        .get(&layout::item(id), Consistency::Strong)
        .map_err(|error| storage_problem::from_error(request, host, Source::Program, error))?
        .ok_or_else(|| Problem::item_not_found(id))?;
    let response = match conditions.verdict(Some(&stored.revision)) {
        Verdict::Holds => Response::json(200, stored.document),
        Verdict::Match => Response::empty(304),
        Verdict::NoMatch => {
            conditions.check(Some(&stored.revision))?;
            Response::empty(304)
        }
    };
    Ok(response
        .with("etag", entity_tag(&stored.revision))
        .with("cache-control", CACHE_CONTROL))
}
