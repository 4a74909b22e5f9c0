//! Windows that slide along the axes of an image or a sequence.

use crate::import::network::call::{Call, refused};
use crate::import::onnx::invalid;
use fhectl_core::error::Result;

/// Larger numbers than any network has, small enough that no sum of them overflows.
const MAX_SIZE: i64 = 1 << 16;

/// A window along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    size: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
    /// Places of the window.
    pub(super) outputs: usize,
}

impl Window {
    /// The windows of a node along the spatial axes of its input, of these sizes, for a kernel of these sizes.
    ///
    /// # Errors
    /// `onnx_invalid` for negative or huge kernels, strides, dilations and pads, and kernels larger than the padded
    /// image.
    pub(super) fn along(call: &Call<'_>, sizes: &[usize], kernel: &[usize]) -> Result<Vec<Self>> {
        let axes = sizes.len();
        let list = |name: &str, length: usize, default: i64, least: i64| -> Result<Vec<usize>> {
            let given = call.node.ints(name)?;
            let given = if given.is_empty() { vec![default; length] } else { given.to_vec() };
            let fits = given.len() == length && given.iter().all(|value| (least..=MAX_SIZE).contains(value));
            if !fits {
                return Err(invalid(format!("`{name}` of {given:?} for {axes} axes")));
            }
            Ok(given.iter().map(|value| *value as usize).collect())
        };
        if kernel.len() != axes || kernel.iter().any(|size| *size == 0 || *size > MAX_SIZE as usize) {
            return Err(invalid(format!("a kernel of {kernel:?} on an image of {sizes:?}")));
        }
        let (strides, dilations) = (list("strides", axes, 1, 1)?, list("dilations", axes, 1, 1)?);
        let pads = list("pads", 2 * axes, 0, 0)?;
        let auto = call.node.text("auto_pad", "NOTSET")?;
        let ceiling = call.node.int("ceil_mode", 0)? != 0;
        let window = |axis: usize| {
            let (size, kernel, stride, dilation) = (sizes[axis], kernel[axis], strides[axis], dilations[axis]);
            let reach = (kernel - 1) * dilation + 1;
            let (before, after) = match auto {
                "NOTSET" | "" => (pads[axis], pads[axes + axis]),
                "VALID" => (0, 0),
                "SAME_UPPER" | "SAME_LOWER" => {
                    let total = ((size.div_ceil(stride) - 1) * stride + reach).saturating_sub(size);
                    let less = total / 2;
                    if auto == "SAME_UPPER" { (less, total - less) } else { (total - less, less) }
                }
                other => return Err(invalid(format!("`auto_pad` of `{}`", other.escape_debug()))),
            };
            let padded = size + before + after;
            if reach > padded {
                return Err(invalid(format!("a kernel that reaches over {reach} of {padded} places")));
            }
            if before >= reach || after >= reach {
                return Err(refused(
                    format!("a padding of {before} and {after} for a kernel over {reach}"),
                    "pad by less than the kernel",
                ));
            }
            let mut outputs = (padded - reach) / stride + 1;
            // A last window that is cut off, as long as it starts on the image.
            if ceiling && (padded - reach) % stride != 0 && outputs * stride < size + before {
                outputs += 1;
            }
            Ok(Self { size, kernel, stride, dilation, before, after, outputs })
        };
        (0..axes).map(window).collect()
    }

    /// One window over a whole axis.
    pub(super) fn whole(size: usize) -> Self {
        Self { size, kernel: size, stride: 1, dilation: 1, before: 0, after: 0, outputs: 1 }
    }

    /// Where each tap of a window lies; `None` is outside the image.
    pub(super) fn taps(&self, output: usize) -> Vec<Option<usize>> {
        let place = |tap: usize| output * self.stride + tap * self.dilation;
        (0..self.kernel).map(|tap| place(tap).checked_sub(self.before).filter(|place| *place < self.size)).collect()
    }

    /// Taps of a window that lie on the padded image.
    pub(super) fn padded_taps(&self, output: usize) -> usize {
        let end = self.before + self.size + self.after;
        (0..self.kernel).filter(|tap| output * self.stride + tap * self.dilation < end).count()
    }
}
