//! GET and HEAD on the list of items.

use super::CACHE_CONTROL;
use crate::{
    identifier,
    layout::{ITEMS, in_category},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use tenon::{Context, IntoResponse, Page, Pagination, Problem, json::Document, store::Consistency};

const IDS_MAX: usize = 100;
const CATEGORY_CHARACTERS_MAX: usize = 50;

/// Answers with a page of items, of all or of a category, or with the requested items. Reads eventually, at half the price: a list is out of
/// date as soon as it is sent.
pub fn list(context: Context) -> Result<impl IntoResponse, Problem> {
    let [limit, order, cursor, category, ids] =
        context.query_parameters(["limit", "order", "cursor", "category", "ids"])?;
    let is_paged = [&limit, &order, &cursor, &category]
        .iter()
        .any(|value| value.is_some());
    let page = match ids {
        None => page(&context, category)?,
        Some(_) if is_paged => return Err(invalid("`ids` stands alone".to_string())),
        Some(ids) => certain(&context, &ids)?,
    };
    Ok(page.with_header("cache-control", CACHE_CONTROL))
}

fn page(context: &Context, category: Option<String>) -> Result<Page<Document>, Problem> {
    let pagination = Pagination::of(context)?;
    let store = context.store();
    let query = match category {
        None => store.query(&ITEMS).eventual(),
        Some(category) if (1..=CATEGORY_CHARACTERS_MAX).contains(&category.chars().count()) => {
            store.query_index(&in_category(&category))
        }
        Some(_) => {
            let detail = format!("`category` has 1 to {CATEGORY_CHARACTERS_MAX} characters");
            return Err(invalid(detail));
        }
    };
    Ok(query.paged(&pagination).page()?.values())
}

/// Those of these items that exist, in the given order.
fn certain(context: &Context, ids: &str) -> Result<Page<Document>, Problem> {
    let ids: Vec<&str> = ids.split(',').collect();
    let is_list = ids.len() <= IDS_MAX
        && ids.iter().enumerate().all(|(position, id)| {
            identifier::is_valid(id) && !ids.iter().take(position).any(|earlier| earlier == id)
        });
    if !is_list {
        return Err(invalid(format!(
            "`ids` is a list of 1 to {IDS_MAX} different ids, with commas between them"
        )));
    }
    let keys: Vec<_> = ids.into_iter().map(|id| ITEMS.key(id)).collect();
    let found = context.store().get_many(&keys, Consistency::Eventual)?;
    Ok(Page {
        items: found.into_iter().flatten().map(|item| item.value).collect(),
        cursor: None,
    })
}

fn invalid(detail: String) -> Problem {
    Problem::new(400, "invalid-query", detail)
}
