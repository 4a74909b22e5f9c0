//! Transforms modulo a prime below 2^30, four words at a time.
//!
//! Values are kept below 4p, which 32 bits hold, and reduced only where a product or a sum needs it (Harvey 2014). Transformed
//! values stand in an order of their own: forward and inverse agree on it.

use super::quad::Quad;

/// A fixed factor modulo a prime, and its quotient by the prime (Shoup): products take no division.
#[derive(Clone, Copy)]
pub struct Factor {
    pub value: Quad,
    pub quotient: Quad,
}

/// A prime, in every lane.
#[derive(Clone, Copy)]
pub struct Prime {
    word: u32,
    one: Quad,
    two: Quad,
}

impl Prime {
    pub fn new(word: u32) -> Self {
        Self { word, one: Quad::splat(word), two: Quad::splat(2 * word) }
    }

    pub fn factor(self, words: [u32; 4]) -> Factor {
        Factor { value: Quad::of(words), quotient: Quad::of(words.map(|word| quotient(word, self.word))) }
    }

    /// 1 as a factor: it reduces any word.
    pub fn unit(self) -> Factor {
        self.factor([1; 4])
    }

    /// 2^32 as a factor.
    pub fn power_of_two(self) -> Factor {
        self.factor([((1u64 << 32) % u64::from(self.word)) as u32; 4])
    }

    /// `x * factor`, for any `x`, below 2p.
    #[inline(always)]
    pub fn times(self, x: Quad, factor: Factor) -> Quad {
        let quotient = x.times_high(factor.quotient);
        x.times(factor.value).minus(quotient.times(self.one))
    }

    /// A value below 4p, below 2p.
    #[inline(always)]
    pub fn below_two(self, x: Quad) -> Quad {
        x.min(x.minus(self.two))
    }

    /// A value below 2p, below p.
    #[inline(always)]
    pub fn below_one(self, x: Quad) -> Quad {
        x.min(x.minus(self.one))
    }

    /// `x + y w` and `x - y w`, both below 4p, of values below 4p.
    #[inline(always)]
    fn forward(self, x: Quad, y: Quad, w: Factor) -> (Quad, Quad) {
        let (x, y) = (self.below_two(x), self.times(y, w));
        (x.plus(y), x.minus(y).plus(self.two))
    }

    /// `x + y` and `(x - y) w`, both below 2p, of values below 2p.
    #[inline(always)]
    fn backward(self, x: Quad, y: Quad, w: Factor) -> (Quad, Quad) {
        (self.below_two(x.plus(y)), self.times(x.minus(y).plus(self.two), w))
    }
}

/// `word * 2^32 / prime`, rounded down.
pub fn quotient(word: u32, prime: u32) -> u32 {
    ((u64::from(word) << 32) / u64::from(prime)) as u32
}

pub fn power(base: u32, mut exponent: u32, prime: u32) -> u32 {
    let (mut result, mut base) = (1, u64::from(base));
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % u64::from(prime);
        }
        base = base * base % u64::from(prime);
        exponent >>= 1;
    }
    result as u32
}

pub fn inverse(word: u32, prime: u32) -> u32 {
    power(word, prime - 2, prime)
}

/// The transform of one size modulo one prime.
pub struct Plan {
    pub prime: Prime,
    forward: Twiddles,
    backward: Twiddles,
}

/// Powers of a root of unity for the stages: those whose butterflies are four and more words apart, two, and one.
struct Twiddles {
    /// In every lane the same; entry `m + i` is of group `i` of the stage of `m` groups.
    wide: Vec<Factor>,
    two: Vec<Factor>,
    one: Vec<Factor>,
}

impl Twiddles {
    fn new(prime: Prime, root: u32, size: usize) -> Self {
        let word = prime.word;
        let bits = size.trailing_zeros();
        let powers: Vec<u32> = std::iter::successors(Some(1), |power| {
            Some((u64::from(*power) * u64::from(root) % u64::from(word)) as u32)
        })
        .take(size)
        .collect();
        let at = |index: usize| powers[index.reverse_bits() >> (usize::BITS - bits)];
        let wide = (0..size / 4).map(|index| prime.factor([at(index); 4])).collect();
        let (pairs, singles) = (size / 4, size / 2);
        let two = (0..size / 8).map(|unit| {
            let [a, b] = [0, 1].map(|group| at(pairs + 2 * unit + group));
            prime.factor([a, a, b, b])
        });
        // Groups of a unit in the order in which the stage before leaves them.
        let one = (0..size / 8).map(|unit| prime.factor([0, 2, 1, 3].map(|group| at(singles + 4 * unit + group))));
        Self { wide, two: two.collect(), one: one.collect() }
    }
}

impl Plan {
    /// `size` is a power of two from 16 on, `prime` below 2^30 and 1 modulo `2 * size`.
    pub fn new(size: usize, prime: u32) -> Self {
        let order = 2 * size as u32;
        // Half of all numbers are no squares: their powers have the full order.
        let roots = (2..).map(|base| power(base, (prime - 1) / order, prime));
        let root = roots.into_iter().find(|root| power(*root, order / 2, prime) == prime - 1).unwrap_or(1);
        let own = Prime::new(prime);
        Self {
            prime: own,
            forward: Twiddles::new(own, root, size),
            backward: Twiddles::new(own, inverse(root, prime), size),
        }
    }

    /// Transforms values below 4p to values below 4p.
    pub fn forward(&self, values: &mut [[u32; 4]]) {
        let prime = self.prime;
        let mut groups = 1;
        let mut half = values.len() / 2;
        while half >= 1 {
            for (group, w) in values.chunks_exact_mut(2 * half).zip(&self.forward.wide[groups..]) {
                let (left, right) = group.split_at_mut(half);
                for (x, y) in left.iter_mut().zip(right) {
                    let (a, b) = prime.forward(Quad::of(*x), Quad::of(*y), *w);
                    (*x, *y) = (a.words(), b.words());
                }
            }
            groups *= 2;
            half /= 2;
        }
        let (units, _) = values.as_chunks_mut::<2>();
        for ((unit, two), one) in units.iter_mut().zip(&self.forward.two).zip(&self.forward.one) {
            let (x, y) = Quad::of(unit[0]).halves(Quad::of(unit[1]));
            let (x, y) = prime.forward(x, y, *two);
            let (x, y) = x.evens_and_odds(y);
            let (x, y) = prime.forward(x, y, *one);
            *unit = [x.words(), y.words()];
        }
    }

    /// Transforms values below 4p back, times the size, to values below 2p.
    pub fn backward(&self, values: &mut [[u32; 4]]) {
        let prime = self.prime;
        let (units, _) = values.as_chunks_mut::<2>();
        for ((unit, two), one) in units.iter_mut().zip(&self.backward.two).zip(&self.backward.one) {
            let [x, y] = unit.map(|quad| prime.below_two(Quad::of(quad)));
            let (x, y) = prime.backward(x, y, *one);
            let (x, y) = x.interleaved(y);
            let (x, y) = prime.backward(x, y, *two);
            let (x, y) = x.halves(y);
            *unit = [x.words(), y.words()];
        }
        let mut half = 1;
        let mut groups = values.len() / 2;
        while groups >= 1 {
            for (group, w) in values.chunks_exact_mut(2 * half).zip(&self.backward.wide[groups..]) {
                let (left, right) = group.split_at_mut(half);
                for (x, y) in left.iter_mut().zip(right) {
                    let (a, b) = prime.backward(Quad::of(*x), Quad::of(*y), *w);
                    (*x, *y) = (a.words(), b.words());
                }
            }
            groups /= 2;
            half *= 2;
        }
    }
}
