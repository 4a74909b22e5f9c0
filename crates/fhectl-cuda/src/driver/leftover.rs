//! What is left of a device that was given up.
#![allow(unsafe_code)]

use cudarc::driver::sys::{self, CUresult};
use std::ptr::null_mut;
use std::slice;
use std::thread;
use zeroize::Zeroize;

/// Memory that could not be freed while the device may have been working on it.
pub(super) enum Leftover {
    Device {
        pointer: u64,
        bytes: usize,
    },
    /// Page-locked memory of this machine, by its address.
    Pinned {
        address: usize,
        bytes: usize,
    },
}

/// Wipes and frees memory, then gives the context back, once the device is done with what it was at. That may be never: a
/// thread of its own waits for it, and nobody waits for the thread.
pub(super) fn free(device: sys::CUdevice, context: sys::CUcontext, leftovers: Vec<Leftover>) {
    let context = context as usize;
    let work = move || {
        // SAFETY: the context is retained until the last line.
        let current = unsafe { sys::cuCtxSetCurrent(context as sys::CUcontext) };
        // SAFETY: waits for all streams of the context that is current.
        let done = current == CUresult::CUDA_SUCCESS && unsafe { sys::cuCtxSynchronize() } == CUresult::CUDA_SUCCESS;
        if done {
            leftovers.iter().for_each(wipe);
            // SAFETY: as above. What was wiped is wiped before it is freed.
            let _ = unsafe { sys::cuCtxSynchronize() };
            leftovers.iter().for_each(free_one);
        }
        // SAFETY: retained once, released once. Nothing else of this opening is left.
        let _ = unsafe { sys::cuDevicePrimaryCtxRelease_v2(device) };
    };
    let _ = thread::Builder::new().name("cuda-leftovers".to_owned()).spawn(work);
}

fn wipe(leftover: &Leftover) {
    match leftover {
        Leftover::Device { pointer, bytes } if *bytes > 0 => {
            // SAFETY: so many bytes were this buffer's, which was dropped; no work of the device is left.
            let _ = unsafe { sys::cuMemsetD8Async(*pointer, 0, *bytes, null_mut()) };
        }
        Leftover::Device { .. } => {}
        Leftover::Pinned { address, bytes } => {
            // SAFETY: so many bytes are still mapped, and nobody else has them any more.
            unsafe { slice::from_raw_parts_mut(*address as *mut u8, *bytes) }.zeroize();
        }
    }
}

fn free_one(leftover: &Leftover) {
    // An error has nobody to go to.
    let _ = match leftover {
        // SAFETY: allocated once, freed once.
        Leftover::Device { pointer, .. } => unsafe { sys::cuMemFree_v2(*pointer) },
        // SAFETY: as above.
        Leftover::Pinned { address, .. } => unsafe { sys::cuMemFreeHost(*address as *mut _) },
    };
}
