//! Path parameters.

use crate::{Context, FromRequest, Problem, parameters::Parameters};
use serde::de::DeserializeOwned;

/// The parameters of the path: one value, a tuple in the order of the path, or a struct with their names.
///
/// A path whose parameters do not fit the type names nothing: 404.
///
/// ```
/// use serde::Deserialize;
/// use tenon::{App, Path};
///
/// #[derive(Deserialize)]
/// struct Day {
///     room: String,
///     day: u8,
/// }
///
/// let client = App::new()
///     .get("/rooms/{room}", |Path(room): Path<String>| room)
///     .get("/rooms/{room}/days/{day}", |Path(Day { room, day }): Path<Day>| format!("{room} on {day}"))
///     .put("/rooms/{room}/days/{day}", |Path((room, day)): Path<(String, u8)>| format!("{room}, {day}"))
///     .test();
/// assert_eq!(client.get("/rooms/a%2Fb").send().text(), "a/b");
/// assert_eq!(client.get("/rooms/a/days/7").send().text(), "a on 7");
/// assert_eq!(client.put("/rooms/a/days/7").send().text(), "a, 7");
/// assert_eq!(client.get("/rooms/a/days/seven").send().status(), 404);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    fn from_request(context: &Context) -> Result<Self, Problem> {
        T::deserialize(Parameters::new(context.parameters(), &[]))
            .map(Self)
            .map_err(|_| Problem::nothing_at(&context.path))
    }
}
