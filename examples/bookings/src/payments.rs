//! What the payment service reports. It signs each message: `Payment-Signature: t=SECONDS,v1=HEX`, where HEX is the HMAC-SHA-256 of
//! `SECONDS.BODY` under the secret that we share with it, which is the environment variable `PAYMENT_SECRET`.

use crate::model::BOOKINGS;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tenon::{
    Bytes, Context, Json, NoContent, Problem,
    store::{Operation, Partition, TransactionError, Write},
};

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
    let secret = std::env::var("PAYMENT_SECRET").unwrap_or_default();
    if secret.is_empty() {
        return Err(Problem::internal(
            "the environment variable PAYMENT_SECRET is missing or empty",
        ));
    }
    let now = context.now().seconds();
    let signature = context.headers.get("payment-signature");
    if !signature.is_some_and(|signature| is_valid(&signature, &body, secret.as_bytes(), now)) {
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

fn is_valid(signature: &str, body: &[u8], secret: &[u8], now: u64) -> bool {
    let part = |name| {
        let mut parts = signature.split(',');
        parts.find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let (Some(time), Some(code)) = (
        part("t"),
        part("v1").and_then(|code| hex::decode(code).ok()),
    ) else {
        return false;
    };
    let Ok(seconds) = time.parse::<u64>() else {
        return false;
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    // In constant time.
    mac.verify_slice(&code).is_ok() && now.abs_diff(seconds) <= AGE_SECONDS_MAX
}
