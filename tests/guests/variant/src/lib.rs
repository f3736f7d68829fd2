//! The reference guest with one planted change, see `planted`.
#![no_std]
#![allow(dead_code, reason = "the variant uses a part of the SDK")]

extern crate alloc;
extern crate self as tenon;

mod planted;

include!(concat!(env!("OUT_DIR"), "/guest.rs"));
