//! Butterflies: polynomials modulo `X^m - c` to polynomials modulo its factors, and back.
//!
//! `X^m - c` splits into `X^(m/4) - w` for the four fourth roots `w` of `c`, or into `X^(m/2) - w` for the two square roots.
//! Elements of a polynomial that are a quarter (half) apart go into each element of its factors, and all take the same
//! twiddle factors.

use super::complex::{Complex, add, add_turned, mul, mul_conjugate, sub, sub_turned};
use super::vector::Vector;

/// Splittings of a butterfly: the first, then one of each of its up to four factors.
pub const NODES: usize = 5;

/// Twiddle factors of a butterfly: for each splitting `w`, `w^2` and `w^3` for a fourth root `w` of `c`. A splitting in two
/// takes `w^2`.
pub trait Factors<S: Vector> {
    fn get(&self, s: S, node: usize, power: usize) -> Complex<S::f64s>;
}

/// A butterfly on the points of a context, in place or from one place to another: every point is loaded before the first
/// is stored.
pub trait Radix {
    const POINTS: usize;

    fn forward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    );

    /// Undoes [`Radix::forward`], times [`Radix::POINTS`].
    fn backward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    );
}

/// No butterfly: the only point stays.
pub struct One;
pub struct Two;
pub struct Four;
pub struct Eight;
pub struct Sixteen;

/// Splits in four. The factors' roots are `w`, `-w`, `i w`, `-i w`.
#[inline(always)]
fn split<S: Vector>(s: S, x: [Complex<S::f64s>; 4], node: usize, factors: &impl Factors<S>) -> [Complex<S::f64s>; 4] {
    let b = mul(s, x[1], factors.get(s, node, 0));
    let c = mul(s, x[2], factors.get(s, node, 1));
    let d = mul(s, x[3], factors.get(s, node, 2));
    let (even, odd) = (add(s, x[0], c), sub(s, x[0], c));
    let (sum, difference) = (add(s, b, d), sub(s, b, d));
    [add(s, even, sum), sub(s, even, sum), add_turned(s, odd, difference), sub_turned(s, odd, difference)]
}

/// Undoes [`split`], times four.
#[inline(always)]
fn join<S: Vector>(s: S, y: [Complex<S::f64s>; 4], node: usize, factors: &impl Factors<S>) -> [Complex<S::f64s>; 4] {
    let (even, sum) = (add(s, y[0], y[1]), sub(s, y[0], y[1]));
    let (odd, difference) = (add(s, y[2], y[3]), sub(s, y[2], y[3]));
    [
        add(s, even, odd),
        mul_conjugate(s, sub_turned(s, sum, difference), factors.get(s, node, 0)),
        mul_conjugate(s, sub(s, even, odd), factors.get(s, node, 1)),
        mul_conjugate(s, add_turned(s, sum, difference), factors.get(s, node, 2)),
    ]
}

/// Splits in two. The factors' roots are `w^2` and `-w^2`.
#[inline(always)]
fn halve<S: Vector>(s: S, x: [Complex<S::f64s>; 2], node: usize, factors: &impl Factors<S>) -> [Complex<S::f64s>; 2] {
    let b = mul(s, x[1], factors.get(s, node, 1));
    [add(s, x[0], b), sub(s, x[0], b)]
}

/// Undoes [`halve`], times two.
#[inline(always)]
fn double<S: Vector>(s: S, y: [Complex<S::f64s>; 2], node: usize, factors: &impl Factors<S>) -> [Complex<S::f64s>; 2] {
    [add(s, y[0], y[1]), mul_conjugate(s, sub(s, y[0], y[1]), factors.get(s, node, 1))]
}

impl Radix for One {
    const POINTS: usize = 1;

    #[inline(always)]
    fn forward<S: Vector, C: ?Sized>(
        _: S,
        _: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        let x = load(context, 0);
        store(context, 0, x);
    }

    #[inline(always)]
    fn backward<S: Vector, C: ?Sized>(
        _: S,
        _: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        let y = load(context, 0);
        store(context, 0, y);
    }
}

impl Radix for Two {
    const POINTS: usize = 2;

    #[inline(always)]
    fn forward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        let [y0, y1] = halve(s, [load(context, 0), load(context, 1)], 0, factors);
        store(context, 0, y0);
        store(context, 1, y1);
    }

    #[inline(always)]
    fn backward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        let [x0, x1] = double(s, [load(context, 0), load(context, 1)], 0, factors);
        store(context, 0, x0);
        store(context, 1, x1);
    }
}

