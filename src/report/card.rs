//! The model card: `README.md` beside a bundle.

use super::facts::facts;
use super::number;
use fhectl_core::bundle::{ClientSpec, Quality, ServerSpec};
use fhectl_core::circuit::CircuitKind;
use fhectl_core::model::{ClearStep, ColumnKind, ColumnRule, FeatureQuantizer, Vocabulary};
use fhectl_train::train::Score;
use std::fmt::Write;

const MEASURED: &str = "## Measured\n";

/// `card` with its section of measured figures replaced, or put at its end.
pub fn with_measured(card: &str, figures: &str) -> String {
    let before = card.find(MEASURED).map_or(card, |at| &card[..at]);
    format!("{}\n\n{MEASURED}\n{figures}", before.trim_end())
}

/// How a model came about, as its card tells it.
pub struct Provenance<'a> {
    /// The name of the rows it was trained on; of an imported model those that it was quantized with.
    pub rows: &'a str,
    pub options: &'a str,
    /// Where another tool trained it.
    pub imported: Option<&'a ImportedFrom>,
    /// Where its quantizers' numbers were rounded.
    pub rounded: Option<Rounded>,
    /// Whether nearly all edges of its quantizers are values of rows, as where the model's own thresholds are.
    pub edges_are_values: bool,
}

/// What rounding a quantizer's numbers came to.
#[derive(Debug, Clone, Copy)]
pub struct Rounded {
    /// The significant decimal digits that they keep.
    pub digits: u32,
    /// The quantized model's score where they are exact; `None` where that was not tried.
    pub exact: Option<Score>,
}

/// The model of another tool.
pub struct ImportedFrom {
    /// The file's name and what it is of.
    pub file: String,
    /// Whether the quantizers' edges are the model's own thresholds.
    pub exact_thresholds: bool,
}

/// The card of a model that was just made. Everything in it was measured or follows from the parameters.
pub fn card(spec: &ClientSpec, server: &ServerSpec, provenance: &Provenance<'_>) -> String {
    let metrics = &server.metrics;
    let mut text = format!("---\ntags:\n- fhe\n- fhectl\n---\n\n# {}\n\n", spec.name);
    let (version, rows, count) = (env!("CARGO_PKG_VERSION"), provenance.rows, metrics.train_rows);
    let _ = match provenance.imported {
        None => write!(
            text,
            "A {} model that answers on encrypted data. Made with fhectl {version} from `{rows}` ({count} training rows)",
            spec.kind
        ),
        Some(from) if count == 0 => {
            write!(text, "A model that answers on encrypted data. Made with fhectl {version} from {}", from.file)
        }
        Some(from) => write!(
            text,
            "A model that answers on encrypted data. Made with fhectl {version} from {}, quantized with {count} rows of `{rows}`",
            from.file
        ),
    };
    let _ = write!(text, "; {}.\n\n## Accuracy\n\n", provenance.options);
    let float = if provenance.imported.is_some() { "original" } else { "float" };
    let unseen = if provenance.imported.is_some() { "quantisation" } else { "training" };
    if metrics.test_rows > 0 {
        let _ = writeln!(text, "On {} test rows that {unseen} did not see:\n", metrics.test_rows);
    }
    let simulated = match metrics.quality {
        Quality::Accuracy { float_accuracy, quantized_accuracy, simulated_accuracy } => {
            let _ = writeln!(
                text,
                "| model | accuracy |\n|---|---|\n| {float} | {float_accuracy:.4} |\n| quantised, in clear | {quantized_accuracy:.4} |"
            );
            simulated_accuracy.map(|simulated| format!("{simulated:.4}"))
        }
        Quality::Regression { float_r2, quantized_r2, float_rmse, quantized_rmse, simulated_r2, .. } => {
            let _ = writeln!(
                text,
                "| model | R2 | RMSE |\n|---|---|---|\n| {float} | {float_r2:.4} | {float_rmse:.4} |\n| quantised, in clear | {quantized_r2:.4} | {quantized_rmse:.4} |"
            );
            simulated_r2.map(|simulated| format!("{simulated:.4} |"))
        }
        Quality::Unmeasured {} => {
            let _ = writeln!(
                text,
                "Not measured: the model was imported without labeled rows. `fhectl play {} --data FILE.csv` does.",
                spec.name
            );
            None
        }
    };
    match provenance.rounded.and_then(|rounded| rounded.exact) {
        Some(Score::Accuracy(accuracy)) if metrics.test_rows > 0 => {
            let _ = writeln!(text, "| quantized with exact edges, in clear | {accuracy:.4} |");
        }
        Some(Score::Fit(fit)) if metrics.test_rows > 0 => {
            let _ = writeln!(text, "| quantized with exact edges, in clear | {:.4} | {:.4} |", fit.r2, fit.rmse);
        }
        _ => {}
    }
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
    if let Quality::Regression { quantized_mae: Some(mae), float_d2, quantized_d2, .. } = metrics.quality {
        let explained = match (float_d2, quantized_d2) {
            (Some(float), Some(quantized)) => {
                format!(" Of the deviance the float model explains {float:.4}, the quantised one {quantized:.4} (D2).")
            }
            _ => String::new(),
        };
        let _ = writeln!(text, "\nThe quantised model's mean absolute error is {}.{explained}", number(mae));
    }
    text.push_str("\n## What it is\n\n| | |\n|---|---|\n");
    for (label, value) in facts(spec) {
        let _ = writeln!(text, "| {label} | {} |", value.replace('|', "\\|"));
    }
    let name = &spec.name;
    let _ = writeln!(
        text,
        "\n## Use\n\n```sh\nfhectl serve compiled_model/{name}  # the model's owner: the folder that holds server.zip\nfhectl play {name} --url http://host:8000  # a client, on the test set\nfhectl predict {name} --url http://host:8000 --input rows.csv\n```\n"
    );
    let exact_thresholds = provenance.imported.is_some_and(|from| from.exact_thresholds);
    let held = if exact_thresholds {
        "the quantizers and parameters, and with them the model's thresholds, not its leaves' values"
    } else {
        "the quantisers and parameters, not the model"
    };
    let told = told(spec, provenance);
    let _ = writeln!(
        text,
        "`client.zip` is public: it holds {held}. `server.zip` holds the model and stays with its owner.\n\n{told} Clients are assumed to send encryptions of real rows; one that sends malformed inputs can learn more of the model with each query."
    );
    text
}

