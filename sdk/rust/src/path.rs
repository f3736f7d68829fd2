//! Path parameters.

use crate::{
    Context, FromRequest, Problem,
    parameters::{ParameterError, Parameters},
};
use alloc::{format, vec::Vec};
use serde::de::DeserializeOwned;

/// The parameters of the path: one value, a tuple in the order of the path, or a struct with their names.
///
/// A path whose values do not fit the type names nothing: 404. If the type reads other parameters than the route's pattern has, the program has
/// a mistake: 500 with a line in the log, and a panic in a native test.
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
            .map_err(|error| {
                if error.is_of_shape() {
                    mistake(context, &error)
                } else {
                    Problem::nothing_at(&context.path)
                }
            })
    }
}

/// The type is not about the parameters of the route.
fn mistake(context: &Context, error: &ParameterError) -> Problem {
    let names: Vec<_> = context.parameters().iter().map(|(name, _)| *name).collect();
    let mistake = format!("`Path` does not fit the route, whose parameters are {names:?}: {error}");
    if cfg!(not(target_arch = "wasm32")) {
        panic!("{mistake}");
    }
    Problem::internal_because("the program has a mistake", mistake)
}
