//! Programs that use Tenon's crates as libraries: see the `.rs` files beside `src/`.
