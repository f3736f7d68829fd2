//! What everybody may know about a room.

use crate::model::days_of;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tenon::{Json, Path, Problem, Query, Store};

/// Longest period of one request, in days.
const PERIOD_DAYS_MAX: i32 = 366;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    from: Date,
    to: Date,
}

#[derive(Serialize)]
pub struct Days {
    booked: Vec<String>,
}

/// The days of a period on which a room is booked, but not by whom.
pub fn days(
    Path(room): Path<String>,
    Query(period): Query<Period>,
    store: Store,
) -> Result<Json<Days>, Problem> {
    let days = period
        .to
        .since(period.from)
        .map_err(Problem::internal)?
        .get_days();
    if !(0..=PERIOD_DAYS_MAX).contains(&days) {
        return Err(Problem::bad_request(format!(
            "`to` must be 0 to {PERIOD_DAYS_MAX} days after `from`"
        )));
    }
    let booked = store
        .query(&days_of(&room))
        .between(period.from.to_string(), period.to.to_string())
        .into_iter()
        .map(|entry| Ok(entry?.key.sort().to_owned()))
        .collect::<Result<_, Problem>>()?;
    Ok(Json(Days { booked }))
}
