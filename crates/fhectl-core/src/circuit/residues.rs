//! Whole numbers as residues: a sum that is too large for one plaintext modulus is carried on several small ones.
//!
//! Sums modulo `m` wrap on the torus by themselves, so each residue needs the plaintext modulus `m` and no more; together
//! they give the sum modulo the product (the Chinese remainder theorem), and nothing beside it.

/// The largest product of moduli: sums stay within signed 64-bit numbers.
const MAX_PRODUCT_LOG2: u32 = 62;

/// The product of moduli that are pairwise coprime and at least 2; `None` where they are not, or beyond 2^62.
pub fn product(moduli: &[u64]) -> Option<u64> {
    let mut product = 1u64;
    for modulus in moduli {
        if *modulus < 2 || gcd(product, *modulus) != 1 {
            return None;
        }
        product = product.checked_mul(*modulus).filter(|product| *product <= 1 << MAX_PRODUCT_LOG2)?;
    }
    Some(product)
}

/// The number in `0..product` with these residues (Garner's algorithm).
///
/// # Panics
/// Unless [`product`] takes the moduli; a modulus of 1 among them says nothing and does no harm.
pub fn combine(residues: &[u64], moduli: &[u64]) -> u64 {
    let (mut sum, mut place) = (0u64, 1u64);
    for (residue, modulus) in residues.iter().zip(moduli) {
        let (m, place_mod) = (u128::from(*modulus), u128::from(place % modulus));
        let inverse = inverse(place % modulus, *modulus).expect("moduli are coprime");
        let missing = (u128::from(residue % modulus) + m - u128::from(sum % modulus)) % m;
        let digit = (missing * u128::from(inverse) % m) as u64;
        debug_assert_eq!(u128::from(digit) * place_mod % m, missing);
        sum += digit * place;
        place *= modulus;
    }
    sum
}

/// The range of scores that the public half names: not the lowest score itself, which is a sum of weights, but a multiple
/// of an eighth of the range at or below it. Returns its low end and log2 of its width.
#[cfg(feature = "evaluate")]
pub fn coarse_range(low: i64, high: i64) -> (i64, u32) {
    let bits_of = |low: i64| (high.abs_diff(low) + 1).next_power_of_two().ilog2().max(1);
    let part = 1i64 << bits_of(low).saturating_sub(3);
    let low = low.div_euclid(part) * part;
    (low, bits_of(low))
}

/// `count` pairwise coprime moduli whose product is at least `range`, the largest of them as small as there are, largest
/// first; all of them pass `allowed`. `None` where none is below 2^20.
#[cfg(feature = "evaluate")]
pub fn moduli(count: usize, range: u64, allowed: impl Fn(u64) -> bool) -> Option<Vec<u64>> {
    let first = ((range as f64).powf(1.0 / count as f64).floor() as u64).max(2);
    (first..1 << 20).find_map(|top| {
        let mut chosen = Vec::with_capacity(count);
        let mut product = 1u64;
        for candidate in (2..=top).rev().filter(|candidate| allowed(*candidate)) {
            if gcd(product, candidate) == 1 {
                chosen.push(candidate);
                product = product.checked_mul(candidate).filter(|p| *p <= 1 << MAX_PRODUCT_LOG2)?;
                if chosen.len() == count {
                    break;
                }
            }
        }
        (chosen.len() == count && product >= range).then_some(chosen)
    })
}

pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The inverse of `a` modulo `m`, by Euclid.
pub(super) fn inverse(a: u64, m: u64) -> Option<u64> {
    let (mut r0, mut r1) = (i128::from(m), i128::from(a));
    let (mut t0, mut t1) = (0i128, 1i128);
    while r1 != 0 {
        let quotient = r0 / r1;
        (r0, r1) = (r1, r0 - quotient * r1);
        (t0, t1) = (t1, t0 - quotient * t1);
    }
    (r0 == 1 || m == 1).then(|| t0.rem_euclid(i128::from(m)) as u64)
}

#[cfg(all(test, feature = "evaluate"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn residues_give_the_number_back(range in 1u64..1 << 40, count in 1usize..6, number in any::<u64>()) {
            let Some(moduli) = moduli(count, range, |_| true) else { return Ok(()) };
            let product = product(&moduli).unwrap();
            prop_assert!(product >= range);
            let number = number % product;
            let residues: Vec<u64> = moduli.iter().map(|m| number % m).collect();
            prop_assert_eq!(combine(&residues, &moduli), number);
        }
    }

    #[test]
    fn the_published_range_holds_the_scores_and_is_coarse() {
        for (low, high) in [(0, 1), (-61, 130), (-64, 63), (5, 5), (-4018, 4000), (1000, 1255)] {
            let (published, bits) = coarse_range(low, high);
            assert!(published <= low && high < published + (1 << bits), "{low} to {high}");
            assert_eq!(published.rem_euclid(1i64 << bits.saturating_sub(4)), 0, "{low} to {high}");
        }
    }

    #[test]
    fn moduli_are_as_small_as_they_can_be() {
        assert_eq!(moduli(2, 100, |_| true).unwrap(), [11, 10]);
        assert_eq!(moduli(3, 1000, |m| m % 2 == 1).unwrap(), [13, 11, 9]);
        assert_eq!(product(&[6, 4]), None);
        assert_eq!(product(&[1 << 40, (1 << 40) - 1]), None);
        assert_eq!(product(&[]), Some(1));
    }
}
