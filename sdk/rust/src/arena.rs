//! The memory of a component without std: a bump allocator that never frees, and what a component needs beside it.
//!
//! A host runs each request in a new instance and drops the whole memory afterwards, so freeing single blocks would waste time, and a
//! general allocator would waste space. Growing the newest block in place matters: most data that grows here, such as a response body, is
//! the newest block while it does.
#![expect(unsafe_code, reason = "a global allocator hands out raw memory")]

use crate::component::report_panic;
use alloc::string::ToString;
use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32,
    cell::Cell,
    panic::PanicInfo,
    ptr,
};

const PAGE_BYTES: usize = 65_536;
/// Smallest growth at a time, so that a large response does not call the host for every page.
const GROWTH_PAGES_MIN: usize = 4;

#[global_allocator]
static ALLOCATOR: Bump = Bump {
    next: Cell::new(0),
    end: Cell::new(0),
};

struct Bump {
    /// First free byte; 0 before the first allocation.
    next: Cell<usize>,
    /// First byte after the available memory.
    end: Cell<usize>,
}

// SAFETY: a component of this world has one thread.
unsafe impl Sync for Bump {}

impl Bump {
    /// Makes all bytes up to `end` usable; `false` if the host refuses.
    fn reserve(&self, end: usize) -> bool {
        if end <= self.end.get() {
            return true;
        }
        let pages = (end - self.end.get())
            .div_ceil(PAGE_BYTES)
            .max(GROWTH_PAGES_MIN);
        if wasm32::memory_grow(0, pages) == usize::MAX {
            return false;
        }
        self.end.set(wasm32::memory_size(0) * PAGE_BYTES);
        true
    }

    fn start(&self) {
        unsafe extern "C" {
            /// The end of the linker's static data.
            static __heap_base: u8;
        }
        self.next.set(ptr::addr_of!(__heap_base) as usize);
        self.end.set(wasm32::memory_size(0) * PAGE_BYTES);
    }
}

// SAFETY: blocks are aligned, inside the memory, and never overlap, because `next` only rises past them; a block that grows in place is the
// newest one, so nothing follows it.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.next.get() == 0 {
            self.start();
        }
        let Some(unaligned) = self.next.get().checked_add(layout.align() - 1) else {
            return ptr::null_mut();
        };
        let block = unaligned & !(layout.align() - 1); // alignments are powers of two
        match block.checked_add(layout.size()) {
            Some(end) if self.reserve(end) => {
                self.next.set(end);
                block as *mut u8
            }
            Some(_) | None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size <= layout.size() {
            return block;
        }
        if block as usize + layout.size() == self.next.get() {
            let Some(end) = (block as usize)
                .checked_add(size)
                .filter(|end| self.reserve(*end))
            else {
                return ptr::null_mut();
            };
            self.next.set(end);
            return block;
        }
        // SAFETY: the caller guarantees a valid `layout.align()`; a new block cannot overlap the old one, and is the larger of the two.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size());
            }
            moved
        }
    }
}

/// Where the host writes arguments and results. The C library has a version over its own `malloc`; this one uses the allocator above.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(
    old: *mut u8,
    old_bytes: usize,
    align: usize,
    new_bytes: usize,
) -> *mut u8 {
    // SAFETY: the canonical ABI passes either nothing or a block from here, with its original layout.
    let block = unsafe {
        let layout = Layout::from_size_align_unchecked(old_bytes, align);
        if old_bytes == 0 {
            ALLOCATOR.alloc(Layout::from_size_align_unchecked(new_bytes, align))
        } else {
            ALLOCATOR.realloc(old, layout, new_bytes)
        }
    };
    if block.is_null() {
        wasm32::unreachable()
    }
    block
}

/// Writes a panic to the log, then traps: the host answers 500.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let place = info.location().map(ToString::to_string);
    report_panic(&info.message().to_string(), place.as_deref());
    wasm32::unreachable()
}
