//! What is told to the machine about memory: what will be read next, and which pages should be large. Neither changes what
//! is computed.
//!
//! The only unsafe code of this crate. There is no safe way to say either.
#![allow(unsafe_code)]

use super::block::Block;

/// Asks for blocks that will be read soon, into the second-level cache.
#[inline(always)]
pub fn fetch(blocks: &[Block]) {
    #[cfg(target_arch = "x86_64")]
    for block in blocks {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: prefetching reads nothing that could be seen, any address will do, and SSE is part of x86-64.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(block.re.as_ptr().cast());
            _mm_prefetch::<_MM_HINT_T1>(block.im.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = blocks;
}

/// Makes room for `len` blocks, on huge pages where the operating system has some.
///
/// Tens of megabytes pass by in every blind rotation: on pages of 4 KB most of them miss the cache of addresses.
pub fn reserve(blocks: &mut Vec<Block>, len: usize) {
    if blocks.capacity() >= len {
        return;
    }
    // What an old buffer holds is not needed, and copying it would cost.
    *blocks = Vec::with_capacity(len);
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{Advice, madvise};
        const PAGE: usize = 4096;
        let spare = blocks.spare_capacity_mut();
        let bytes = size_of_val(spare);
        let start = spare.as_mut_ptr().cast::<u8>();
        let skipped = start.align_offset(PAGE).min(bytes);
        let whole = (bytes - skipped) / PAGE * PAGE;
        // SAFETY: the pages lie within an allocation that is ours alone, and the advice changes nothing that can be read
        // from them. Where it fails, pages stay as they are.
        let _ = unsafe { madvise(start.add(skipped).cast(), whole, Advice::LinuxHugepage) };
    }
}
