//! By which moduli a sum's residues are taken.

use crate::circuit::residues::gcd;

/// Whether every prime factor of `n` (at least 1) is at least `least`.
pub(super) fn rough(n: u64, least: u64) -> bool {
    n > 0 && (2..least.min(n + 1)).all(|d| !n.is_multiple_of(d))
}

pub(super) fn coprime(a: u64, b: u64) -> bool {
    gcd(a, b) == 1
}

/// `columns` pairwise coprime moduli, the largest as small as can be found, all without prime factors below `count`, which
/// is a prime: the first is `count` times what is coprime to it, and without that factor their product is at
/// least `values`. `None` where a modulus would be more than `most`.
#[cfg(feature = "evaluate")]
pub(super) fn coprime_moduli(count: u64, values: u128, columns: usize, most: u64) -> Option<Vec<u64>> {
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

#[cfg(all(test, feature = "evaluate"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn moduli_hold_the_values_and_are_coprime(
            count in prop::sample::select(vec![3u64, 5, 7, 31, 257]),
            values in 2u128..1 << 40,
            columns in 1usize..8,
        ) {
            if let Some(all) = coprime_moduli(count, values, columns, 1 << 20) {
                prop_assert_eq!(all.len(), columns);
                prop_assert!(all.iter().all(|modulus| rough(*modulus, count) && *modulus <= 1 << 20));
                prop_assert!((0..columns).all(|i| (0..i).all(|j| coprime(all[i], all[j]))));
                let product = all.iter().map(|c| u128::from(*c)).product::<u128>();
                prop_assert!(all[0] % count == 0 && coprime(all[0] / count, count) && product / u128::from(count) >= values);
            }
        }
    }

    #[test]
    fn moduli_are_balanced() {
        let all = coprime_moduli(5, 12_288, 2, 1 << 20).unwrap();
        // Two moduli of an eighth bit more than the square root of all they must hold, at most.
        assert!(all.iter().all(|modulus| *modulus < 270), "{all:?}");
        assert_eq!(coprime_moduli(5, 1 << 30, 1, 1 << 20), None);
    }

    #[test]
    fn rough_numbers_have_no_small_factors() {
        assert!(rough(1, 5) && rough(35, 5) && !rough(21, 5) && rough(7, 7) && !rough(0, 3));
    }
}
