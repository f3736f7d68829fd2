//! The reference guest: an items REST API.
