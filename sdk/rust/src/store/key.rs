//! Keys with the type of what is stored under them.

use crate::contract::RawKey;
use alloc::{borrow::Cow, string::String};
use core::{fmt, marker::PhantomData};

/// The most that a partition has on every host, whose namespace takes 65 of DynamoDB's 2,048 bytes.
const PARTITION_BYTES_MAX: usize = 2048 - 65;
const SORT_BYTES_MAX: usize = 1024;

/// Documents of one type that are read together, in the order of their sort keys.
///
/// ```
/// # struct Room;
/// # struct Booking;
/// use tenon::store::Partition;
///
/// const ROOMS: Partition<Room> = Partition::new("rooms");
///
/// fn bookings(room: &str) -> Partition<Booking> {
///     Partition::named(format!("rooms/{room}"))
/// }
///
/// assert_eq!(ROOMS.key("7").sort(), "7");
/// assert_eq!(bookings("7").name(), "rooms/7");
/// ```
pub struct Partition<T> {
    name: Cow<'static, str>,
    marker: PhantomData<fn() -> T>,
}

/// The key of one item, whose document is a `T`.
pub struct Key<T> {
    raw: RawKey,
    marker: PhantomData<fn() -> T>,
}

impl<T> Partition<T> {
    /// A partition with a constant name of 1 to 1,983 bytes.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            marker: PhantomData,
        }
    }

    /// A partition whose name is made of data.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: Cow::Owned(name.into()),
            marker: PhantomData,
        }
    }

    /// The key of the item with this sort key, of 1 to 1,024 bytes.
    pub fn key(&self, sort: impl Into<String>) -> Key<T> {
        Key {
            raw: RawKey {
                partition: self.name.clone().into_owned(),
                sort: sort.into(),
            },
            marker: PhantomData,
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<T> Key<T> {
    pub(crate) fn of(raw: RawKey) -> Self {
        Self {
            raw,
            marker: PhantomData,
        }
    }

    pub(crate) fn raw(&self) -> &RawKey {
        &self.raw
    }

    /// The partition's name.
    pub fn partition(&self) -> &str {
        &self.raw.partition
    }

    /// What orders the item in its partition.
    pub fn sort(&self) -> &str {
        &self.raw.sort
    }

    /// Whether an item can have this key. Sort keys often come from a path, where a client may write anything.
    pub(crate) fn is_possible(&self) -> bool {
        (1..=PARTITION_BYTES_MAX).contains(&self.raw.partition.len())
            && (1..=SORT_BYTES_MAX).contains(&self.raw.sort.len())
    }
}

impl<T> Clone for Partition<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            marker: PhantomData,
        }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        Self::of(self.raw.clone())
    }
}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl<T> Eq for Key<T> {}

impl<T> fmt::Debug for Partition<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Partition({:?})", self.name)
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Key({:?}, {:?})",
            self.raw.partition, self.raw.sort
        )
    }
}
