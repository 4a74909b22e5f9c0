//! Twiddle factors of transforms.

use super::block::{Block, LANES, ROW, ZERO, nth};
use super::butterfly::{Factors, NODES};
use super::complex::Complex;
use super::vector::Vector;
use std::f64::consts::TAU;

/// `w`, `w^2`, `w^3` for each splitting of a butterfly.
pub type Splittings<T> = [[T; 3]; NODES];

const NONE: Splittings<Complex<f64>> = [[Complex { re: 0.0, im: 0.0 }; 3]; NODES];
/// Places for a butterfly's factors, a vector each.
const PLACES: usize = 16;

/// The twiddle factors of a transform, for a vector unit.
pub struct Twiddles {
    /// Splits long polynomials into some of 256 numbers.
    pub top: Splittings<Complex<f64>>,
    /// For each of those, the columns of its rows of sixteen.
    pub columns: Vec<Splittings<Complex<f64>>>,
    /// For each vector of rows, a row a lane: what splits the rows.
    rows: Vec<Block>,
    lanes: usize,
}

impl Twiddles {
    /// For `rows` rows of sixteen numbers and vectors of `lanes`.
    pub fn new(rows: usize, lanes: usize) -> Self {
        let tops = (rows / ROW).max(1);
        let (top, factors) = splittings(0.25, tops);
        let (columns, factors): (Vec<_>, Vec<_>) = factors.iter().map(|turns| splittings(*turns, rows / tops)).unzip();
        let mut blocks = vec![ZERO; rows * PLACES / LANES];
        for (row, turns) in factors.iter().flatten().enumerate() {
            for (place, factor) in splittings(*turns, ROW).0.as_flattened().iter().enumerate() {
                let at = (row / lanes * PLACES + place) * lanes + row % lanes;
                let block = &mut blocks[at / LANES];
                (block.re[at % LANES], block.im[at % LANES]) = (factor.re, factor.im);
            }
        }
        Self { top, columns, rows: blocks, lanes }
    }

    /// The factors of vector `index` of rows.
    #[inline(always)]
    pub fn of_rows(&self, index: usize) -> Lanewise<'_> {
        let blocks = PLACES * self.lanes / LANES;
        Lanewise(&self.rows[index * blocks..][..blocks])
    }
}

/// `e^(2 pi i turns)`, to the last bit or two: the sine of a large angle would have the error of the angle.
fn root(turns: f64) -> Complex<f64> {
    // Exact: turns are multiples of a small power of two.
    let quarters = (turns * 4.0).round();
    let (sin, cos) = (TAU * (turns - quarters / 4.0)).sin_cos();
    match quarters as i64 & 3 {
        0 => Complex { re: cos, im: sin },
        1 => Complex { re: -sin, im: cos },
        2 => Complex { re: -cos, im: -sin },
        _ => Complex { re: sin, im: -cos },
    }
}

/// Splits `X^m - e^(2 pi i turns)` into `points` factors; the second value holds the turns of their roots in order.
fn splittings(turns: f64, points: usize) -> (Splittings<Complex<f64>>, Vec<f64>) {
    let powers = |turns: f64| [1.0, 2.0, 3.0].map(|power| root(turns * power / 4.0));
    let halves = |turns: f64| [0.0, 0.5].map(|rest| turns / 2.0 + rest);
    let quarters = |turns: f64| [0.0, 0.5, 0.25, 0.75].map(|rest| turns / 4.0 + rest);
    let mut nodes = NONE;
    if points > 1 {
        nodes[0] = powers(turns);
    }
    if points > 4 {
        for (node, turns) in nodes[1..].iter_mut().zip(quarters(turns)) {
            *node = powers(turns);
        }
    }
    let factors = match points {
        1 => vec![turns],
        2 => halves(turns).to_vec(),
        4 => quarters(turns).to_vec(),
        8 => quarters(turns).map(halves).concat(),
        _ => quarters(turns).map(quarters).concat(),
    };
    (nodes, factors)
}

impl<S: Vector> Factors<S> for Splittings<Complex<f64>> {
    #[inline(always)]
    fn get(&self, s: S, node: usize, power: usize) -> Complex<S::f64s> {
        let Complex { re, im } = self[node][power];
        Complex { re: s.splat_f64s(re), im: s.splat_f64s(im) }
    }
}

/// Factors of a row a lane.
pub struct Lanewise<'a>(&'a [Block]);

impl<S: Vector> Factors<S> for Lanewise<'_> {
    #[inline(always)]
    fn get(&self, _: S, node: usize, power: usize) -> Complex<S::f64s> {
        let (block, part) = nth::<S>(node * 3 + power);
        self.0[block].get::<S>(part)
    }
}
