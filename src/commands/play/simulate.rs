//! Simulated noise: what a network's encrypted predictions would be, drawn in clear.

use crate::commands::locate::ModelArgs;
use crate::report::{print_line, progress};
use fhectl_core::bundle::ClientSpec;
use fhectl_core::client::ClientModel;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, Simulated, SimulatedQuality};

/// Simulations of the whole test set and of the rows that are played.
#[derive(Debug, Clone, Copy)]
pub struct Simulations {
    pub whole: Simulated,
    pub played: Simulated,
}

/// Predicts a network's encrypted accuracy on the whole test set, and on the first `samples` rows, which will be
/// encrypted. Prints the first. `None` where the circuit is exact or the owner's half is not at hand.
///
/// # Errors
/// `nothing_to_simulate` and `owner_missing` where that was `asked` for and cannot be done.
pub fn simulate(
    args: &ModelArgs,
    model: &ClientModel,
    rows: &Dataset,
    asked: bool,
    samples: Option<u64>,
) -> Result<Option<Simulations>> {
    if model.spec().circuit.is_exact() {
        if asked {
            return Err(Error::new(ErrorCode::NothingToSimulate, "only networks have noise in their answers")
                .hint(format!("{} is exact; play it without --simulate", model.spec().circuit.kind())));
        }
        return Ok(None);
    }
    let Some(owner) = args.owner(model.id())? else {
        if asked {
            return Err(Error::new(ErrorCode::OwnerMissing, "simulating needs the model: server.zip is not at hand")
                .hint("name the model's folder, not the server's model"));
        }
        return Ok(None);
    };
    let rows = &preprocessed(model.spec(), rows)?;
    let work = progress::spinner(format!("simulating {} rows", rows.len()));
    let draw = |rows: &Dataset| {
        let simulated = train::simulated(
            &model.spec().circuit,
            &owner.server.model,
            &model.spec().quantizer,
            rows,
            &model.spec().decoder(),
        )?;
        simulated.ok_or_else(|| Error::new(ErrorCode::Internal, "a network's circuit on another model"))
    };
    let whole = draw(rows)?;
    let played = match samples {
        Some(samples) => draw(&rows.select(&(0..rows.len().min(samples as usize)).collect::<Vec<_>>()))?,
        None => whole,
    };
    work.finish_and_clear();
    match whole.quality {
        SimulatedQuality::Classes { accuracy, agreement } => {
            print_line!("Simulated accuracy on {} samples is {accuracy}", whole.samples);
            print_line!(
                "Simulated agreement with the clear quantised model: {:.2} %; sums that wrapped around: {}",
                agreement * 100.0,
                whole.wraps
            );
        }
        SimulatedQuality::Value { r2, agreement_r2 } => {
            print_line!("Simulated R2 on {} samples is {r2}", whole.samples);
            print_line!(
                "Simulated R2 with the clear quantised model: {agreement_r2:.4}; sums that wrapped around: {}",
                whole.wraps
            );
        }
    }
    Ok(Some(Simulations { whole, played }))
}

/// The rows as they are quantized.
fn preprocessed(spec: &ClientSpec, rows: &Dataset) -> Result<Dataset> {
    let preprocessed = rows.rows.iter().map(|row| spec.preprocess(row).map(|row| row.to_vec()));
    let rows_after = preprocessed.collect::<Result<_>>()?;
    Ok(Dataset { rows: rows_after, features: spec.features.clone(), input: None, ..rows.clone() })
}
