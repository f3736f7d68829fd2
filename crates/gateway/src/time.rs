//! The time of an event, according to the event. The host reads it here, and so does a replay that runs an event at its time.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Times below this many milliseconds (March 1973) are in seconds: `sam local` writes those.
const EPOCH_MS_MIN: u64 = 100_000_000_000;

/// A time in an event; `None` if it is not a whole number, which is no reason to refuse a request.
#[derive(Clone, Copy, Debug)]
pub struct Epoch(pub Option<u64>);

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(json.get().parse().ok()))
    }
}

/// The time in milliseconds since the Unix epoch, from `requestContext`: `timeEpoch` of payload format 2.0, `requestTimeEpoch` of 1.0.
pub fn event_time_ms(time_epoch: Option<Epoch>, request_time_epoch: Option<Epoch>) -> Option<u64> {
    let value = |epoch: Option<Epoch>| epoch.and_then(|epoch| epoch.0);
    let time = value(time_epoch).or(value(request_time_epoch))?;
    Some(if time < EPOCH_MS_MIN {
        time.saturating_mul(1000)
    } else {
        time
    })
}
