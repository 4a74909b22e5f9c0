//! Transforms modulo a prime of 50 bits. The first factor is split into two limbs of 32 bits. The sum of `k` products of a limb stays below
//! `k * N * 2^32 < p / 2`, so that a transform modulo `p` computes it exactly.

use crate::fhe::vectorized::{Loop, vectorized};
use std::sync::OnceLock;
use tfhe_ntt::prime64::Plan;

/// A prime below 2^50, for which tfhe-ntt has a fast path, with `p = 1 (mod 2^28)`: it has roots of unity for every size.
const PRIME: u64 = 0b0011_1111_1111_1111_1111_1111_1110_0111_0111_0000_0000_0000_0001;

/// The transform of a binary polynomial, divided by its size: inverse transforms of products need no factor of their own.
#[derive(Clone)]
pub struct BinaryPoly(Vec<u64>);

impl zeroize::Zeroize for BinaryPoly {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// The transform of a polynomial over the torus, limb by limb. Also an accumulator of products.
#[derive(Clone)]
pub struct WidePoly {
    low: Vec<u64>,
    high: Vec<u64>,
}

#[cfg(test)]
impl WidePoly {
    pub fn is_zero(&self) -> bool {
        self.low.iter().chain(&self.high).all(|word| *word == 0)
    }
}

impl zeroize::Zeroize for WidePoly {
    fn zeroize(&mut self) {
        self.low.zeroize();
        self.high.zeroize();
    }
}

/// The transform for polynomials of one size.
pub struct Ntt {
    plan: Plan,
}

impl Ntt {
    /// The transform for polynomials of `size` coefficients, a power of two from 16 to 8192.
    ///
    /// # Panics
    /// For any other size. `GlweShape::check` admits none.
    pub fn of_size(size: usize) -> &'static Self {
        static PLANS: [OnceLock<Ntt>; 14] = [const { OnceLock::new() }; 14];
        let log = size.ilog2() as usize;
        PLANS[log].get_or_init(|| Self { plan: Plan::try_new(1 << log, PRIME).expect("a size that NTTs exist for") })
    }

    /// Transforms a polynomial whose coefficients are 0 or 1.
    pub fn binary(&self, coefficients: &[u64]) -> BinaryPoly {
        let mut values = coefficients.to_vec();
        self.plan.fwd(&mut values);
        self.plan.normalize(&mut values);
        BinaryPoly(values)
    }

    /// Transforms a polynomial over the torus.
    pub fn wide(&self, coefficients: &[u64]) -> WidePoly {
        let mut out = self.zero();
        self.wide_into(coefficients, &mut out);
        out
    }

    /// As [`Ntt::wide`], into what a product before this one has used.
    pub fn wide_into(&self, coefficients: &[u64], out: &mut WidePoly) {
        vectorized(Split { words: coefficients, low: &mut out.low, high: &mut out.high });
        self.plan.fwd(&mut out.low);
        self.plan.fwd(&mut out.high);
    }

    /// An accumulator that holds zero.
    pub fn zero(&self) -> WidePoly {
        let size = self.plan.ntt_size();
        WidePoly { low: vec![0; size], high: vec![0; size] }
    }

    /// `sum += wide * binary`. An accumulator holds at most 32 products of polynomials of size 4096.
    pub fn mul_add(&self, sum: &mut WidePoly, wide: &WidePoly, binary: &BinaryPoly) {
        self.plan.mul_accumulate(&mut sum.low, &wide.low, &binary.0);
        self.plan.mul_accumulate(&mut sum.high, &wide.high, &binary.0);
    }

    /// Adds the accumulated products to `out`, modulo 2^64, and leaves zero in the accumulator.
    ///
    /// Products of mask and key without noise would give the key away: where they are such, wipe the accumulator after its
    /// last use (its zeroes are plain writes, which a compiler may leave out where nobody reads them).
    pub fn add_to(&self, sum: &mut WidePoly, out: &mut [u64]) {
        for (limb, shift) in [(&mut sum.low, 0), (&mut sum.high, 32)] {
            self.plan.inv(limb);
            vectorized(AddCentered { limb, shift, out });
        }
    }
}

/// Words to their limbs.
struct Split<'a> {
    words: &'a [u64],
    low: &'a mut [u64],
    high: &'a mut [u64],
}

impl Loop for Split<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((low, high), word) in self.low.iter_mut().zip(self.high).zip(self.words) {
            (*low, *high) = (word & 0xffff_ffff, word >> 32);
        }
    }
}

/// Adds residues, those of larger magnitude as negative numbers, times a power of two to words, and leaves zeroes.
struct AddCentered<'a> {
    limb: &'a mut [u64],
    shift: u32,
    out: &'a mut [u64],
}

impl Loop for AddCentered<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (out, value) in self.out.iter_mut().zip(self.limb) {
            let negative = u64::from(*value > PRIME / 2) * PRIME;
            *out = out.wrapping_add(value.wrapping_sub(negative) << self.shift);
            *value = 0;
        }
    }
}
