//! The allocator of connectors: it only ever moves forward.
//!
//! The host runs each call in a fresh instance and drops its memory as a whole, so giving a block back is worth nothing and
//! looking for a free one costs. Freeing does nothing; growing the block made last happens in place. An instance that is
//! called again and again would run out of memory: build it without the feature `bump-allocator`.
//!
//! Memory is taken from the system's allocator in large pieces, because C code in the standard library uses that one too and
//! both would otherwise begin at the same address.
//!
//! This is the SDK's only hand-written unsafe code.
#![allow(unsafe_code, reason = "GlobalAlloc is an unsafe trait; the safety comments say why each use is sound")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

/// A piece is at least this large, in bytes: a page of 100 orders needs a handful, a small call only one.
const PIECE: usize = 256 * 1024;

/// See the module. Installed by [`export!`](crate::export).
#[derive(Debug)]
pub struct BumpAllocator {
    /// The first free byte of the present piece.
    next: Cell<usize>,
    /// The end of the present piece.
    end: Cell<usize>,
    /// Where the block made last begins: the only one that can grow in place.
    last: Cell<usize>,
}

// SAFETY: an instance has one thread: the target has no threads, and the host's engine is built without them.
unsafe impl Sync for BumpAllocator {}

impl BumpAllocator {
    /// An allocator without memory; it takes its first piece when it is first asked.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: Cell::new(0), end: Cell::new(0), last: Cell::new(0) }
    }

    /// A block from a new piece; null where there is no memory left.
    #[cold]
    #[inline(never)]
    fn take_new_piece(&self, layout: Layout) -> *mut u8 {
        let Some(needed) = layout.size().checked_add(layout.align()) else { return ptr::null_mut() };
        let Ok(piece) = Layout::from_size_align(needed.max(PIECE), 16) else { return ptr::null_mut() };
        // SAFETY: the layout's size is not zero.
        let begin = unsafe { System.alloc(piece) } as usize;
        if begin == 0 {
            return ptr::null_mut();
        }
        let start = begin.next_multiple_of(layout.align());
        self.next.set(start + layout.size());
        self.end.set(begin + piece.size());
        self.last.set(start);
        start as *mut u8
    }
}

impl Default for BumpAllocator {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: blocks never overlap, since `next` only moves up within a piece and past each block, and pieces are blocks of the
// system's allocator that are never given back; they are aligned by rounding `next` up.
unsafe impl GlobalAlloc for BumpAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Alignment is a power of two; an address near the end of memory wraps to a small one and fails the second test.
        let start = self.next.get().wrapping_add(layout.align() - 1) & !(layout.align() - 1);
        let end = start.wrapping_add(layout.size());
        if end > self.end.get() || end < self.next.get() {
            return self.take_new_piece(layout);
        }
        self.next.set(end);
        self.last.set(start);
        start as *mut u8
    }

    #[inline]
    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block as usize;
        if start == self.last.get() && size <= self.end.get() - start {
            self.next.set(start + size);
            return block;
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the caller promises that the size is valid for this alignment.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both blocks are ours and do not overlap; the old one is `layout.size()` long, the new one longer.
            unsafe { ptr::copy_nonoverlapping(block, moved, layout.size()) };
        }
        moved
    }
}
