//! Kernels: loading them, and starting them.
#![allow(unsafe_code)]

use super::context::Context;
use super::failure::opened;
use super::stream::Stream;
use cudarc::driver::sys;
use fhectl_core::error::Result;
use std::ffi::{CString, c_void};
use std::ptr::null_mut;
use std::sync::Arc;

/// Code that the driver compiled for the device.
pub(crate) struct Module {
    context: Arc<Context>,
    handle: sys::CUmodule,
}

/// An entry point of a module.
pub(crate) struct Function {
    module: Arc<Module>,
    handle: sys::CUfunction,
    name: &'static str,
}

// SAFETY: the driver's functions may be called from all threads; the handle is a number to them.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}
// SAFETY: as above.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

/// An argument of a kernel.
#[derive(Clone, Copy)]
pub(crate) enum Argument {
    /// An address on the device.
    Pointer(u64),
    Word(u32),
}

/// The threads that a kernel is started with.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    pub blocks: [usize; 3],
    /// Threads of a block.
    pub threads: usize,
    /// Bytes of dynamic shared memory of a block.
    pub shared: usize,
}

impl Module {
    /// Compiles PTX for the device.
    ///
    /// # Errors
    /// `device_unavailable` where the driver cannot compile it.
    pub fn load(context: &Arc<Context>, ptx: &str) -> Result<Arc<Self>> {
        let text = CString::new(ptx).expect("PTX has no zero byte");
        let mut handle = null_mut();
        context.bind()?;
        // SAFETY: the text ends with a zero, the pointer is to a handle.
        opened("cuModuleLoadData", unsafe { sys::cuModuleLoadData(&mut handle, text.as_ptr().cast()) })?;
        Ok(Arc::new(Self { context: context.clone(), handle }))
    }

    /// The entry point of this name. Blocks may ask for up to `shared` bytes of dynamic shared memory, where that is more
    /// than every kernel may have.
    ///
    /// # Errors
    /// `device_unavailable`.
    pub fn function(self: &Arc<Self>, name: &'static str, shared: usize) -> Result<Function> {
        /// What every kernel may have.
        const ALWAYS_ALLOWED: usize = 48 << 10;
        let c_name = CString::new(name).expect("names have no zero byte");
        let mut handle = null_mut();
        self.context.bind()?;
        // SAFETY: the module is alive, the name ends with a zero, the pointer is to a handle.
        opened(name, unsafe { sys::cuModuleGetFunction(&mut handle, self.handle, c_name.as_ptr()) })?;
        if shared > ALWAYS_ALLOWED {
            let attribute = sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            // SAFETY: the function is alive with its module.
            opened(name, unsafe { sys::cuFuncSetAttribute(handle, attribute, shared as i32) })?;
        }
        Ok(Function { module: self.clone(), handle, name })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        if self.context.bind().is_ok() {
            // SAFETY: loaded once, unloaded once. Its functions hold it.
            let _ = unsafe { sys::cuModuleUnload(self.handle) };
        }
    }
}

impl Function {
    /// Has the stream run the kernel.
    ///
    /// # Errors
    /// `device_failed`.
    ///
    /// # Safety
    /// The arguments are the kernel's in number, order and kind, and what they point to is as large as the kernel takes it
    /// to be with this grid.
    pub unsafe fn launch(&self, stream: &Stream, grid: Grid, arguments: &[Argument]) -> Result<()> {
        let [x, y, z] = grid.blocks.map(word);
        let mut parameters: Vec<*mut c_void> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Pointer(address) => std::ptr::from_ref(address).cast_mut().cast(),
                Argument::Word(number) => std::ptr::from_ref(number).cast_mut().cast(),
            })
            .collect();
        let (threads, shared) = (word(grid.threads), word(grid.shared));
        self.module.context.bind()?;
        // SAFETY: the driver reads the arguments before it returns; the rest is the caller's promise.
        let code = unsafe {
            let parameters = parameters.as_mut_ptr();
            sys::cuLaunchKernel(self.handle, x, y, z, threads, 1, 1, shared, stream.handle, parameters, null_mut())
        };
        self.module.context.check(self.name, code)
    }
}

/// A number of blocks, threads or bytes, which never come near 2^32.
fn word(number: usize) -> u32 {
    u32::try_from(number).expect("grids are small")
}
