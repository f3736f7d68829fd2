//! Query parameters.

use crate::{
    Context, FromRequest, Problem,
    pagination::PAGE_PARAMETERS,
    parameters::Parameters,
    query_string::{invalid, pairs},
};
use alloc::format;
use serde::de::DeserializeOwned;

/// The parameters of the query as a struct: an `Option` for one that may be missing, a `Vec` for one that may be repeated.
///
/// What does not fit is answered with 400, whose detail names the parameter. With `#[serde(deny_unknown_fields)]` a misspelt parameter is
/// refused instead of ignored; those of [`Pagination`](crate::Pagination) are known nevertheless.
/// A type that does not name all of its fields, such as a map or a struct with `#[serde(flatten)]`, gets these as well.
///
/// ```
/// use serde::Deserialize;
/// use tenon::{App, Query};
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Filter {
///     day: Option<u8>,
///     #[serde(default)]
///     room: Vec<String>,
/// }
///
/// let app = App::new().get("/bookings", |Query(filter): Query<Filter>| format!("{:?} {:?}", filter.day, filter.room));
/// let client = app.test();
/// assert_eq!(client.get("/bookings?day=7&room=a+b&room=c").send().text(), r#"Some(7) ["a b", "c"]"#);
/// let refused = client.get("/bookings?day=700").send();
/// assert_eq!(refused.status(), 400);
/// assert_eq!(refused.value()["detail"], "the query does not fit: parameter `day`: `700` is not a whole number from 0 to 255");
/// assert_eq!(client.get("/bookings?rooms=a").send().status(), 400);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    fn from_request(context: &Context) -> Result<Self, Problem> {
        let mut pairs = pairs(&context.query)?;
        // Those of one name together, in their order.
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        T::deserialize(Parameters::new(&pairs, &PAGE_PARAMETERS))
            .map(Self)
            .map_err(|error| invalid(format!("the query does not fit: {error}")))
    }
}
