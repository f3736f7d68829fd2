//! The query as pairs of texts.

use crate::{Problem, Request, percent};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

impl Request {
    /// The values of these query parameters. One that is unknown or given twice is answered with 400: a list that ignored a misspelt filter
    /// would be a wrong response. [`Query`](crate::Query) reads them into a type instead.
    ///
    /// ```
    /// use tenon::{App, Context, Problem};
    ///
    /// fn list(context: Context) -> Result<String, Problem> {
    ///     let [room, day] = context.query_parameters(["room", "day"])?;
    ///     Ok(format!("{room:?} {day:?}"))
    /// }
    ///
    /// let client = App::new().get("/bookings", list).test();
    /// assert_eq!(client.get("/bookings?day=7+May").send().text(), r#"None Some("7 May")"#);
    /// let refused = client.get("/bookings?rooms=a").send();
    /// assert_eq!(refused.value()["detail"], "there is no query parameter `rooms`");
    /// ```
    pub fn query_parameters<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<String>; N], Problem> {
        let mut values = [const { None }; N];
        for (name, value) in pairs(&self.query)? {
            let Some(position) = names.iter().position(|known| *known == name) else {
                return Err(invalid(format!("there is no query parameter `{name}`")));
            };
            if values[position].replace(value).is_some() {
                return Err(invalid(format!("`{name}` is given twice")));
            }
        }
        Ok(values)
    }
}

/// The decoded pairs of a query.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let decode = |text| percent::decode_parameter(text).map(|decoded| decoded.to_string());
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            return Err(invalid("the query is not percent-encoded UTF-8".into()));
        };
        pairs.push((name, value));
    }
    Ok(pairs)
}

pub(crate) fn invalid(detail: String) -> Problem {
    Problem::new(400, "invalid-query", detail)
}
