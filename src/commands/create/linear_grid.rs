//! The grid of features that linear models take.

use super::common::Grain;
use clap::Args;
use fhectl_core::error::Result;
use fhectl_core::model::{FeatureQuantizer, Quantizer};
use fhectl_train::data::Dataset;

/// The flags of linear models.
#[derive(Debug, Args)]
pub struct LinearGridArgs {
    /// Bits a feature is quantized to (1 to 16)
    #[arg(long, env = "FHECTL_BITS", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub bits: u32,
    /// How far features reach beyond the training rows, on either side, as a share of the range of these rows; not below
    /// 0 where all rows are from 0 on. --range says it of single columns
    #[arg(long, env = "FHECTL_MARGIN", value_name = "SHARE", default_value_t = 0.5, value_parser = parse_share)]
    margin: f64,
}

impl LinearGridArgs {
    /// The quantizer fitted to these rows.
    ///
    /// # Errors
    /// As for [`Grain::affine`].
    pub fn quantizer(&self, rows: &Dataset, grain: Grain<'_>) -> Result<Quantizer> {
        grain.affine_beyond(rows, self.bits, self.margin)
    }

    /// What it reaches, for a person: the first few features.
    pub fn reach(quantizer: &Quantizer, names: &[String]) -> String {
        /// So many are named.
        const NAMED: usize = 6;
        let of = |(name, rule): (&String, &FeatureQuantizer)| match rule {
            FeatureQuantizer::Affine { low, step, levels } if *levels > 1 => {
                let high = low + step * f64::from(levels - 1);
                Some(format!("{} {} to {}", name.escape_debug(), shown(*low), shown(high)))
            }
            _ => None,
        };
        let all: Vec<String> = names.iter().zip(&quantizer.features).filter_map(of).collect();
        let more = if all.len() > NAMED { format!(", and {} more", all.len() - NAMED) } else { String::new() };
        format!("{}{more}", all[..all.len().min(NAMED)].join("; "))
    }
}

/// A number with a few digits.
fn shown(value: f64) -> String {
    let text = crate::report::number(value);
    let whole = text.contains('.') && !text.contains('e');
    if whole { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share: &f64| (0.0..=100.0).contains(share));
    share.ok_or_else(|| format!("`{text}` is no share from 0 to 100"))
}
