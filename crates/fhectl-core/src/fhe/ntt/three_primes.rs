//! Transforms modulo three primes of 30 bits. A sum of products is below 8192 * 2^64 = 2^77, their product above 2^89, so that the
//! three residues say what it is (Garner).

use super::quad::Quad;
use super::residue::{Factor, Plan, Prime, inverse, quotient};
use std::sync::OnceLock;
use zeroize::Zeroize;

/// Below 2^30, and 1 modulo 2^14: they have roots of unity for every size.
const PRIMES: [u32; 3] = [1_073_692_673, 1_073_643_521, 1_073_479_681];

/// Residues of a polynomial's coefficients, or of their transform.
type Residues = Vec<[u32; 4]>;

/// The transform of a binary polynomial, divided by its size: inverse transforms of products need no factor of their own.
/// Each residue is with its quotient by the prime.
#[derive(Clone)]
pub struct BinaryPoly([(Residues, Residues); 3]);

impl Zeroize for BinaryPoly {
    fn zeroize(&mut self) {
        self.0.iter_mut().for_each(|(values, quotients)| {
            values.zeroize();
            quotients.zeroize();
        });
    }
}

/// The transform of a polynomial over the torus. Also an accumulator of products. Values are below 4p.
#[derive(Clone)]
pub struct WidePoly([Residues; 3]);

#[cfg(test)]
impl WidePoly {
    pub fn is_zero(&self) -> bool {
        self.0.iter().flatten().flatten().all(|word| *word == 0)
    }
}

impl Zeroize for WidePoly {
    fn zeroize(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}

/// The transform for polynomials of one size.
pub struct Ntt {
    plans: [Plan; 3],
    size: usize,
    garner: Garner,
}

impl Ntt {
    /// The transform for polynomials of `size` coefficients, a power of two from 16 to 8192.
    ///
    /// # Panics
    /// For any other size. `GlweShape::check` admits none.
    pub fn of_size(size: usize) -> &'static Self {
        static PLANS: [OnceLock<Ntt>; 14] = [const { OnceLock::new() }; 14];
        let log = size.ilog2() as usize;
        assert!((4..14).contains(&log), "a size that NTTs exist for");
        let plan =
            || Self { plans: PRIMES.map(|prime| Plan::new(1 << log, prime)), size: 1 << log, garner: Garner::new() };
        PLANS[log].get_or_init(plan)
    }

    /// Transforms a polynomial whose coefficients are 0 or 1.
    pub fn binary(&self, coefficients: &[u64]) -> BinaryPoly {
        let mut next = self.plans.iter().zip(PRIMES);
        BinaryPoly([(); 3].map(|()| {
            let (plan, prime) = next.next().expect("three of them");
            let scale = inverse(self.size as u32, prime);
            let (quads, _) = coefficients.as_chunks::<4>();
            let mut values: Residues = quads.iter().map(|quad| quad.map(|bit| bit as u32 * scale)).collect();
            plan.forward(&mut values);
            values.iter_mut().flatten().for_each(|value| *value %= prime);
            let quotients = values.iter().map(|quad| quad.map(|value| quotient(value, prime))).collect();
            (values, quotients)
        }))
    }

    /// Transforms a polynomial over the torus.
    #[cfg(test)]
    pub fn wide(&self, coefficients: &[u64]) -> WidePoly {
        let mut out = self.zero();
        self.wide_into(coefficients, &mut out);
        out
    }

    /// As `wide`, into what a product before this one has used.
    pub fn wide_into(&self, coefficients: &[u64], out: &mut WidePoly) {
        let (quads, _) = coefficients.as_chunks::<4>();
        for (plan, out) in self.plans.iter().zip(&mut out.0) {
            let prime = plan.prime;
            let (high_of, low_of) = (prime.power_of_two(), prime.unit());
            for (quad, out) in quads.iter().zip(out.iter_mut()) {
                let [a, b]: [[u32; 4]; 2] = bytemuck::cast(*quad);
                let (low, high) = Quad::of(a).evens_and_odds(Quad::of(b));
                *out = prime.times(high, high_of).plus(prime.times(low, low_of)).words();
            }
            plan.forward(out);
        }
    }

