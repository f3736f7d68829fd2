//! The content of requests as JSON.

use crate::{
    http::Request,
    item::Draft,
    negotiation::{self, JSON},
    problem::Problem,
};
use alloc::format;
use serde_json::Value;

/// Reads a request's content as JSON; the media type has been checked.
pub fn parse(request: &Request) -> Result<Value, Problem> {
    serde_json::from_slice(&request.body).map_err(|error| {
        Problem::new(
            400,
            "invalid-json",
            format!("the content is not JSON: {error}"),
        )
    })
}

/// Reads a whole item, as POST and PUT send it. `hint` is the header that tells the right media type.
pub fn parse_item(request: &Request, hint: &'static str) -> Result<Draft, Problem> {
    negotiation::check_content_type(request, JSON, hint)?;
    Draft::check(parse(request)?).map_err(Problem::invalid_content)
}
