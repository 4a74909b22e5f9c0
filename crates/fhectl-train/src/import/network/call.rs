//! One node with its inputs, as operators see it.

use super::tensor::{SymbolicTensor, axis};
use crate::import::onnx::{Node, invalid, unsupported};
use fhectl_core::error::{Error, Result};
use std::rc::Rc;

/// How a network is exported whose batch is not fixed.
pub(super) const DYNAMIC_BATCH: &str = "export it so that the first axis may have any size: `torch.onnx.export(model, \
     (x[:1],), \"model.onnx\", dynamic_shapes=({0: torch.export.Dim(\"batch\")},))`, in older versions \
     `dynamic_axes={\"input\": {0: \"batch\"}}`";

/// A node and the tensors it takes; an optional input that is not given is `None`.
pub(super) struct Call<'a> {
    pub(super) node: &'a Node,
    pub(super) inputs: Vec<Option<Rc<SymbolicTensor>>>,
    /// The element types of inputs that the file holds as constants.
    pub(super) elements: Vec<Option<i32>>,
    pub(super) opset: i64,
    /// The rows that the file is written for; 1 where their number is open.
    pub(super) batch: usize,
}

impl Call<'_> {
    /// # Errors
    /// `onnx_invalid` where the input is not given.
    pub(super) fn tensor(&self, index: usize) -> Result<&SymbolicTensor> {
        self.optional(index).ok_or_else(|| invalid(format!("input {index} is not given")))
    }

    pub(super) fn optional(&self, index: usize) -> Option<&SymbolicTensor> {
        self.inputs.get(index)?.as_deref()
    }

    /// The values of an input that must not depend on the row.
    ///
    /// # Errors
    /// `onnx_unsupported` where it does.
    pub(super) fn constant(&self, index: usize) -> Result<&[f64]> {
        self.tensor(index)?
            .values()
            .ok_or_else(|| refused(format!("input {index} depends on the row"), "make it a constant"))
    }

    /// The integers of an input, where it is given.
    ///
    /// # Errors
    /// As [`Call::constant`]; `onnx_invalid` for other numbers.
    pub(super) fn integers(&self, index: usize) -> Result<Option<Vec<i64>>> {
        if self.optional(index).is_none() {
            return Ok(None);
        }
        self.constant(index)?;
        match self.tensor(index)?.integers() {
            Some(integers) => Ok(Some(integers)),
            None => Err(invalid(format!("input {index} holds no integers"))),
        }
    }

    /// Axes that an attribute (in older operator sets) or an input gives, counted from the front.
    ///
    /// # Errors
    /// `onnx_invalid`.
    pub(super) fn axes(&self, input: usize, rank: usize) -> Result<Option<Vec<usize>>> {
        let given = match self.integers(input)? {
            Some(axes) => axes,
            None => self.node.ints("axes")?.to_vec(),
        };
        let mut axes = given.into_iter().map(|given| axis(given, rank)).collect::<Result<Vec<_>>>()?;
        axes.sort_unstable();
        axes.dedup();
        Ok((!axes.is_empty()).then_some(axes))
    }
}

/// What ONNX allows and no circuit here computes.
pub(super) fn refused(what: impl Into<String>, instead: impl Into<String>) -> Error {
    unsupported(what).hint(instead)
}
