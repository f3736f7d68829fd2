//! What the commands that release guests share.

pub mod channels;
pub mod gate;
pub mod keys;
pub mod seen;
pub mod stores;
