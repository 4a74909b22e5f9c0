//! What names of a graph stand for: tensors of sums, or of texts, of one row.

use super::lin::Lin;
use crate::import::edge::Precision;
use std::rc::Rc;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Numbers(Rc<Tensor>),
    Texts(Rc<Texts>),
}

/// Numbers in row-major order.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<Lin>,
    pub kind: Kind,
    pub origin: Origin,
    /// Where the numbers say which class it is.
    pub label: Option<Rc<Label>>,
}

/// Texts in row-major order.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    pub shape: Vec<usize>,
    pub values: Vec<Text>,
    /// Where the text is the name of a class.
    pub label: Option<Rc<Label>>,
}

/// A text.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Known(Rc<str>),
    /// What is in a column's cell, and what was done to it.
    Cell {
        column: u32,
        lower: bool,
        stop_words: bool,
        words: bool,
    },

    /// The name at an index that is computed.
    Computed,
}

/// The class whose score is the largest.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub names: Vec<String>,
    /// One a class.
    pub scores: Vec<Lin>,
}

/// What kind of numbers a tensor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of 32 bits.
    Single,
    /// Of 64 bits.
    Double,
    Whole,
    /// 0 or 1.
    Truth,
}

/// Where numbers come from: functions of the row that a model takes are public, sums that it makes are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// Constants and the row.
    Data,
    /// Sums over a part of the row.
    Summed,
    /// Products with a matrix: a projection of the row, or a model.
    Mapped,
    /// What a model's own operator made.
    Model,
}

impl Tensor {
    pub fn new(shape: Vec<usize>, values: Vec<Lin>, kind: Kind, origin: Origin) -> Self {
        Self { shape, values, kind, origin, label: None }
    }

    /// One row of numbers.
    pub fn row(values: Vec<Lin>, kind: Kind, origin: Origin) -> Self {
        Self::new(vec![1, values.len()], values, kind, origin)
    }

    /// The numbers where all are constants.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        self.values.iter().map(Lin::number).collect()
    }

    pub fn precision(&self) -> Precision {
        if self.kind == Kind::Single { Precision::Single } else { Precision::Double }
    }

    pub fn value(self) -> Value {
        Value::Numbers(Rc::new(self))
    }
}

impl Value {
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Numbers(numbers) => &numbers.shape,
            Self::Texts(texts) => &texts.shape,
        }
    }

    /// The elements at `indices`, in this shape. What says which class it is still does.
    pub fn take(&self, shape: Vec<usize>, indices: &[usize]) -> Self {
        match self {
            Self::Numbers(numbers) => {
                let values = indices.iter().map(|index| numbers.values[*index].clone()).collect();
                Tensor { shape, values, label: numbers.label.clone(), ..Tensor::clone_head(numbers) }.value()
            }
            Self::Texts(texts) => {
                let values = indices.iter().map(|index| texts.values[*index].clone()).collect();
                Self::Texts(Rc::new(Texts { shape, values, label: texts.label.clone() }))
            }
        }
    }

    /// How many numbers it takes to hold.
    pub fn size(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.values.iter().map(Lin::size).sum(),
            Self::Texts(texts) => texts.values.len(),
        }
    }
}

impl Tensor {
    /// All but the numbers.
    fn clone_head(of: &Self) -> Self {
        Self { shape: Vec::new(), values: Vec::new(), kind: of.kind, origin: of.origin, label: None }
    }
}
