//! What `create` tells a person of a model at its end: figures, warnings, and what an inference takes.

use crate::report::card::Rounded;
use crate::report::{bytes, number, print_line, seconds};
use fhectl_core::bundle::{Metrics, Quality};
use fhectl_core::circuit::plan::{PLANNED_CORES, Plan};
use fhectl_train::train::{ClassReport, Score, Simulated, SimulatedQuality};

/// A warning where quantizing costs much of what the float model knows.
pub fn lost_by_quantizing(quality: &Quality) -> Option<String> {
    /// Of accuracy or R2, what may be lost without a word.
    const LOSS: f64 = 0.03;
    let (what, float, quantized) = match quality {
        Quality::Accuracy { float_accuracy, quantized_accuracy, .. } => {
            ("accuracy", *float_accuracy, *quantized_accuracy)
        }
        Quality::Regression { float_r2, quantized_r2, .. } => ("R2", *float_r2, *quantized_r2),
        Quality::Unmeasured {} => return None,
    };
    (float - quantized > LOSS).then(|| {
        format!("quantizing costs {what}: {quantized:.4} instead of {float:.4}; more --bits (of leaf values: --value-bits) may keep it")
    })
}

/// A warning where a class is hardly ever found.
pub fn lost_class(report: &ClassReport, names: &[String], could_weigh: bool) -> Option<String> {
    /// Below this share of its rows a class counts as lost, in models that find most rows of others.
    const LOST: f64 = 0.2;
    let (class, recall) = (report.recall.iter().enumerate())
        .filter_map(|(class, recall)| recall.map(|recall| (class, recall)))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    (recall < LOST && report.balanced_accuracy > LOST).then(|| {
        format!(
            "the model finds only {:.0} % of the rows of class `{}`; accuracy does not show it where the class is rare{}",
            recall * 100.0,
            names[class],
            if could_weigh { ". With --class-weight balanced it counts as much as the others" } else { "" }
        )
    })
}

/// What an inference takes: the line that a person decides by.
pub fn price(plan: &Plan, bandwidth: f64) -> String {
    let key = match plan.spec.key_bytes() {
        0 => "no key".to_owned(),
        size => format!("key {} once", bytes(size)),
    };
    let on = match plan.device_seconds {
        Some(_) => format!("on the device, {PLANNED_CORES} cores for a client"),
        None => format!("{PLANNED_CORES} cores on either side"),
    };
    format!(
        "an inference: about {} ({on}, {} of computing; an estimate), {key}, request {}, response {}",
        seconds(plan.total_seconds(bandwidth, PLANNED_CORES)),
        seconds(plan.seconds(PLANNED_CORES)),
        bytes(plan.spec.request_bytes()),
        bytes(plan.spec.response_bytes()),
    )
}

/// The figures, a line each.
pub fn tell(metrics: &Metrics, rounded: Option<Rounded>, simulated: Option<&Simulated>) {
    match metrics.quality {
        Quality::Accuracy { float_accuracy, quantized_accuracy, .. } => {
            print_line!("float accuracy: {float_accuracy:.4}");
            print_line!("quantised accuracy: {quantized_accuracy:.4}");
        }
        Quality::Regression {
            float_r2,
            quantized_r2,
            float_rmse,
            quantized_rmse,
            quantized_mae,
            float_d2,
            quantized_d2,
            ..
        } => {
            print_line!("float R2: {float_r2:.4} (RMSE {float_rmse:.4})");
            print_line!("quantised R2: {quantized_r2:.4} (RMSE {quantized_rmse:.4})");
            if let (Some(float), Some(quantized)) = (float_d2, quantized_d2) {
                print_line!("float D2: {float:.4}, the share of the deviance that is explained");
                print_line!("quantised D2: {quantized:.4}");
            }
            if let Some(mae) = quantized_mae {
                print_line!("mean absolute error: {}", number(mae));
            }
        }
        Quality::Unmeasured {} => print_line!("accuracy: not measured, for there are no labeled rows"),
    }
    match rounded {
        Some(Rounded { exact: Some(Score::Accuracy(accuracy)), .. }) if metrics.test_rows > 0 => {
            print_line!("quantised accuracy with exact edges: {accuracy:.4}");
        }
        Some(Rounded { exact: Some(Score::Fit(fit)), .. }) if metrics.test_rows > 0 => {
            print_line!("quantised R2 with exact edges: {:.4} (RMSE {:.4})", fit.r2, fit.rmse);
        }
        Some(Rounded { exact: None, .. }) => {
            print_line!(
                "note: trained with rounded edges only; leave out --coarse-edges to see the accuracy with exact ones"
            );
        }
        _ => {}
    }
    if let Some(simulated) = simulated {
        match simulated.quality {
            SimulatedQuality::Classes { accuracy, .. } => {
                print_line!("simulated accuracy, with the noise of encryption: {accuracy:.4}")
            }
            SimulatedQuality::Value { r2, .. } => print_line!("simulated R2, with the noise of encryption: {r2:.4}"),
        }
        print_line!("sums that wrapped around: {} over all test rows", simulated.wraps);
    }
    print_line!("test rows: {}", metrics.test_rows);
}
