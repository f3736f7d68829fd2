//! The exports: memory for the caller's text, the call, and the length of its result.

use crate::Store;
use std::cell::RefCell;

thread_local! {
    static INSTANCE: RefCell<Instance> = RefCell::default();
}

#[derive(Default)]
struct Instance {
    store: Store,
    text: Vec<u8>,
    result: String,
}

/// Memory for a text of this many bytes, until the next call.
#[expect(
    unsafe_code,
    reason = "an export has its own name, which nothing else here has"
)]
#[unsafe(no_mangle)]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    INSTANCE.with_borrow_mut(|instance| {
        instance.text = vec![0; length];
        instance.text.as_mut_ptr()
    })
}

/// Performs the call that was written to the allocated memory. Returns where its result is, until the next call.
#[expect(
    unsafe_code,
    reason = "an export has its own name, which nothing else here has"
)]
#[unsafe(no_mangle)]
pub extern "C" fn perform() -> *const u8 {
    INSTANCE.with_borrow_mut(|instance| {
        instance.result = instance.store.answer(&instance.text);
        instance.result.as_ptr()
    })
}

/// The length of the last result in bytes.
#[expect(
    unsafe_code,
    reason = "an export has its own name, which nothing else here has"
)]
#[unsafe(no_mangle)]
pub extern "C" fn result_length() -> usize {
    INSTANCE.with_borrow(|instance| instance.result.len())
}