/// What `client.zip` tells of the data, in plain words.
fn told(spec: &ClientSpec, provenance: &Provenance<'_>) -> String {
    let names =
        if spec.classes.is_empty() { "the names of features and target" } else { "the names of features and classes" };
    if provenance.imported.is_some_and(|from| from.exact_thresholds) {
        return format!(
            "The quantizers' edges are the model's own thresholds: whoever has `client.zip` has all of them, but not which tree uses which. It also has {names}."
        );
    }
    let rows = if provenance.imported.is_some() { "rows that the model was quantized with" } else { "training data" };
    let rules = &spec.quantizer.features;
    let shared = rules.len() > 1 && rules.iter().all(|rule| *rule == rules[0]);
    let what = match &rules[..] {
        [FeatureQuantizer::Edges { .. }, ..] => "for each feature quantiles of its values",
        _ if shared => "one range that holds the values of all features",
        _ if spec.circuit.kind() == CircuitKind::Linear && provenance.imported.is_none() => {
            "for each feature the range of its values, widened by a known share (of 1,000 rows or more without the \
             outermost 0.1 % at either end)"
        }
        _ => {
            "for each feature the range of its values (of 1,000 rows or more without the outermost 0.1 % at either end)"
        }
    };
    let digits = match provenance.rounded {
        Some(rounded) if rounded.digits == 1 => "rounded to one significant digit".to_owned(),
        Some(rounded) => format!("rounded to {} significant digits", rounded.digits),
        None if provenance.edges_are_values => {
            "nearly all of which are single rows' own, to all their digits (`--coarse-edges` rounds them)".to_owned()
        }
        None => "to all their digits, so that some may be single rows' own (`--coarse-edges` rounds them)".to_owned(),
    };
    let mut text = format!("Of the {rows}, `client.zip` tells {names}, and {what}, {digits}.");
    if spec.score_offset.is_some() {
        let _ = write!(text, " What it adds to a predicted number is about the mean of `{}`.", spec.target);
    }
    for sentence in told_by_preprocessing(spec) {
        let _ = write!(text, " {sentence}");
    }
    text
}

