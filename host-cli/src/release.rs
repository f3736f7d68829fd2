//! Modules shared by the commands that release guests.

pub mod channels;
pub mod gate;
pub mod keys;
pub mod needs;
pub mod seen;
pub mod start;
pub mod stores;
