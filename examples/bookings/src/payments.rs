//! What the payment service reports. It signs each message: `Payment-Signature: t=SECONDS,v1=HEX`, where HEX is the HMAC-SHA-256 of
//! `SECONDS.BODY` under the key that we share with it. `[secrets]` in `tenon.toml` declares the key; the host verifies, and this code never has it.

use crate::model::BOOKINGS;
use serde::{Deserialize, Serialize};
use tenon::{
    Bytes, Context, Json, NoContent, Problem,
    secrets::{self, Algorithm},
    store::{Operation, Partition, TransactionError, Write},
};

/// The name of the key.
const KEY: &str = "payment-key";
/// An older message may have been recorded and sent again by somebody else.
const AGE_SECONDS_MAX: u64 = 300;
/// How long an event is remembered, so that it is taken once.
const EVENT_SECONDS: u64 = 7 * 86_400;
const EVENTS: Partition<Event> = Partition::new("payments");

#[derive(Serialize, Deserialize)]
struct Event {
    id: String,
    booking: String,
}

pub fn receive(context: Context, Bytes(body): Bytes) -> Result<NoContent, Problem> {
    let now = context.now().seconds();
    let signature = context.headers.get("payment-signature").unwrap_or_default();
    if !is_valid(&context, &signature, &body, now)? {
        let detail = "the message is not signed by the payment service";
        return Err(
            Problem::unauthorized(detail).with_header("www-authenticate", "Payment-Signature")
        );
    }
    let Json(event) = Json::<Event>::read(&body)?;
    pay(&context, event, now)
}

/// Marks the booking as paid, once for each event; a repeated event is acknowledged.
fn pay(context: &Context, event: Event, now: u64) -> Result<NoContent, Problem> {
    let store = context.store();
    let Some(booking) = store.get(&BOOKINGS.key(&event.booking))? else {
        // Cancelled before it was paid. The payment service must not repeat the message for days.
        context
            .log()
            .warn("payment of an unknown booking")
            .with("event", &event.id)
            .write();
        return Ok(NoContent);
    };
    let mut paid = booking.value;
    paid.is_paid = true;
    let key = EVENTS.key(&event.id);
    let write = Write::new(event).expires_at(now + EVENT_SECONDS);
    let sent = store
        .transaction()
        .with(Operation::put(&key, write).if_absent())
        .with(Operation::put(&paid.key(), paid.write()).if_revision(booking.revision))
        .send();
    match sent {
        Err(TransactionError::Lost(lost)) if lost.position == 0 => Ok(NoContent),
        sent => Ok(sent.map(|_| NoContent)?),
    }
}

fn is_valid(
    context: &Context,
    signature: &str,
    body: &[u8],
    now: u64,
) -> Result<bool, secrets::Error> {
    let part = |name| {
        let mut parts = signature.split(',');
        parts.find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let (Some(time), Some(tag)) = (
        part("t"),
        part("v1").and_then(|code| hex::decode(code).ok()),
    ) else {
        return Ok(false);
    };
    let is_new = |seconds: u64| now.abs_diff(seconds) <= AGE_SECONDS_MAX;
    if !time.parse().is_ok_and(is_new) {
        return Ok(false);
    }
    let message = [time.as_bytes(), b".", body].concat();
    context
        .secrets()
        .verify(KEY, Algorithm::Sha256, &message, &tag)
}
