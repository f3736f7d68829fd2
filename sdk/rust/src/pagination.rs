//! Lists in pages, with a cursor and a link to the next one (RFC 8288).

use crate::{
    Problem, Request,
    contract::Direction,
    percent,
    query_string::{self, invalid},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde::Serialize;

const LIMIT_DEFAULT: u32 = 20;
const LIMIT_MAX: u32 = 100;
/// The parameters that [`Pagination`] reads.
pub(crate) const PAGE_PARAMETERS: [&str; 3] = ["cursor", "limit", "order"];

/// The query parameters of a list: `limit` (1 to 100, by default 20), `order` (`asc` or `desc`) and `cursor`.
///
/// A value out of range is answered with 400. [`Query::paged`](crate::store::Query::paged) takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pagination {
    /// Largest number of entries.
    pub limit: u32,
    /// The order of the sort keys, if the client asked for one.
    pub direction: Option<Direction>,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
}

/// One page of a list. As a response it is `{"items": [...], "next": "..."}`, where `next` is the cursor of the next page, and the header
/// `Link` refers to that page with the same query; the last page has neither.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenon::{App, Page, Pagination, Problem, Store, store::Partition};
///
/// #[derive(Serialize, Deserialize)]
/// struct Room {
///     name: String,
/// }
///
/// const ROOMS: Partition<Room> = Partition::new("rooms");
///
/// fn list(store: Store, page: Pagination) -> Result<Page<Room>, Problem> {
///     Ok(store.query(&ROOMS).paged(&page).page()?.values())
/// }
///
/// let client = App::new().get("/rooms", list).test();
/// for name in ["a", "b", "c"] {
///     client.store().put(&ROOMS.key(name), Room { name: name.into() }).send().unwrap();
/// }
/// let first = client.get("/rooms?limit=2").base_path("/live").send();
/// assert_eq!(first.value()["items"], serde_json::json!([{"name": "a"}, {"name": "b"}]));
/// let link = first.header("link").unwrap();
/// assert!(link.starts_with("</live/rooms?limit=2&cursor=") && link.ends_with(">; rel=\"next\""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` if this is the last one.
    #[serde(rename = "next", skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            cursor: self.cursor,
        }
    }
}

impl Pagination {
    /// Reads the query.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        let mut values = [None, None, None];
        for (name, value) in query_string::pairs(&request.query)? {
            let Some(position) = PAGE_PARAMETERS.iter().position(|known| *known == name) else {
                continue;
            };
            if values[position].replace(value).is_some() {
                return Err(invalid(format!("`{name}` is given twice")));
            }
        }
        let [cursor, limit, order] = values;
        if cursor.as_deref() == Some("") {
            return Err(invalid("`cursor` is empty".into()));
        }
        Ok(Self {
            limit: limit.as_deref().map_or(Ok(LIMIT_DEFAULT), parse_limit)?,
            direction: match order.as_deref() {
                None => None,
                Some("asc") => Some(Direction::Ascending),
                Some("desc") => Some(Direction::Descending),
                Some(_) => return Err(invalid("`order` is `asc` or `desc`".into())),
            },
            cursor,
        })
    }
}

/// The value of `Link`: the same path and query with another cursor.
pub(crate) fn next_link(request: &Request, cursor: &str) -> String {
    let mut link = String::from("<");
    push_reference(&mut link, &request.base_path);
    push_reference(&mut link, &request.path);
    link.push('?');
    let is_cursor = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        percent::decode_parameter(name).is_some_and(|name| name == "cursor")
    };
    let kept = request
        .query
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_cursor(pair));
    for pair in kept {
        push_reference(&mut link, pair);
        link.push('&');
    }
    link.push_str("cursor=");
    percent::encode_into(&mut link, cursor);
    link.push_str(">; rel=\"next\"");
    link
}

/// A part of the request's target. A gateway may pass on characters that would end the reference.
fn push_reference(link: &mut String, part: &str) {
    link.push_str(&part.replace('<', "%3C").replace('>', "%3E"));
}

fn parse_limit(text: &str) -> Result<u32, Problem> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(limit @ 1..=LIMIT_MAX) if is_digits => Ok(limit),
        Ok(_) | Err(_) => {
            let detail = format!("`limit` is a whole number from 1 to {LIMIT_MAX}");
            Err(invalid(detail.to_string()))
        }
    }
}
