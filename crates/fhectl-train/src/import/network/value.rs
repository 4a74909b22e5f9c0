//! What names of a network's graph stand for.

use super::tensor::Tensor;
use std::rc::Rc;

/// What a name of the graph stands for.
#[derive(Clone)]
pub(super) enum Value {
    Tensor(Rc<Tensor>),
    /// The scores behind probabilities.
    Scores(Rc<Tensor>),
    /// The scores behind a class.
    Class(Rc<Tensor>),
}
