//! Small primes.

/// Whether multiplying by anything but zero keeps a count from becoming zero: by trial division, for numbers below 2^16.
pub(super) fn is_prime(n: u64) -> bool {
    (2..1 << 16).contains(&n) && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}
