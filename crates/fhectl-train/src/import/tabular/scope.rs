//! The values of all names that a node may take.

use super::row::Row;
use super::value::Formula;
use crate::import::derived::Derived;
use crate::import::onnx::{Graph, Node, unsupported};
use fhectl_core::error::Result;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The value of each name, or why there is none.
pub(super) struct Scope<'a> {
    pub graph: &'a Graph,
    pub values: BTreeMap<&'a str, Result<Formula>>,
    /// What trees ask for beside the row's own numbers.
    pub derived: RefCell<Derived>,
}

impl Scope<'_> {
    /// The value of an input of a node.
    pub fn value(&self, node: &Node, index: usize) -> Result<Formula> {
        let name = node.input(index)?;
        match self.values.get(name) {
            Some(value) => value.clone(),
            None => Err(unsupported(format!("{} of constants", node.label()))),
        }
    }

    /// The row that a node takes first.
    pub fn row(&self, node: &Node) -> Result<Rc<Row>> {
        match self.value(node, 0)? {
            Formula::Row(row) => Ok(row),
            _ => Err(unsupported(format!("{} of something else than the row's features", node.label()))),
        }
    }

    /// A constant input as floats, stretched to `width`; `None` where the input is no constant.
    pub fn constant(&self, node: &Node, index: usize, width: usize) -> Result<Option<Vec<f64>>> {
        let Some(tensor) = self.graph.constant(node.input(index)?) else { return Ok(None) };
        let values = tensor.floats()?;
        match values[..] {
            [one] => Ok(Some(vec![one; width])),
            _ if values.len() == width && tensor.shape.last() == Some(&width) => Ok(Some(values)),
            _ => Err(unsupported(format!(
                "{}: a constant of shape {:?} beside {width} columns",
                node.label(),
                tensor.shape
            ))),
        }
    }

    /// A constant input as integers.
    pub fn indices(&self, node: &Node, index: usize) -> Result<&[i64]> {
        let tensor = self.graph.constant(node.input(index)?);
        tensor.ok_or_else(|| unsupported(format!("{} with indices that are computed", node.label())))?.ints()
    }
}
