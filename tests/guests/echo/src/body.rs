//! The guest's logic, separate from the component, so that benchmarks can call it natively as well.

/// Headers of every response.
pub const CONTENT_TYPE: &str = "application/json";

/// `body`, repeated or cut to the number of bytes in `query`; unchanged if `query` is not a number.
pub fn answer(mut body: Vec<u8>, query: &str) -> Vec<u8> {
    let Ok(bytes) = query.parse() else {
        return body;
    };
    body.truncate(bytes);
    body.reserve_exact(bytes - body.len());
    while !body.is_empty() && body.len() < bytes {
        let more = body.len().min(bytes - body.len());
        body.extend_from_within(..more);
    }
    body
}