/// What `client.zip` holds of the rows, in a few words.
pub fn told_in_short(spec: &ClientSpec, edges_are_values: bool) -> String {
    let columns = spec.input.as_ref().map_or(&[][..], |input| &input.columns[..]);
    let has = |wanted: fn(&ColumnKind) -> bool| columns.iter().any(|column| wanted(&column.kind));
    let edges = spec.quantizer.features.iter().any(|rule| matches!(rule, FeatureQuantizer::Edges { .. }));
    let mut parts = vec![if edges_are_values {
        "values of columns, as edges"
    } else if edges {
        "quantiles of columns"
    } else {
        "ranges of columns"
    }];
    if has(|kind| matches!(kind, ColumnKind::Category { .. })) {
        parts.push("names of categories");
    }
    if has(|kind| matches!(kind, ColumnKind::Text { words } if matches!(words.vocabulary, Vocabulary::Listed { .. }))) {
        parts.push("words of texts");
    }
    if !spec.classes.is_empty() {
        parts.push("names of classes");
    }
    if spec.score_offset.is_some() {
        parts.push("about the mean of the target");
    }
    if votes(spec) {
        parts.push("what each training row is or counts for");
    }
    if !spec.preprocessing.is_empty() {
        parts.push("the numbers of what prepares rows");
    }
    parts.join(", ")
}

/// Whether the prediction is a vote of training rows.
fn votes(spec: &ClientSpec) -> bool {
    let steps = spec.head.as_ref().map_or(&[][..], |head| &head.steps[..]);
    steps.iter().any(|step| matches!(step, ClearStep::Neighbors(_)))
}

/// What preprocessing and the head tell, a sentence each.
fn told_by_preprocessing(spec: &ClientSpec) -> Vec<String> {
    let mut sentences = Vec::new();
    let columns = spec.input.as_ref().map_or(&[][..], |input| &input.columns[..]);
    let of_kind = |wanted: fn(&ColumnKind) -> bool| {
        let names: Vec<String> = columns.iter().filter(|c| wanted(&c.kind)).map(|c| format!("`{}`", c.name)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(names) = of_kind(|kind| matches!(kind, ColumnKind::Category { .. })) {
        sentences.push(format!("It holds the names of the categories of {names}."));
    }
    let listed = |kind: &ColumnKind| matches!(kind, ColumnKind::Text { words } if matches!(words.vocabulary, Vocabulary::Listed { .. }));
    if let Some(names) = of_kind(listed) {
        sentences.push(format!("It holds the most common words of {names}, and how common each is."));
    }
    let steps = &spec.preprocessing;
    let rules = || {
        steps.iter().flat_map(|step| match step {
            ClearStep::Columns { columns } => &columns[..],
            _ => &[],
        })
    };
    if rules().any(|column| matches!(column.rule, ColumnRule::Impute { .. })) {
        sentences.push("It holds the values that stand for missing ones.".to_owned());
    }
    if rules().any(|column| matches!(column.rule, ColumnRule::Lookup { .. })) {
        sentences.push("It holds the order of some columns' categories, which is that of the target's mean in models trained here.".to_owned());
    }
    if steps.iter().any(|step| matches!(step, ClearStep::Scale { .. })) {
        sentences.push("Its scaler holds, to all their digits, numbers of the rows that the scaler was fitted to, such as their means and deviations.".to_owned());
    }
    let other = |step: &ClearStep| {
        !matches!(step, ClearStep::Scale { .. } | ClearStep::Columns { .. } | ClearStep::Normalize { .. })
    };
    if steps.iter().any(other) {
        sentences
            .push("It holds the parameters of the preprocessing that the original does before its model.".to_owned());
    }
    if votes(spec) {
        sentences.push(
            "It holds the class or number of each training row, which its neighbors' vote is made of.".to_owned(),
        );
    }
    if spec.head.as_ref().is_some_and(|head| !head.steps.is_empty()) {
        sentences.push("It holds how predictions are made of scores, with the parameters of that.".to_owned());
    }
    sentences
}
