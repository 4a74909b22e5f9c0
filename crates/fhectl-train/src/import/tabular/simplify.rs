//! Functions of sums, written in one way where exporters write them in several: `1 / (1 + exp(-x))` is a sigmoid, a power
//! of two a product, a positive number is its own magnitude.

use super::arena::{Arena, Side};
use super::atom::{Atom, Op};
use super::lin::Lin;
use crate::import::edge::{Precision, above, at_least};
use crate::import::onnx::unsupported;
use fhectl_core::error::Result;
use fhectl_core::model::{ColumnRule, Function};

/// The most products that a square of sums is written out as.
const MAX_PRODUCTS: usize = 1 << 13;

/// A product of more factors is not taken apart again.
const MAX_FACTORS: usize = 16;

/// What a product of two sums of the row is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Products {
    /// A number of the client's before encryption.
    Row,
    /// A function of scores.
    Score,
    /// A model's own: a sum of products of numbers of the row, so that the sums themselves stay unknown.
    Expanded,
}

impl Arena {
    pub fn rule(&mut self, rule: ColumnRule, of: &Lin, as_score: bool) -> Result<Lin> {
        self.one(Op::Rule(rule), vec![of.clone()], as_score)
    }

    pub fn function(&mut self, function: Function, of: &Lin, as_score: bool) -> Result<Lin> {
        self.rule(ColumnRule::Apply { function }, of, as_score)
    }

    /// Of two sums that are each other's negative one sigmoid is an atom, so that the two add up to 1.
    pub fn sigmoid(&mut self, x: &Lin, as_score: bool) -> Result<Lin> {
        match x.terms().first() {
            Some((_, factor)) if *factor < 0.0 => {
                let other = self.function(Function::Sigmoid, &x.negated(), as_score)?;
                Ok(Lin::constant(1.0).minus(&other))
            }
            _ => self.function(Function::Sigmoid, x, as_score),
        }
    }

    /// Of `x[i] - log(sum of exp(x))` the softmax.
    pub fn exp(&mut self, x: &Lin, as_score: bool) -> Result<Lin> {
        for (atom, factor) in x.terms().iter().filter(|(_, factor)| *factor == 1.0) {
            let Some(softmax) = self.argument(*atom, Function::Log).and_then(|log| log.pure()) else { continue };
            let Atom::Part { op: Op::Softmax, of, index: 0 } = self.atom(softmax) else { continue };
            let rest = Lin::sum([(1.0, x), (-factor, &Lin::atom(*atom)), (1.0, &of[0])]);
            if let Some(place) = of.iter().position(|one| one.near(&rest)) {
                return Ok(Lin::atom(softmax + place as u32));
            }
        }
        self.function(Function::Exp, x, as_score)
    }

    /// What a function is taken of, where an atom is that function.
    pub fn argument(&self, atom: u32, function: Function) -> Option<&Lin> {
        match self.atom(atom) {
            Atom::Made { op: Op::Rule(ColumnRule::Apply { function: made }), of } if *made == function => of.first(),
            _ => None,
        }
    }

    pub fn inverse(&mut self, x: &Lin, as_score: bool) -> Result<Lin> {
        if let Some((atom, 1.0, 1.0)) = x.single()
            && let Some(power) = self.argument(atom, Function::Exp)
        {
            let power = power.negated();
            return self.sigmoid(&power, as_score);
        }
        self.function(Function::Inverse, x, as_score)
    }

    pub fn abs(&mut self, x: &Lin, as_score: bool) -> Result<Lin> {
        let (low, high) = self.bounds(x);
        if low >= 0.0 {
            Ok(x.clone())
        } else if high <= 0.0 {
            Ok(x.negated())
        } else {
            self.function(Function::Abs, x, as_score)
        }
    }

    /// 1 where a number is not 0, else 0.
    pub fn truth(&mut self, x: &Lin, as_score: bool) -> Result<Lin> {
        let (low, high) = self.bounds(x);
        if low > 0.0 || high < 0.0 {
            return Ok(Lin::constant(1.0));
        }
        let zero = self.rule(ColumnRule::OneOf { values: vec![0.0], missing: false }, x, as_score)?;
        Ok(Lin::constant(1.0).minus(&zero))
    }