impl Radix for Four {
    const POINTS: usize = 4;

    #[inline(always)]
    fn forward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        let x = [load(context, 0), load(context, 1), load(context, 2), load(context, 3)];
        let [y0, y1, y2, y3] = split(s, x, 0, factors);
        store(context, 0, y0);
        store(context, 1, y1);
        store(context, 2, y2);
        store(context, 3, y3);
    }

    #[inline(always)]
    fn backward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        let y = [load(context, 0), load(context, 1), load(context, 2), load(context, 3)];
        let [x0, x1, x2, x3] = join(s, y, 0, factors);
        store(context, 0, x0);
        store(context, 1, x1);
        store(context, 2, x2);
        store(context, 3, x3);
    }
}

// Unrolled by macros: values must stay in registers, and `array::from_fn` is not inlined.

impl Radix for Eight {
    const POINTS: usize = 8;

    #[inline(always)]
    fn forward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        macro_rules! column {
            ($q:literal) => {
                split(
                    s,
                    [load(context, $q), load(context, $q + 2), load(context, $q + 4), load(context, $q + 6)],
                    0,
                    factors,
                )
            };
        }
        let (a, b) = (column!(0), column!(1));
        macro_rules! row {
            ($q:literal) => {
                let [y0, y1] = halve(s, [a[$q], b[$q]], 1 + $q, factors);
                store(context, 2 * $q, y0);
                store(context, 2 * $q + 1, y1);
            };
        }
        row!(0);
        row!(1);
        row!(2);
        row!(3);
    }

    #[inline(always)]
    fn backward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        macro_rules! row {
            ($q:literal) => {
                double(s, [load(context, 2 * $q), load(context, 2 * $q + 1)], 1 + $q, factors)
            };
        }
        let (a, b, c, d) = (row!(0), row!(1), row!(2), row!(3));
        macro_rules! column {
            ($q:literal) => {
                let [x0, x1, x2, x3] = join(s, [a[$q], b[$q], c[$q], d[$q]], 0, factors);
                store(context, $q, x0);
                store(context, $q + 2, x1);
                store(context, $q + 4, x2);
                store(context, $q + 6, x3);
            };
        }
        column!(0);
        column!(1);
    }
}

impl Radix for Sixteen {
    const POINTS: usize = 16;

    #[inline(always)]
    fn forward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        macro_rules! column {
            ($q:literal) => {
                split(
                    s,
                    [load(context, $q), load(context, $q + 4), load(context, $q + 8), load(context, $q + 12)],
                    0,
                    factors,
                )
            };
        }
        let (a, b, c, d) = (column!(0), column!(1), column!(2), column!(3));
        macro_rules! row {
            ($q:literal) => {
                let [y0, y1, y2, y3] = split(s, [a[$q], b[$q], c[$q], d[$q]], 1 + $q, factors);
                store(context, 4 * $q, y0);
                store(context, 4 * $q + 1, y1);
                store(context, 4 * $q + 2, y2);
                store(context, 4 * $q + 3, y3);
            };
        }
        row!(0);
        row!(1);
        row!(2);
        row!(3);
    }

    #[inline(always)]
    fn backward<S: Vector, C: ?Sized>(
        s: S,
        factors: &impl Factors<S>,
        context: &mut C,
        load: impl Fn(&C, usize) -> Complex<S::f64s>,
        store: impl Fn(&mut C, usize, Complex<S::f64s>),
    ) {
        macro_rules! row {
            ($q:literal) => {{
                let first = 4 * $q;
                let y = [
                    load(context, first),
                    load(context, first + 1),
                    load(context, first + 2),
                    load(context, first + 3),
                ];
                join(s, y, 1 + $q, factors)
            }};
        }
        let (a, b, c, d) = (row!(0), row!(1), row!(2), row!(3));
        macro_rules! column {
            ($q:literal) => {
                let [x0, x1, x2, x3] = join(s, [a[$q], b[$q], c[$q], d[$q]], 0, factors);
                store(context, $q, x0);
                store(context, $q + 4, x1);
                store(context, $q + 8, x2);
                store(context, $q + 12, x3);
            };
        }
        column!(0);
        column!(1);
        column!(2);
        column!(3);
    }
}
