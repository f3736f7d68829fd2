//! A bookings API: each room can be booked once a day, by callers whom an authorizer knows.
//!
//! `bookings` has what a caller does with their own bookings, `rooms` what everybody may know about a room, `payments` what the payment
//! service reports, `model` what is stored and under which keys.

mod bookings;
mod model;
mod payments;
mod rooms;
#[cfg(test)]
mod tests;

use tenon::App;

fn app() -> App {
    App::new()
        .get("/bookings", bookings::list)
        .post("/bookings", bookings::create)
        .get("/bookings/{id}", bookings::read)
        .put("/bookings/{id}", bookings::change)
        .delete("/bookings/{id}", bookings::cancel)
        .get("/rooms/{room}/days", rooms::days)
        .post("/webhooks/payments", payments::receive)
}

tenon::main!(app);