    /// 1 where `x` is more than 0, or at least 0 where it may be `equal`; else 0.
    pub fn positive(&mut self, x: &Lin, equal: bool, precision: Precision, as_score: bool) -> Result<Lin> {
        if let Some((atom, factor, bias)) = x.single().filter(|_| self.side([x]) == Some(Side::Row) && !as_score) {
            // Numbers of the row are compared as the tool compares them, which may be in 32 bits.
            let plain = matches!(self.atom(atom), Atom::Input(_)) && factor.abs() == 1.0;
            let precision = if plain { precision } else { Precision::Double };
            let threshold = -bias / factor;
            let edge =
                if (factor > 0.0) == equal { at_least(threshold, precision) } else { above(threshold, precision) };
            if edge.is_finite() {
                let over = self.rule(ColumnRule::AtLeast { edge }, &Lin::atom(atom), false)?;
                return Ok(if factor > 0.0 { over } else { Lin::constant(1.0).minus(&over) });
            }
        }
        match equal {
            true => self.rule(ColumnRule::AtLeast { edge: 0.0 }, x, as_score),
            false => self.function(Function::Positive, x, as_score),
        }
    }

    pub fn product(&mut self, a: &Lin, b: &Lin, how: Products) -> Result<Lin> {
        match (a.number(), b.number()) {
            (Some(factor), _) => return Ok(b.scaled(factor)),
            (_, Some(factor)) => return Ok(a.scaled(factor)),
            _ => {}
        }
        let terms = a.terms().len().saturating_mul(b.terms().len());
        if how == Products::Expanded && terms <= MAX_PRODUCTS && self.side([a, b]) == Some(Side::Row) {
            return self.expanded(a, b);
        }
        let mut factors = Vec::new();
        for factor in [a, b] {
            // A product of products is one.
            match factor.pure().map(|atom| self.atom(atom)) {
                Some(Atom::Made { op: Op::Product, of }) if of.len() <= MAX_FACTORS => {
                    factors.extend(of.iter().cloned())
                }
                _ => factors.push(factor.clone()),
            }
        }
        self.one(Op::Product, factors, how != Products::Row)
    }

    fn expanded(&mut self, a: &Lin, b: &Lin) -> Result<Lin> {
        self.spend(a.size().saturating_mul(b.size()))?;
        let mut terms = Vec::new();
        for (first, x) in a.terms() {
            for (second, y) in b.terms() {
                let pair = vec![Lin::atom(*first.min(second)), Lin::atom(*first.max(second))];
                let product = self.one(Op::Product, pair, false)?;
                self.expanded.extend(product.pure());
                terms.extend(product.terms().iter().map(|(atom, factor)| (*atom, factor * x * y)));
            }
        }
        let linear = Lin::sum([(b.bias, a), (a.bias, b)]);
        terms.extend_from_slice(linear.terms());
        Ok(Lin::of(terms, a.bias * b.bias))
    }

    /// # Errors
    /// `onnx_unsupported` for a power that is computed of a base that is, too.
    pub fn power(&mut self, base: &Lin, exponent: &Lin, how: Products) -> Result<Lin> {
        let as_score = how != Products::Row;
        match (base.number(), exponent.number()) {
            (Some(base), Some(exponent)) => Ok(Lin::constant(libm::pow(base, exponent))),
            (_, Some(0.0)) => Ok(Lin::constant(1.0)),
            (_, Some(1.0)) => Ok(base.clone()),
            (_, Some(2.0)) => self.product(base, base, how),
            (_, Some(power @ (3.0 | 4.0))) => {
                let how = if how == Products::Expanded { Products::Score } else { how };
                let mut made = base.clone();
                for _ in 1..power as usize {
                    made = self.product(&made, base, how)?;
                }
                Ok(made)
            }
            (_, Some(0.5)) => self.function(Function::Sqrt, base, as_score),
            (_, Some(-1.0)) => self.inverse(base, as_score),
            (_, Some(exponent)) => self.function(Function::Power { exponent }, base, as_score),
            (Some(base), None) if base > 0.0 => self.exp(&exponent.scaled(libm::log(base)), as_score),
            _ => Err(unsupported("a power of two computed numbers")),
        }
    }

    /// `yes` where `which` is not 0, else `no`.
    pub fn choose(&mut self, which: &Lin, yes: &Lin, no: &Lin, as_score: bool) -> Result<Lin> {
        if yes == no {
            return Ok(yes.clone());
        }
        match (which.number(), yes.number(), no.number()) {
            (Some(which), ..) => return Ok(if which != 0.0 { yes.clone() } else { no.clone() }),
            (_, Some(value), None) if self.is_missing(which, no) => {
                return self.rule(ColumnRule::Impute { value }, no, as_score);
            }
            (_, None, Some(value)) if self.is_missing(&Lin::constant(1.0).minus(which), yes) => {
                return self.rule(ColumnRule::Impute { value }, yes, as_score);
            }
            _ => {}
        }
        self.one(Op::Choose, vec![which.clone(), yes.clone(), no.clone()], as_score)
    }

    /// Whether `which` says that `of` is missing.
    fn is_missing(&self, which: &Lin, of: &Lin) -> bool {
        let asked = which.pure().map(|atom| self.atom(atom));
        matches!(asked, Some(Atom::Made { op: Op::Rule(ColumnRule::Missing), of: one }) if one[0] == *of)
    }

