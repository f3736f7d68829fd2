//! The reference guest with one planted change, see `planted`.
#![no_std]
#![allow(dead_code, reason = "the tests of the guest's modules are not here")]

extern crate alloc;

mod planted;

include!(concat!(env!("OUT_DIR"), "/guest.rs"));
