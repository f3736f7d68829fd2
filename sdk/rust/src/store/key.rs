//! Keys with the type of what is stored under them.

use crate::contract::{RawKey, StorageError};
use alloc::{borrow::Cow, format, string::String};
use core::{fmt, marker::PhantomData};

/// The most that a partition has on every host, whose namespace takes 65 of DynamoDB's 2,048 bytes.
const PARTITION_BYTES_MAX: usize = 2048 - 65;
const SORT_BYTES_MAX: usize = 1024;

/// A component does not link the limits of hosts, which these are.
#[cfg(not(target_arch = "wasm32"))]
const _: () = {
    use contract::limits;
    assert!(PARTITION_BYTES_MAX == limits::PARTITION_BYTES_MAX - (limits::NAMESPACE_BYTES_MAX + 1));
    assert!(SORT_BYTES_MAX == limits::SORT_BYTES_MAX);
};

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

    pub(crate) fn into_raw(self) -> RawKey {
        self.raw
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

    /// Fails if no item can have this key. Parts of keys come from clients, who may write anything: nothing is there to be read, changed or
    /// removed, and a write that would create it is [`StorageError::InvalidKey`].
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        check_partition(&self.raw.partition)?;
        check_length("the sort key", self.raw.sort.len(), SORT_BYTES_MAX)
    }

    /// Whether an item can have this key.
    pub(crate) fn is_possible(&self) -> bool {
        self.check().is_ok()
    }
}

/// Fails if no item can be in this partition.
pub(super) fn check_partition(name: &str) -> Result<(), StorageError> {
    check_length("the partition", name.len(), PARTITION_BYTES_MAX)
}

/// Fails if no sort key can be this text, which is the bound of a range.
pub(super) fn check_bound(text: &str) -> Result<(), StorageError> {
    check_length("a bound of the range", text.len(), SORT_BYTES_MAX)
}

fn check_length(what: &str, bytes: usize, bytes_max: usize) -> Result<(), StorageError> {
    if (1..=bytes_max).contains(&bytes) {
        return Ok(());
    }
    let rule = format!("{what} has {bytes} bytes, 1 to {bytes_max} are allowed");
    Err(StorageError::InvalidKey(rule))
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