    pub fn largest(&mut self, of: Vec<Lin>, as_score: bool) -> Result<Lin> {
        if of.windows(2).all(|pair| pair[0] == pair[1]) {
            return of.into_iter().next().ok_or_else(|| unsupported("the largest of no numbers"));
        }
        if let [a, b] = &of[..] {
            let (sum, low) = if b.number().is_some() { (a, b) } else { (b, a) };
            if let Some(low) = low.number() {
                return self.clipped(sum, low, f64::MAX, as_score);
            }
        }
        self.one(Op::Largest, of, as_score)
    }

    pub fn clipped(&mut self, x: &Lin, low: f64, high: f64, as_score: bool) -> Result<Lin> {
        let (least, most) = self.bounds(x);
        let (low, high) = (low.max(-f64::MAX), high.min(f64::MAX));
        if (least >= low && most <= high) || (low == -f64::MAX && high == f64::MAX) {
            return Ok(x.clone());
        }
        self.rule(ColumnRule::Clip { low, high }, x, as_score)
    }

    /// What all add alike changes nothing, so it is left out where it is a function of scores.
    pub fn softmax(&mut self, of: Vec<Lin>, as_score: bool) -> Result<Vec<Lin>> {
        let shared: Vec<(u32, f64)> = match of.split_first() {
            Some((first, rest)) => {
                let everywhere = |term: &&(u32, f64)| {
                    self.side_of(term.0) == Side::Score && rest.iter().all(|one| one.terms().contains(term))
                };
                first.terms().iter().filter(everywhere).copied().collect()
            }
            None => Vec::new(),
        };
        let shared = Lin::of(shared, 0.0);
        let of = of.iter().map(|one| one.minus(&shared)).collect();
        self.apply(Op::Softmax, of, as_score)
    }

    /// `log(sum of exp(x))`, written so that [`Arena::exp`] knows it again.
    pub fn log_sum_exp(&mut self, of: Vec<Lin>, as_score: bool) -> Result<Lin> {
        let first = of.first().cloned().ok_or_else(|| unsupported("a sum of nothing"))?;
        let share = self.apply(Op::Softmax, of, as_score)?.swap_remove(0);
        let log = self.function(Function::Log, &share, as_score)?;
        Ok(first.minus(&log))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_written_in_one_way() {
        let mut arena = Arena::default();
        let (x, y) = (arena.input(0), arena.input(1));
        let score = x.plus(&y.scaled(-2.0));
        let sigmoid = arena.sigmoid(&score, true).unwrap();
        let mirrored = arena.sigmoid(&score.negated(), true).unwrap();
        assert_eq!(sigmoid.plus(&mirrored).number(), Some(1.0));
        let power = arena.exp(&score.negated(), true).unwrap();
        assert_eq!(arena.inverse(&power.shifted(1.0), true).unwrap(), sigmoid);
        assert_eq!(arena.abs(&mirrored, true).unwrap(), mirrored);
        assert_eq!(arena.truth(&sigmoid.plus(&mirrored.scaled(0.5)), true).unwrap().number(), Some(1.0));
        let scores = vec![score.clone(), x.clone(), y.clone()];
        let shares = arena.softmax(scores.clone(), true).unwrap();
        let log = arena.log_sum_exp(scores.clone(), true).unwrap();
        for (score, share) in scores.iter().zip(&shares) {
            assert_eq!(arena.exp(&score.minus(&log), true).unwrap(), *share);
        }
        let missing = arena.rule(ColumnRule::Missing, &x, false).unwrap();
        let filled = arena.choose(&missing, &Lin::constant(3.0), &x, false).unwrap();
        assert_eq!(filled, arena.rule(ColumnRule::Impute { value: 3.0 }, &x, false).unwrap());
    }

    #[test]
    fn squares_are_written_out_where_sums_are_secret() {
        let mut arena = Arena::default();
        let (x, y) = (arena.input(0), arena.input(1));
        let sum = Lin::sum([(2.0, &x), (-1.0, &y)]).shifted(3.0);
        let square = arena.product(&sum, &sum, Products::Expanded).unwrap();
        // (2x - y + 3)^2 = 4xx - 4xy + yy + 12x - 6y + 9
        let xy = arena.product(&x, &y, Products::Expanded).unwrap();
        let factor = |of: &Lin| square.terms().iter().find(|term| Some(term.0) == of.pure()).map(|term| term.1);
        assert_eq!(square.bias, 9.0);
        assert_eq!((factor(&xy), factor(&x), factor(&y)), (Some(-4.0), Some(12.0), Some(-6.0)));
        assert_eq!(square.terms().len(), 5);
        assert_eq!(arena.product(&sum, &sum, Products::Row).unwrap().terms().len(), 1);
    }
}
