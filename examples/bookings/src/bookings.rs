//! What a caller does with their own bookings. Those of others do not exist for them.

use crate::model::{BOOKINGS, Booking, Draft, bookings_of};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tenon::{
    Conditions, Context, Created, IdempotencyKey, Identity, IntoResponse, Json, NoContent, Page,
    Pagination, Path, Problem, Store,
    store::{Item, LostOperation, Operation, TransactionError},
};

pub fn list(caller: Identity, page: Pagination, store: Store) -> Result<Page<Booking>, Problem> {
    let mine = bookings_of(caller.subject()?);
    Ok(store.query_index(&mine).paged(&page).page()?.values())
}

/// A client that repeats its request with the same `Idempotency-Key` gets the booking that the first one made.
pub fn create(
    context: Context,
    caller: Identity,
    idempotency_key: Option<IdempotencyKey>,
    Json(draft): Json<Draft>,
) -> Result<impl IntoResponse, Problem> {
    let draft = draft.checked(today(&context)?)?;
    let booking = draft.into_booking(context.uuid(), caller.subject()?);
    let (day, key) = (booking.take_day(), booking.key());
    let store = context.store();
    let id = store
        .transaction()
        .with(day)
        .with(Operation::put(&key, booking.clone().write()).if_absent())
        .send_once(idempotency_key.as_ref(), &booking.id)?
        .receipt_or(booking.id);
    Ok(Created::at(
        ["bookings", &id],
        owned(&store, &id, &booking.owner)?,
    ))
}

pub fn read(
    Path(id): Path<String>,
    caller: Identity,
    store: Store,
) -> Result<Item<Booking>, Problem> {
    owned(&store, &id, caller.subject()?)
}

/// Moves a booking to another room or day, or changes its note. The client says which state it has seen.
pub fn change(
    context: Context,
    Path(id): Path<String>,
    caller: Identity,
    conditions: Conditions,
    Json(draft): Json<Draft>,
) -> Result<Item<Booking>, Problem> {
    let conditions = conditions.required()?;
    let draft = draft.checked(today(&context)?)?;
    let store = context.store();
    let Item {
        value: old,
        revision,
        ..
    } = owned(&store, &id, caller.subject()?)?;
    conditions.check(Some(&revision))?;
    let new = old.clone().changed(draft);
    let mut transaction = store
        .transaction()
        .with(Operation::put(&old.key(), new.clone().write()).if_revision(revision));
    if new.day_key() != old.day_key() {
        transaction = transaction
            .with(new.take_day())
            .with(Operation::delete(&old.day_key()));
    }
    transaction.send().map_err(|error| match error {
        // Between reading and writing, another request changed the booking.
        TransactionError::Lost(lost) if lost.position == 0 => {
            Problem::new(412, "precondition-failed", "the booking has changed")
        }
        error => error.into(),
    })?;
    owned(&store, &id, &new.owner)
}

pub fn cancel(
    Path(id): Path<String>,
    caller: Identity,
    conditions: Conditions,
    store: Store,
) -> Result<NoContent, Problem> {
    let found = owned(&store, &id, caller.subject()?)?;
    conditions.check(Some(&found.revision))?;
    store
        .transaction()
        .with(Operation::delete(&found.value.key()).if_revision(found.revision))
        .with(Operation::delete(&found.value.day_key()))
        .send()
        .map_err(|error| match error {
            // Between reading and writing, another request changed the booking.
            TransactionError::Lost(lost) if lost.position == 0 => {
                booking_changed(&conditions, &lost)
            }
            error => error.into(),
        })?;
    Ok(NoContent)
}

/// 412 if the client named the state that it has seen, and otherwise the advice to repeat the request.
fn booking_changed(conditions: &Conditions, lost: &LostOperation) -> Problem {
    let found = match lost.item::<Booking>() {
        Ok(found) => found,
        Err(error) => return error.into(),
    };
    let revision = found.as_ref().map(|item| item.revision.as_str());
    match conditions.check(revision) {
        Ok(()) => TransactionError::Lost(Box::new(lost.clone())).into(),
        Err(problem) => problem,
    }
}

fn owned(store: &Store, id: &str, subject: &str) -> Result<Item<Booking>, Problem> {
    let found = store.get(&BOOKINGS.key(id))?;
    found
        .filter(|item| item.value.owner == subject)
        .ok_or_else(|| Problem::not_found(format!("you have no booking `{id}`")))
}

fn today(context: &Context) -> Result<Date, Problem> {
    let now = Timestamp::from_second(context.now().seconds() as i64).map_err(Problem::internal)?;
    Ok(now.to_zoned(TimeZone::UTC).date())
}