    /// An accumulator that holds zero.
    pub fn zero(&self) -> WidePoly {
        WidePoly([(); 3].map(|()| vec![[0; 4]; self.size / 4]))
    }

    /// `sum += wide * binary`. An accumulator holds products of as many coefficients as 8192 together.
    pub fn mul_add(&self, sum: &mut WidePoly, wide: &WidePoly, binary: &BinaryPoly) {
        for (((plan, sum), wide), (values, quotients)) in self.plans.iter().zip(&mut sum.0).zip(&wide.0).zip(&binary.0)
        {
            let prime = plan.prime;
            for (((sum, wide), value), quotient) in sum.iter_mut().zip(wide).zip(values).zip(quotients) {
                let factor = Factor { value: Quad::of(*value), quotient: Quad::of(*quotient) };
                *sum = prime.below_two(Quad::of(*sum)).plus(prime.times(Quad::of(*wide), factor)).words();
            }
        }
    }

    /// Adds the accumulated products to `out`, modulo 2^64, and leaves zero in the accumulator.
    ///
    /// Products of mask and key without noise would give the key away: where they are such, wipe the accumulator after its
    /// last use (its zeroes are plain writes, which a compiler may leave out where nobody reads them).
    pub fn add_to(&self, sum: &mut WidePoly, out: &mut [u64]) {
        for (plan, values) in self.plans.iter().zip(&mut sum.0) {
            plan.backward(values);
        }
        let [r0, r1, r2] = &mut sum.0;
        let (quads, _) = out.as_chunks_mut::<4>();
        for (((out, r0), r1), r2) in quads.iter_mut().zip(r0).zip(r1).zip(r2) {
            let words = self.garner.combine([*r0, *r1, *r2]);
            out.iter_mut().zip(words).for_each(|(out, word)| *out = out.wrapping_add(word));
            (*r0, *r1, *r2) = ([0; 4], [0; 4], [0; 4]);
        }
    }
}

/// From residues to words modulo 2^64, those of larger magnitude as negative numbers.
struct Garner {
    primes: [Prime; 3],
    /// Inverses of the first prime modulo the second and the third, and of the second modulo the third.
    first_second: Factor,
    first_third: Factor,
    second_third: Factor,
}

impl Garner {
    fn new() -> Self {
        let [p0, p1, p2] = PRIMES;
        let primes = PRIMES.map(Prime::new);
        Self {
            primes,
            first_second: primes[1].factor([inverse(p0 % p1, p1); 4]),
            first_third: primes[2].factor([inverse(p0 % p2, p2); 4]),
            second_third: primes[2].factor([inverse(p1 % p2, p2); 4]),
        }
    }

    /// Of residues below 2p.
    #[inline(always)]
    fn combine(&self, residues: [[u32; 4]; 3]) -> [u64; 4] {
        let [q0, q1, q2] = self.primes;
        let [p0, p1, p2] = PRIMES;
        let two = |prime: u32| Quad::splat(2 * prime);
        let r0 = q0.below_one(Quad::of(residues[0]));
        let (r1, r2) = (Quad::of(residues[1]), Quad::of(residues[2]));
        // x = v0 + v1 p0 + v2 p0 p1.
        let v1 = q1.below_one(q1.times(r1.plus(two(p1)).minus(r0), self.first_second));
        let v2 = q2.times(r2.plus(two(p2)).minus(r0), self.first_third);
        let v2 = q2.below_one(q2.times(v2.plus(two(p2)).minus(v1), self.second_third));
        let both = u64::from(p0) * u64::from(p1);
        let all = both.wrapping_mul(u64::from(p2));
        let (v0, v1, v2) = (r0.words(), v1.words(), v2.words());
        std::array::from_fn(|lane| {
            let value = u64::from(v0[lane])
                .wrapping_add(u64::from(v1[lane]).wrapping_mul(u64::from(p0)))
                .wrapping_add(u64::from(v2[lane]).wrapping_mul(both));
            // Without a branch: what is decided is secret.
            let negative = u64::from(v2[lane] > p2 / 2).wrapping_neg() & all;
            value.wrapping_sub(negative)
        })
    }
}
