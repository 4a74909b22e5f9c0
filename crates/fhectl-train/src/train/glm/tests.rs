use super::*;
use crate::train::tests::dataset;
use crate::train::{fit_affine, quantize_rows};

/// Rows of three features whose mean is the exponential of a known sum.
fn rows(unit: f64) -> Dataset {
    let feature = |row: usize, of: usize| ((row * (2 * of + 7) + of) % 41) as f64 / 10.0;
    let rows: Vec<Vec<f64>> = (0..400).map(|row| (0..3).map(|of| feature(row, of)).collect()).collect();
    let values = rows.iter().map(|row| unit * (0.3 * row[0] - 0.2 * row[1] + 0.1 * row[2] + 0.5).exp()).collect();
    Dataset { values, labels: Vec::new(), classes: Vec::new(), ..dataset(rows, vec![0; 400], 2) }
}

fn params(power: f64, link: Link) -> GlmParams {
    GlmParams { family: Family::tweedie(power).unwrap(), link, alpha: 0.0 }
}

#[test]
fn exact_means_are_found_in_any_unit_and_family() {
    for power in [0.0, 1.0, 1.5, 2.0, 3.0] {
        for unit in [1e-6, 1.0, 1e9] {
            let data = rows(unit);
            let glm = float_glm(&data, &params(power, Link::Log)).unwrap();
            for (weight, wanted) in glm.linear.weights[0].iter().zip([0.3, -0.2, 0.1]) {
                assert!((weight - wanted).abs() < 1e-5, "{power}, {unit}: {weight}");
            }
            let off = glm.predict(&data).iter().zip(&data.values).map(|(p, y)| (p / y - 1.0).abs()).fold(0.0, f64::max);
            assert!(off < 1e-4, "{power}, {unit}: {off}");
        }
    }
}

#[test]
fn the_identity_is_least_squares_for_the_gaussian_family() {
    let data = rows(100.0);
    let glm = float_glm(&data, &params(0.0, Link::Identity)).unwrap();
    let linear = crate::train::float_linreg(&data, &Default::default()).unwrap();
    assert!((glm.fit(&data).r2 - linear.fit(&data).r2).abs() < 1e-9);
    // Means that must be positive, on a line.
    float_glm(&data, &params(1.0, Link::Identity)).unwrap();
}

#[test]
fn a_quantized_model_predicts_as_the_float_one() {
    let data = rows(3.0);
    let quantizer = fit_affine(&data, 8).unwrap();
    let params = params(1.0, Link::Log);
    let (float, glm) = (float_glm(&data, &params).unwrap(), train_glm(&data, &quantizer, &params).unwrap());
    for (row, wanted) in quantize_rows(&quantizer, &data).unwrap().iter().zip(float.predict(&data)) {
        let row: Vec<f64> = row.iter().map(|q| f64::from(*q)).collect();
        let predicted = glm.link.mean(glm.linear.scores(&row)[0] + glm.offset);
        assert!((predicted / wanted - 1.0).abs() < 0.02, "{predicted} for {wanted}");
    }
}

#[test]
fn numbers_that_a_family_lacks_are_named() {
    let code = |values: Vec<f64>, power: f64, link: Link| {
        let data = Dataset { values, ..rows(1.0).select(&[0, 1, 2, 3]) };
        float_glm(&data, &params(power, link)).unwrap_err().code
    };
    assert_eq!(code(vec![1.0, -1.0, 2.0, 3.0], 1.0, Link::Log), ErrorCode::GlmTarget);
    assert_eq!(code(vec![1.0, 0.0, 2.0, 3.0], 2.0, Link::Log), ErrorCode::GlmTarget);
    assert_eq!(code(vec![-1.0, -3.0, -2.0, -3.0], 0.0, Link::Log), ErrorCode::GlmTarget);
    let bad = GlmParams { alpha: -1.0, ..params(1.0, Link::Log) };
    assert_eq!(float_glm(&rows(1.0), &bad).unwrap_err().code, ErrorCode::GlmParams);
    let flat = GlmParams { alpha: 1e30, ..params(1.0, Link::Log) };
    assert!(float_glm(&rows(1.0), &flat).is_err_and(|error| error.code == ErrorCode::GlmTrivial));
}
