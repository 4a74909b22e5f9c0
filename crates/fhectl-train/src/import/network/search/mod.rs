//! The cheapest integers that keep what the original says.
//!
//! What a network costs follows from its weights' norms and from the noise that its sums may carry: the more noise, the
//! smaller the keys. Nobody can know how much a network bears but by trying, so weights of fewer and fewer bits are tried,
//! for each the most noise under which rows that were kept back still get the original's answers, and of those the
//! cheapest by the planner's prediction, simulated with the noise of its very keys.

mod candidate;
mod judge;
mod ladder;
mod searched;
mod tables;

pub use candidate::{Candidate, cost};
pub use judge::{LEAST_R2, LEAST_SAME};
pub use searched::Fixed;

pub(super) use candidate::{ABOUT_AS_MUCH, chosen};
pub(super) use judge::{Judge, worth};
pub(super) use ladder::Asked;
pub(super) use searched::Searched;

use super::ptq_params::PtqParams;
use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};

/// Bits of a weight that are tried.
const WEIGHT_BITS: [u32; 7] = [8, 7, 6, 5, 4, 3, 2];
/// Those with which scores of a bit less are tried as well.
const COARSE_SCORES: [u32; 2] = [5, 4];
const PERCENTILES: [f64; 2] = [99.9, 99.0];
/// Activations beyond which fewer weights and ranges are tried.
const MANY_ACTIVATIONS: usize = 4096;
/// The share of values that features' ranges hold where some have long tails.
const CLIPPED: f64 = 99.0;
/// A tail is long where a feature's range is so many times that of 98 % of its values.
const LONG_TAIL: f64 = 4.0;
/// Quantized networks of which the cheapest are planned, at most.
const PLANNED: usize = 10;

/// The best candidate: the cheapest that keeps enough of the original, or of those that are cheap enough the truest; else
/// the one that keeps most. `tell` is given what
/// is tried. `asked` says what is enough.
///
/// # Errors
/// Those of the quantization where no parameters work; those of the plan where no keys do.
pub(super) fn search(
    searched: &Searched<'_>,
    fixed: &Fixed,
    asked: Asked,
    tell: &mut dyn FnMut(String),
) -> Result<Candidate> {
    if let Some(exact) = tables::table(searched, fixed)? {
        return Ok(exact);
    }
    let mut refused = None;
    let mut rungs = Vec::new();
    let tried = match searched.learned {
        Some(params) => vec![params],
        None => open(searched, fixed),
    };
    for params in tried {
        params.check()?;
        tell(format!("weights of {} bits, ranges of {} %", params.weight_bits, params.percentile));
        match ladder::climb(searched, fixed, &params, asked) {
            Ok(found) => rungs.extend(found),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    // All that hold, or all that come close to the best.
    let best = rungs.iter().map(|rung| rung.quality).fold(f64::NEG_INFINITY, f64::max);
    let any = rungs.iter().any(|rung| rung.holds);
    rungs.retain(|rung| if any { rung.holds } else { rung.quality >= best - candidate::CLOSE });
    rungs.sort_by(|a, b| a.proxy.total_cmp(&b.proxy));
    rungs.truncate(PLANNED);
    let mut planned = Vec::new();
    for rung in rungs {
        match rung.planned(searched) {
            Ok(candidate) => {
                tell(format!("{:.0} ms an inference", candidate.seconds() * 1e3));
                planned.push(candidate);
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let kept = |candidate: &Candidate| if asked == Asked::Enough { candidate.holds() } else { candidate.nearly };
    match candidate::cheapest_that(&planned, searched.cheap, kept) {
        Some(index) => Ok(planned.swap_remove(index).truer(searched, fixed)),
        None => Err(refused.unwrap_or_else(|| Error::new(ErrorCode::Internal, "no parameters were tried"))),
    }
}

/// The parameters that are tried, before noise.
fn open(searched: &Searched<'_>, fixed: &Fixed) -> Vec<PtqParams> {
    let base = fixed.params();
    let many = searched.levels.layers.iter().map(|layer| layer.rows.len()).sum::<usize>() > MANY_ACTIVATIONS;
    let tried: Vec<u32> = WEIGHT_BITS.into_iter().step_by(if many { 2 } else { 1 }).collect();
    let weights = fixed.weight_bits.map_or(tried, |bits| vec![bits]);
    let percentiles = PERCENTILES[..if many { 1 } else { PERCENTILES.len() }].to_vec();
    let percentiles = fixed.percentile.map_or(percentiles, |percentile| vec![percentile]);
    let clips = if !searched.image && has_long_tails(searched.rows) { vec![100.0, CLIPPED] } else { vec![100.0] };
    let mut all = Vec::new();
    for weight_bits in weights {
        for percentile in &percentiles {
            for clip in &clips {
                let params = PtqParams { weight_bits, percentile: *percentile, feature_percentile: *clip, ..base };
                all.push(params);
                // Coarser weights of scores often save a level of the keys.
                if COARSE_SCORES.contains(&weight_bits) && !many {
                    all.push(PtqParams { score_bits: params.score_bits - 1, ..params });
                }
            }
        }
    }
    all
}

fn has_long_tails(rows: &Dataset) -> bool {
    (0..rows.features.len()).any(|feature| {
        let mut values = rows.column(feature);
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
        let middle = at(0.99) - at(0.01);
        middle > 0.0 && at(1.0) - at(0.0) > LONG_TAIL * middle
    })
}
