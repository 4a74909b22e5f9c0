//! Checks of parameters that every circuit has.

use crate::error::Result;
use crate::fhe::bad_parameters;

pub(super) fn check_bits(name: &str, bits: u32) -> Result<()> {
    if (1..=64).contains(&bits) { Ok(()) } else { Err(bad_parameters(format!("{name} is {bits}, want 1 to 64"))) }
}

pub(super) fn check_noise_flooding(noise_flooding: Option<u64>) -> Result<()> {
    match noise_flooding {
        Some(flooding) if !(1..=1 << 62).contains(&flooding) => {
            Err(bad_parameters(format!("flooding noise of {flooding} units, want 1 to 2^62")))
        }
        _ => Ok(()),
    }
}
