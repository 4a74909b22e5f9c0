//! Exact products in `Z_{2^64}[X]/(X^N + 1)` of a polynomial with 64-bit coefficients and a binary polynomial.
//!
//! Number-theoretic transforms compute them, modulo numbers so large that sums of products do not wrap. A key is transformed once
//! and used for many products. Two modules do the same: `one_prime` of 50 bits where a machine multiplies words of 64 bits in
//! an instruction, `three_primes` of 30 bits in WebAssembly, where that is a call and vectors have words of 32 bits.

#[cfg(not(target_arch = "wasm32"))]
mod one_prime;
#[cfg(any(target_arch = "wasm32", test))]
mod quad;
#[cfg(any(target_arch = "wasm32", test))]
mod residue;
#[cfg(any(target_arch = "wasm32", test))]
mod three_primes;

#[cfg(not(target_arch = "wasm32"))]
pub use one_prime::{BinaryPoly, Ntt, WidePoly};
#[cfg(target_arch = "wasm32")]
pub use three_primes::{BinaryPoly, Ntt, WidePoly};

#[cfg(test)]
mod tests {
    use super::{one_prime, three_primes};
    use crate::fhe::{Random, Seed};

    fn schoolbook(wide: &[u64], binary: &[u64], out: &mut [u64]) {
        let size = wide.len();
        for (i, w) in wide.iter().enumerate() {
            for (j, b) in binary.iter().enumerate() {
                let product = w.wrapping_mul(*b);
                let at = (i + j) % size;
                out[at] = if i + j < size { out[at].wrapping_add(product) } else { out[at].wrapping_sub(product) };
            }
        }
    }

    macro_rules! products_are_exact {
        ($name:ident, $Ntt:ty) => {
            #[test]
            fn $name() {
                for size in [16, 32, 64, 512, 2048, 4096] {
                    let mut random = Random::new(Seed([size as u8; 16]));
                    let ntt = <$Ntt>::of_size(size);
                    let mut sum = ntt.zero();
                    let mut wanted = vec![0; size];
                    for round in 0..3 {
                        let (mut wide, mut binary) = (vec![0; size], vec![0; size]);
                        random.fill_uniform(&mut wide);
                        if round == 0 {
                            wide.fill(u64::MAX);
                        }
                        random.fill_binary(&mut binary);
                        if round == 1 {
                            binary.fill(1);
                        }
                        schoolbook(&wide, &binary, &mut wanted);
                        ntt.mul_add(&mut sum, &ntt.wide(&wide), &ntt.binary(&binary));
                    }
                    let mut got = vec![0; size];
                    ntt.add_to(&mut sum, &mut got);
                    assert_eq!(got, wanted, "size {size}");
                    assert!(sum.is_zero());
                }
            }
        };
    }
    products_are_exact!(of_one_prime, one_prime::Ntt);
    products_are_exact!(of_three_primes, three_primes::Ntt);

    /// As many products of the longest polynomials as a key can have, all of them as large as can be.
    #[test]
    fn the_largest_sum_does_not_wrap() {
        let size = 8192;
        let ntt = three_primes::Ntt::of_size(size);
        let (wide, binary) = (ntt.wide(&vec![u64::MAX; size]), ntt.binary(&vec![1; size]));
        let mut sum = ntt.zero();
        ntt.mul_add(&mut sum, &wide, &binary);
        let mut got = vec![0; size];
        ntt.add_to(&mut sum, &mut got);
        // Coefficient i is -(i + 1) + (size - 1 - i).
        let wanted: Vec<u64> = (0..size as u64).map(|i| (size as u64).wrapping_sub(2 * i + 2)).collect();
        assert!(got == wanted);
    }
}
