//! What names of a network's graph stand for.

use super::tensor::SymbolicTensor;
use fhectl_core::model::Function;
use std::rc::Rc;

/// What a name of the graph stands for.
#[derive(Clone)]
pub(super) enum NamedValue {
    Tensor(Rc<SymbolicTensor>),
    /// The scores behind probabilities.
    Scores(Rc<SymbolicTensor>),
    /// A number and the function of it that a client computes.
    Linked(Rc<SymbolicTensor>, Function),
    /// The scores behind a class.
    Class(Rc<SymbolicTensor>),
}
