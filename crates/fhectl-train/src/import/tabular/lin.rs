//! Sums of atoms: what every number of a graph is.

use std::rc::Rc;

/// The number of an atom among those of its [`super::arena::Arena`].
pub(super) type AtomId = u32;

/// `bias + sum of coefficient * atom`. Atoms rise and none comes twice; a coefficient is never 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lin {
    terms: Option<Rc<[(AtomId, f64)]>>,
    pub bias: f64,
}

impl Lin {
    /// A number.
    pub fn constant(bias: f64) -> Self {
        Self { terms: None, bias }
    }

    /// An atom.
    pub fn atom(atom: AtomId) -> Self {
        Self { terms: Some(Rc::from([(atom, 1.0)])), bias: 0.0 }
    }

    /// Of terms in any order.
    pub fn of(mut terms: Vec<(AtomId, f64)>, bias: f64) -> Self {
        terms.sort_by_key(|term| term.0);
        terms.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        terms.retain(|term| term.1 != 0.0);
        Self { terms: (!terms.is_empty()).then(|| terms.into()), bias }
    }

    /// `sum of factor * part`.
    pub fn sum<'a>(parts: impl IntoIterator<Item = (f64, &'a Self)>) -> Self {
        let mut bias = 0.0;
        let mut terms = Vec::new();
        for (factor, part) in parts {
            if factor != 0.0 {
                bias += factor * part.bias;
                terms.extend(part.terms().iter().map(|(atom, coefficient)| (*atom, coefficient * factor)));
            }
        }
        Self::of(terms, bias)
    }

    pub fn terms(&self) -> &[(AtomId, f64)] {
        self.terms.as_deref().unwrap_or_default()
    }

    /// The number, where it is one.
    pub fn number(&self) -> Option<f64> {
        self.terms.is_none().then_some(self.bias)
    }

    /// The atom, its coefficient and the bias, where there is one atom.
    pub fn single(&self) -> Option<(AtomId, f64, f64)> {
        match self.terms() {
            [(atom, coefficient)] => Some((*atom, *coefficient, self.bias)),
            _ => None,
        }
    }

    /// The atom, where it is nothing else.
    pub fn pure(&self) -> Option<AtomId> {
        self.single().filter(|(_, coefficient, bias)| *coefficient == 1.0 && *bias == 0.0).map(|(atom, ..)| atom)
    }

    pub fn scaled(&self, factor: f64) -> Self {
        Self::sum([(factor, self)])
    }

    pub fn negated(&self) -> Self {
        self.scaled(-1.0)
    }

    pub fn shifted(&self, by: f64) -> Self {
        Self { terms: self.terms.clone(), bias: self.bias + by }
    }

    pub fn plus(&self, other: &Self) -> Self {
        Self::sum([(1.0, self), (1.0, other)])
    }

    pub fn minus(&self, other: &Self) -> Self {
        Self::sum([(1.0, self), (-1.0, other)])
    }

    /// How many numbers it takes to hold.
    pub fn size(&self) -> usize {
        1 + self.terms().len()
    }

    /// Bytes that are the same for the same sum only.
    pub fn key(&self, bytes: &mut Vec<u8>) {
        bytes.extend((self.terms().len() as u32).to_le_bytes());
        for (atom, coefficient) in self.terms() {
            bytes.extend(atom.to_le_bytes());
            bytes.extend(coefficient.to_bits().to_le_bytes());
        }
        bytes.extend(self.bias.to_bits().to_le_bytes());
    }

    /// Whether the two differ by no more than rounding.
    pub fn near(&self, other: &Self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1e-3 + a.abs().max(b.abs()));
        self.terms().len() == other.terms().len()
            && near(self.bias, other.bias)
            && self.terms().iter().zip(other.terms()).all(|(a, b)| a.0 == b.0 && near(a.1, b.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_of_distinct_atoms() {
        let (a, b) = (Lin::atom(7), Lin::atom(2).shifted(1.0));
        let sum = Lin::sum([(2.0, &a), (3.0, &b), (1.0, &a)]);
        assert_eq!(sum.terms(), [(2, 3.0), (7, 3.0)]);
        assert_eq!(sum.bias, 3.0);
        assert_eq!(sum.minus(&sum).number(), Some(0.0));
        assert_eq!(a.pure(), Some(7));
        assert_eq!(b.single(), Some((2, 1.0, 1.0)));
        assert!(a.scaled(2.0).pure().is_none() && a.scaled(0.0).number() == Some(0.0));
    }
}
