//! What is stored, and under which keys.
//!
//! | entity | partition | sort key | what for |
//! |---|---|---|---|
//! | booking | `bookings` | id | read and change one |
//! | the same, by secondary key | `bookings-of/{subject}` | day, id | list those of a caller in the order of their days |
//! | day of a room | `room/{room}` | day | there can be one only, so that a room is booked once; list the days of a room |
//! | payment event | `payments` | id of the event | take each event once; expires |
//!
//! A booking and its day are written in one transaction. Whoever comes second finds the day taken and gets 409. The list of a caller may
//! lag behind for a moment, as every query by secondary key.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tenon::{
    Problem, Rules,
    store::{Key, Operation, Partition, Write},
};

const NOTE_CHARACTERS_MAX: usize = 500;
const ROOM_CHARACTERS_MAX: usize = 40;

pub const BOOKINGS: Partition<Booking> = Partition::new("bookings");

/// What a client sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    room: String,
    day: Date,
    #[serde(default)]
    note: String,
}

/// What is stored, and what its owner sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Booking {
    pub id: String,
    pub owner: String,
    pub room: String,
    pub day: Date,
    pub note: String,
    pub is_paid: bool,
}

/// A day on which a room is booked.
#[derive(Debug, Serialize, Deserialize)]
pub struct BookedDay {
    pub booking: String,
}

/// The bookings of a caller, by day.
pub fn bookings_of(subject: &str) -> Partition<Booking> {
    Partition::named(format!("bookings-of/{subject}"))
}

/// The days on which a room is booked.
pub fn days_of(room: &str) -> Partition<BookedDay> {
    Partition::named(format!("room/{room}"))
}

impl Draft {
    /// Fails with all rules that the content breaks.
    pub fn checked(self, today: Date) -> Result<Self, Problem> {
        let room = self.room.chars().count();
        let note = self.note.chars().count();
        Rules::new()
            .require(
                (1..=ROOM_CHARACTERS_MAX).contains(&room),
                "/room",
                format!("must have 1 to {ROOM_CHARACTERS_MAX} characters"),
            )
            .require(
                self.day >= today,
                "/day",
                format!("must not be before {today}"),
            )
            .require(
                note <= NOTE_CHARACTERS_MAX,
                "/note",
                format!("must have at most {NOTE_CHARACTERS_MAX} characters"),
            )
            .finish()?;
        Ok(self)
    }

    /// The new booking of a caller.
    pub fn into_booking(self, id: String, owner: &str) -> Booking {
        Booking {
            id,
            owner: owner.to_owned(),
            room: self.room,
            day: self.day,
            note: self.note,
            is_paid: false,
        }
    }
}

impl Booking {
    /// The same booking with what the client sent.
    pub fn changed(self, draft: Draft) -> Self {
        Self {
            room: draft.room,
            day: draft.day,
            note: draft.note,
            ..self
        }
    }

    pub fn key(&self) -> Key<Self> {
        BOOKINGS.key(&self.id)
    }

    pub fn day_key(&self) -> Key<BookedDay> {
        days_of(&self.room).key(self.day.to_string())
    }

    /// Takes the day, if it is free.
    pub fn take_day(&self) -> Operation {
        let day = BookedDay {
            booking: self.id.clone(),
        };
        Operation::put(&self.day_key(), day).if_absent()
    }

    /// The document with its place in the list of its owner.
    pub fn write(self) -> Write<Self> {
        let place = format!("{} {}", self.day, self.id);
        let index = bookings_of(&self.owner).key(place);
        Write::new(self).index(index)
    }
}
