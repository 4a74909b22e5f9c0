//! The model card: `README.md` beside a bundle.

use super::facts::facts;
use crate::bundle::{ClientSpec, Quality, ServerSpec};
use std::fmt::Write;

const MEASURED: &str = "## Measured\n";

/// `card` with its section of measured figures replaced, or put at its end.
pub fn with_measured(card: &str, figures: &str) -> String {
    let before = card.find(MEASURED).map_or(card, |at| &card[..at]);
    format!("{}\n\n{MEASURED}\n{figures}", before.trim_end())
}

/// The card of a model that was just made. Everything in it was measured or follows from the parameters.
pub fn card(spec: &ClientSpec, server: &ServerSpec, trained_on: &str, options: &str) -> String {
    let metrics = &server.metrics;
    let mut text = format!(
        "---\ntags:\n- fhe\n- fhectl\n---\n\n# {}\n\nA {} model that answers on encrypted data. Made with fhectl {} from {trained_on} ({} training rows); {options}.\n\n",
        spec.name,
        spec.kind,
        env!("CARGO_PKG_VERSION"),
        metrics.train_rows,
    );
    let _ = writeln!(text, "## Accuracy\n\nOn {} test rows that training did not see:\n", metrics.test_rows);
    let simulated = match metrics.quality {
        Quality::Accuracy { float_accuracy, quantized_accuracy, simulated_accuracy } => {
            let _ = writeln!(
                text,
                "| model | accuracy |\n|---|---|\n| float | {float_accuracy:.4} |\n| quantised, in clear | {quantized_accuracy:.4} |"
            );
            simulated_accuracy.map(|simulated| format!("{simulated:.4}"))
        }
        Quality::Regression { float_r2, quantized_r2, float_rmse, quantized_rmse, simulated_r2 } => {
            let _ = writeln!(
                text,
                "| model | R2 | RMSE |\n|---|---|---|\n| float | {float_r2:.4} | {float_rmse:.4} |\n| quantised, in clear | {quantized_r2:.4} | {quantized_rmse:.4} |"
            );
            simulated_r2.map(|simulated| format!("{simulated:.4} |"))
        }
    };
    if let Some(simulated) = simulated {
        let _ = writeln!(text, "| simulated: quantised, with the noise of encryption | {simulated} |");
    }
    let _ = match spec.p_fail_log2 {
        Some(p_fail) => writeln!(
            text,
            "\nEncrypted inference gives the quantised model's answer but for a failure rate of at most 2^{p_fail} an inference, which follows from the parameters."
        ),
        None => writeln!(
            text,
            "\nEncrypted scores carry noise. Training saw that noise, parameters keep it no larger, and the simulated accuracy is of the quantised model with one draw of it a row."
        ),
    };
    text.push_str("\n## What it is\n\n| | |\n|---|---|\n");
    for (label, value) in facts(spec) {
        let _ = writeln!(text, "| {label} | {} |", value.replace('|', "\\|"));
    }
    let _ = writeln!(
        text,
        "\n## Use\n\n```sh\nfhectl serve {name}                      # the model's owner\nfhectl play {name} --url http://host:8000  # a client, on the test set\nfhectl predict {name} --url http://host:8000 --input rows.csv\n```\n\n`client.zip` is public: it holds the quantisers and parameters, not the model. `server.zip` holds the model and stays with its owner.\n\nThe quantisers' edges are quantiles of the training data: they say how its features are distributed. Clients are assumed to send encryptions of real rows; one that sends malformed inputs can learn more of the model with each query.",
        name = spec.name
    );
    text
}
