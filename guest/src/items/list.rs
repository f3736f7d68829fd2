//! GET and HEAD on the list of items.

use super::CACHE_CONTROL;
use crate::{
    http::{Request, Response},
    json::push_string,
    layout, negotiation,
    pagination::{self, List},
    ports::{Consistency, Host, Page, PageRequest, Stored},
    problem::Problem,
    storage_problem::{self, Source},
};
use alloc::{string::String, vec::Vec};

/// Answers with a page of items, or with the requested items. Reads eventually, at half the price: a list is out of date as soon as it is
/// sent.
pub fn list(request: &Request, host: &dyn Host) -> Result<Response, Problem> {
    negotiation::check_accept(request)?;
    let response = match List::parse(&request.query)? {
        List::Ids(ids) => {
            let keys: Vec<_> = ids.iter().map(|id| layout::item(id)).collect();
            let found = host
                .get_many(&keys, Consistency::Eventual)
                .map_err(|error| {
                    storage_problem::from_error(request, host, Source::Program, error)
                })?;
            Response::json(200, document(found.iter().flatten(), None))
        }
        List::Page { category, page } => {
            let Page { items, cursor } = query(request, host, category.as_deref(), &page)?;
            let response = Response::json(200, document(items.iter(), cursor.as_deref()));
            match cursor {
                Some(cursor) => response.with(
                    "link",
                    pagination::next_link(&request.base_path, category.as_deref(), &page, &cursor),
                ),
                None => response,
            }
        }
    };
    Ok(response.with("cache-control", CACHE_CONTROL))
}

fn query(
    request: &Request,
    host: &dyn Host,
    category: Option<&str>,
    page: &PageRequest,
) -> Result<Page, Problem> {
    let result = match category {
        Some(category) => host.query_index(&layout::category_partition(category), page),
        None => host.query(layout::ITEMS, Consistency::Eventual, page),
    };
    let source = if page.cursor.is_some() {
        Source::Cursor
    } else {
        Source::Program
    };
    result.map_err(|error| storage_problem::from_error(request, host, source, error))
}

/// The list as JSON, composed of the items' text.
fn document<'a>(items: impl Iterator<Item = &'a Stored>, cursor: Option<&str>) -> String {
    let mut document = String::from("{\"items\":[");
    for (position, item) in items.enumerate() {
        if position > 0 {
            document.push(',');
        }
        document.push_str(&item.document);
    }
    document.push(']');
    if let Some(cursor) = cursor {
        document.push_str(",\"next\":");
        push_string(&mut document, cursor);
    }
    document.push('}');
    document
}
