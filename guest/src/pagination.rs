//! The query of a list, and the link to its next page (RFC 8288).

use crate::{
    identifier, percent,
    ports::{Direction, PageRequest},
    problem::Problem,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Write;

const LIMIT_DEFAULT: u32 = 20;
const LIMIT_MAX: u32 = 100;
const IDS_MAX: usize = 100;
const CATEGORY_CHARACTERS_MAX: usize = 50;

/// What a request for a list asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// Specific items, in the given order.
    Ids(Vec<String>),
    /// All items, or those of a category, page by page.
    Page {
        /// The category.
        category: Option<String>,
        /// The page.
        page: PageRequest,
    },
}

/// The parameters as in the query, each at most once.
#[derive(Default)]
struct Parameters {
    limit: Option<String>,
    cursor: Option<String>,
    order: Option<String>,
    category: Option<String>,
    ids: Option<String>,
}

impl List {
    /// Reads a query. A parameter that is unknown, repeated or out of range is refused: a list that silently ignored a misspelt filter
    /// would be a wrong response.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let parameters = Parameters::parse(query)?;
        let page = PageRequest {
            direction: match parameters.order.as_deref() {
                None | Some("asc") => Direction::Ascending,
                Some("desc") => Direction::Descending,
                Some(_) => return Err(invalid("`order` is `asc` or `desc`")),
            },
            limit: parameters
                .limit
                .as_deref()
                .map_or(Ok(LIMIT_DEFAULT), parse_limit)?,
            cursor: parameters.cursor.clone(),
        };
        if let Some(ids) = parameters.ids {
            let is_alone = parameters.limit.is_none()
                && parameters.order.is_none()
                && parameters.cursor.is_none()
                && parameters.category.is_none();
            return if is_alone {
                parse_ids(&ids)
            } else {
                Err(invalid("`ids` stands alone"))
            };
        }
        if page.cursor.as_deref() == Some("") {
            return Err(invalid("`cursor` is empty"));
        }
        let category = parameters.category;
        if category.as_ref().is_some_and(|category| {
            category.is_empty() || category.chars().count() > CATEGORY_CHARACTERS_MAX
        }) {
            let detail = format!("`category` has 1 to {CATEGORY_CHARACTERS_MAX} characters");
            return Err(invalid(detail));
        }
        Ok(Self::Page { category, page })
    }
}

impl Parameters {
    fn parse(query: &str) -> Result<Self, Problem> {
        let mut parameters = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (
                percent::decode_parameter(name),
                percent::decode_parameter(value),
            ) else {
                return Err(invalid("the query is not percent-encoded UTF-8"));
            };
            let place = match name.as_ref() {
                "limit" => &mut parameters.limit,
                "cursor" => &mut parameters.cursor,
                "order" => &mut parameters.order,
                "category" => &mut parameters.category,
                "ids" => &mut parameters.ids,
                unknown => return Err(invalid(format!("there is no query parameter `{unknown}`"))),
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(invalid(format!("`{name}` is given twice")));
            }
        }
        Ok(parameters)
    }
}

fn parse_limit(text: &str) -> Result<u32, Problem> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(limit @ 1..=LIMIT_MAX) if digits => Ok(limit),
        Ok(_) | Err(_) => Err(invalid(format!(
            "`limit` is a whole number from 1 to {LIMIT_MAX}"
        ))),
    }
}

fn parse_ids(text: &str) -> Result<List, Problem> {
    let ids: Vec<String> = text.split(',').map(str::to_string).collect();
    let is_list = ids.len() <= IDS_MAX
        && ids.iter().enumerate().all(|(position, id)| {
            identifier::is_valid(id) && !ids.iter().take(position).any(|earlier| earlier == id)
        });
    if is_list {
        Ok(List::Ids(ids))
    } else {
        Err(invalid(format!(
            "`ids` is a list of 1 to {IDS_MAX} different ids, with commas between them"
        )))
    }
}

/// The value of `Link` for the next page of the same list. `base_path` precedes it.
pub fn next_link(
    base_path: &str,
    category: Option<&str>,
    page: &PageRequest,
    cursor: &str,
) -> String {
    let mut link = String::new();
    let _ = write!(link, "<{base_path}/items?limit={}", page.limit); // writing to a string cannot fail
    if page.direction == Direction::Descending {
        link.push_str("&order=desc");
    }
    if let Some(category) = category {
        link.push_str("&category=");
        percent::encode_into(&mut link, category);
    }
    link.push_str("&cursor=");
    percent::encode_into(&mut link, cursor);
    link.push_str(">; rel=\"next\"");
    link
}

fn invalid(detail: impl Into<crate::http::Text>) -> Problem {
    Problem::new(400, "invalid-query", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> (Option<String>, PageRequest) {
        match List::parse(query).unwrap() {
            List::Page { category, page } => (category, page),
            List::Ids(ids) => panic!("{ids:?}"),
        }
    }

    #[test]
    fn everything_has_a_default() {
        let (category, page) = page("");
        assert_eq!(category, None);
        assert_eq!(
            page,
            PageRequest {
                direction: Direction::Ascending,
                limit: 20,
                cursor: None
            }
        );
    }

    #[test]
    fn parameters_are_decoded() {
        let (category, page) = page("order=desc&limit=100&cursor=a%2Bb&category=a+b%26");
        assert_eq!(category.as_deref(), Some("a b&"));
        assert_eq!(
            page,
            PageRequest {
                direction: Direction::Descending,
                limit: 100,
                cursor: Some("a+b".into())
            }
        );
    }

    #[test]
    fn what_is_not_documented_is_refused() {
        for query in [
            "limit=0",
            "limit=101",
            "limit=+5",
            "limit=",
            "limit",
            "limit=1&limit=1",
            "order=up",
            "Limit=1",
            "x=1",
            "cursor=",
            "category=",
            "category=%ff",
            "ids=",
            "ids=a,,b",
            "ids=a,a",
            "ids=a&limit=1",
            "ids=a%2Fb",
        ] {
            assert_eq!(
                List::parse(query).map_err(|problem| problem.status),
                Err(400),
                "{query}"
            );
        }
        let many = format!(
            "ids={}",
            (0..101)
                .map(|n| n.to_string())
                .collect::<Vec<_>>()
                .join(",")
        );
        assert!(List::parse(&many).is_err());
    }

    #[test]
    fn the_next_link_keeps_the_list() {
        let (category, page) = page("limit=5&order=desc&category=a%20b");
        let link = |base_path| next_link(base_path, category.as_deref(), &page, "c/d=");
        assert_eq!(
            link(""),
            "</items?limit=5&order=desc&category=a%20b&cursor=c%2Fd%3D>; rel=\"next\""
        );
        assert!(link("/live").starts_with("</live/items?limit=5&"));
    }
}
