//! What a model says of itself, for JavaScript: `ModelInfo` in `api.ts`.

mod feature;

use feature::Feature;
use fhectl_core::bundle::{ClientSpec, ScoreUnit};
use fhectl_core::circuit::Reveal;
use fhectl_core::client::policy::rows_left;
use fhectl_core::client::{ClientModel, Detail};
use fhectl_core::error::Result;
use fhectl_core::protocol::frame;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info<'a> {
    name: &'a str,
    id: String,
    kind: &'a str,
    circuit: &'static str,
    target: &'a str,
    classes: Option<&'a [String]>,
    features: Vec<Feature<'a>>,
    image: Option<Image>,
    score_unit: &'static str,
    exact: bool,
    shows_scores: bool,
    sizes: Sizes,
    batch_rows: usize,
    security_bits: u32,
    p_fail_log2: Option<f64>,
    rows_a_key: Option<u32>,
    client_learns: String,
}

#[derive(Serialize)]
struct Image {
    height: usize,
    width: usize,
}

#[derive(Serialize)]
struct Sizes {
    key: usize,
    request: usize,
    response: usize,
}

/// All of it.
///
/// # Errors
/// `parameters_invalid` where scores could not be shown at all.
pub fn info(model: &ClientModel, detail: Detail) -> Result<Info<'_>> {
    let spec = model.spec();
    let circuit = &spec.circuit;
    Ok(Info {
        name: &spec.name,
        id: model.id().to_string(),
        kind: &spec.kind,
        circuit: circuit.kind().name(),
        target: &spec.target,
        classes: (!spec.classes.is_empty()).then_some(&spec.classes[..]),
        features: feature::features(spec),
        image: image(spec),
        score_unit: score_unit(spec),
        exact: circuit.is_exact(),
        shows_scores: detail.shows_scores(circuit),
        sizes: Sizes {
            key: frame::key_len(circuit),
            request: frame::inputs_len(circuit, 1),
            response: frame::answers_len(circuit, 1),
        },
        batch_rows: model.batch_rows(),
        security_bits: spec.security_bits,
        p_fail_log2: spec.p_fail_log2,
        rows_a_key: model.disclosed_bits(detail)?.map(|bits| rows_left(0, bits)),
        client_learns: match spec.reveal {
            Reveal::Model => "the answers, and possibly the model".to_owned(),
            _ => circuit.leakage(spec.output()),
        },
    })
}

fn score_unit(spec: &ClientSpec) -> &'static str {
    match (&spec.head, spec.score_scale, spec.score_unit) {
        (Some(_), ..) | (None, None, _) => "score",
        (None, Some(_), ScoreUnit::Logit) => "probability",
        (None, Some(_), ScoreUnit::Share) => "share",
        (None, Some(_), ScoreUnit::Margin) => "margin",
    }
}

/// Rows are taken for square images where the features are numbered pixels, as many as a square has.
fn image(spec: &ClientSpec) -> Option<Image> {
    let names = spec.columns();
    let side = names.len().isqrt();
    let pixel = |name: &&str| {
        let number = name.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '_');
        ["p", "px", "pixel", "pixel_"].contains(&&name[..name.len() - number.len()])
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    (side >= 4 && side * side == names.len() && names.iter().all(pixel)).then_some(Image { height: side, width: side })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str) -> ClientModel {
        let path = format!("{}/../../../compiled_model/{name}/client.zip", env!("CARGO_MANIFEST_DIR"));
        ClientModel::read(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn images_are_seen_by_their_pixels() {
        for (name, side) in [("cnn-digits", Some(8)), ("mlp-mnist", Some(28)), ("tree-spam", None), ("qnn-iris", None)]
        {
            let model = spec(name);
            let image = info(&model, Detail::Prediction).unwrap().image;
            assert_eq!(
                image.as_ref().map(|image| (image.height, image.width)),
                side.map(|side| (side, side)),
                "{name}"
            );
        }
    }

    #[test]
    fn networks_have_a_limit_and_withhold_scores() {
        let (network, tree) = (spec("cnn-digits"), spec("tree-spam"));
        let withheld = info(&network, Detail::Prediction).unwrap();
        // A class of ten is four bits, of which a key may tell 256.
        assert_eq!((withheld.rows_a_key, withheld.shows_scores, withheld.exact), (Some(64), false, false));
        let shown = info(&network, Detail::Scores).unwrap();
        assert!(shown.rows_a_key < withheld.rows_a_key && shown.shows_scores);
        let exact = info(&tree, Detail::Prediction).unwrap();
        assert_eq!((exact.rows_a_key, exact.shows_scores, exact.exact), (None, true, true));
    }
}
