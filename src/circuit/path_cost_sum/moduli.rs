//! Numbers modulo several coprime ones.

/// Whether every prime factor of `n` (at least 1) is at least `least`.
pub(super) fn rough(n: u64, least: u64) -> bool {
    n > 0 && (2..least.min(n + 1)).all(|d| !n.is_multiple_of(d))
}

pub(super) fn coprime(a: u64, b: u64) -> bool {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

/// The inverse of `a` modulo `modulus`, which is coprime to it; 0 where the modulus is 1.
pub(super) fn inverse(a: u64, modulus: u64) -> u64 {
    // Extended Euclid: `old * a = last (mod modulus)` throughout.
    let (mut last, mut rest) = (i128::from(a % modulus), i128::from(modulus));
    let (mut old, mut new) = (1i128, 0i128);
    while rest != 0 {
        let quotient = last / rest;
        (last, rest) = (rest, last - quotient * rest);
        (old, new) = (new, old - quotient * new);
    }
    old.rem_euclid(i128::from(modulus)) as u64
}

/// The number below the product of `moduli` (pairwise coprime, their product below 2^62) with these residues.
pub(super) fn combine(residues: &[u64], moduli: &[u64]) -> u64 {
    let product = moduli.iter().product::<u64>();
    let terms = residues.iter().zip(moduli).map(|(residue, modulus)| {
        let others = product / modulus;
        let digit = u128::from(*residue % modulus) * u128::from(inverse(others % modulus, *modulus));
        u128::from(others) * (digit % u128::from(*modulus))
    });
    (terms.sum::<u128>() % u128::from(product)) as u64
}

/// `columns` pairwise coprime circles, the largest as small as can be found, all without prime factors below `count`, which
/// is a prime: the first is `count` times what is coprime to it, and without that factor their product is at
/// least `values`. `None` where a circle would have more than `most` steps.
#[cfg(feature = "evaluate")]
pub(super) fn circles(count: u64, values: u128, columns: usize, most: u64) -> Option<Vec<u64>> {
    let root = (values as f64 * count as f64).powf(1.0 / columns as f64);
    let least = (root as u64).saturating_sub(1).max(count);
    (least..=most).find_map(|largest| {
        let largest_below = |limit: u64, taken: &[u64]| {
            (1..=limit).rev().find(|n| rough(*n, count) && taken.iter().all(|other| coprime(*n, *other)))
        };
        let mut all = vec![count * largest_below(largest / count, &[count])?];
        for _ in 1..columns {
            all.push(largest_below(largest, &all).filter(|n| *n > 1)?);
        }
        let product = all.iter().try_fold(1u128, |product, n| product.checked_mul(u128::from(*n)))?;
        (product / u128::from(count) >= values).then_some(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn residues_say_which_number_it_was(number in 0u64..1 << 60) {
            let moduli = [1, 1021, 1019, 1013, 1009, 997, 991];
            let residues: Vec<u64> = moduli.iter().map(|m| number % m).collect();
            prop_assert_eq!(combine(&residues, &moduli), number % moduli.iter().product::<u64>());
        }

        #[cfg(feature = "evaluate")]
        #[test]
        fn circles_hold_the_values_and_are_coprime(
            count in prop::sample::select(vec![3u64, 5, 7, 31, 257]),
            values in 2u128..1 << 40,
            columns in 1usize..8,
        ) {
            if let Some(all) = circles(count, values, columns, 1 << 20) {
                prop_assert_eq!(all.len(), columns);
                prop_assert!(all.iter().all(|circle| rough(*circle, count) && *circle <= 1 << 20));
                prop_assert!((0..columns).all(|i| (0..i).all(|j| coprime(all[i], all[j]))));
                let product = all.iter().map(|c| u128::from(*c)).product::<u128>();
                prop_assert!(all[0] % count == 0 && coprime(all[0] / count, count) && product / u128::from(count) >= values);
            }
        }
    }

    #[cfg(feature = "evaluate")]
    #[test]
    fn circles_are_balanced() {
        let all = circles(5, 12_288, 2, 1 << 20).unwrap();
        // Two circles of an eighth bit more than the square root of all they must hold, at most.
        assert!(all.iter().all(|circle| *circle < 270), "{all:?}");
        assert_eq!(circles(5, 1 << 30, 1, 1 << 20), None);
    }

    #[test]
    fn inverses() {
        assert_eq!(inverse(3, 7), 5);
        assert_eq!(inverse(0, 1), 0);
        assert!(rough(1, 5) && rough(35, 5) && !rough(21, 5) && rough(7, 7) && !rough(0, 3));
    }
}
