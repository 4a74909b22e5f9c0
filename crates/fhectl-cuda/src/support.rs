//! What the kernels can compute.

use crate::kernels::zeros_shared_bytes;
use crate::limits::Limits;
use crate::program::named_inputs;
use fhectl_core::fhe::GlweShape;
use fhectl_core::fhe::bootstrap::{BootstrapParams, MOST_DIGIT_BITS};
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::layer::{Layer, LookUp};
use fhectl_core::fhe::part::PartParams;

/// The polynomial size of bootstraps.
pub(crate) const POLYNOMIAL_SIZE: usize = 512;
/// The most rows and sums of a request, and the largest dimension of a small key: grids have no more blocks that way.
const MOST_OF_GRID: usize = 65_535;

/// Whether there is code for these parts and layers.
pub(crate) fn supports(limits: &Limits, parts: &[PartParams], layers: &[Layer]) -> bool {
    let ends_in_sums = layers.last().is_some_and(|layer| layer.look_up.is_none());
    // Nothing is known of the inputs but what the first look-up takes.
    let (mut inputs, mut dimension) = (None, None);
    ends_in_sums
        && parts.iter().all(|part| supports_part(limits, part))
        && layers.iter().all(|layer| {
            let fits = (1..=MOST_OF_GRID).contains(&layer.sums.len())
                && layer.constants.len() == layer.sums.len()
                && named_inputs(layer) <= inputs.unwrap_or(MOST_OF_GRID);
            inputs = Some(layer.sums.len());
            let looked_up = layer.look_up.as_ref().is_none_or(|look_up| {
                let (from, to) = dimensions(parts, look_up).unzip();
                let connected = from.is_some() && dimension.is_none_or(|dimension| Some(dimension) == from);
                dimension = to;
                connected && !look_up.tables.is_empty() && look_up.tables.iter().all(|t| t.len() == POLYNOMIAL_SIZE)
            });
            fits && looked_up
        })
}

/// The dimensions before and after a look-up, where its parts are what it says and fit each other.
fn dimensions(parts: &[PartParams], look_up: &LookUp) -> Option<(usize, usize)> {
    let Some(PartParams::Bootstrap(bootstrap)) = parts.get(look_up.bootstrap) else { return None };
    let to = bootstrap.output.lwe_dimension();
    let Some(part) = look_up.keyswitch else { return Some((bootstrap.lwe_dimension, to)) };
    let Some(PartParams::Keyswitch(keyswitch)) = parts.get(part) else { return None };
    (keyswitch.to.lwe_dimension() == bootstrap.lwe_dimension).then_some((keyswitch.from, to))
}

/// Whether there is code for a part of a key.
pub(crate) fn supports_part(limits: &Limits, part: &PartParams) -> bool {
    match part {
        PartParams::Bootstrap(params) => supports_bootstrap(limits, params),
        PartParams::Keyswitch(params) => supports_keyswitch(params),
    }
}

/// Whether there is code that makes encryptions of zero under public keys of this shape.
pub(crate) fn supports_public_key(limits: &Limits, shape: GlweShape) -> bool {
    shape.size == POLYNOMIAL_SIZE
        && (3..=6).contains(&shape.dimension)
        && zeros_shared_bytes(shape.dimension + 1) <= limits.shared_bytes
}

fn supports_bootstrap(limits: &Limits, params: &BootstrapParams) -> bool {
    let BootstrapParams { lwe_dimension, output, base_log, levels, key_bits } = *params;
    output.size == POLYNOMIAL_SIZE
        && (3..=6).contains(&output.dimension)
        && (1..=MOST_OF_GRID).contains(&lwe_dimension)
        && base_log > 0
        && levels > 0
        && base_log.saturating_mul(levels) <= MOST_DIGIT_BITS
        && (1..=64).contains(&key_bits)
        && !limits.shapes(output.dimension + 1, levels as usize).is_empty()
}

fn supports_keyswitch(params: &KeyswitchParams) -> bool {
    let KeyswitchParams { from, to, base_log, levels, key_bits } = *params;
    (1..=8).contains(&base_log)
        && levels > 0
        && base_log.saturating_mul(levels) <= 31
        && (1..=64).contains(&key_bits)
        && (1..=8192).contains(&from)
        && to.size.is_power_of_two()
        && (1..=8192).contains(&to.dimension.saturating_mul(to.size))
}
