//! Statistics, and bounds that chance exceeds less than once in 10,000 runs.

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

pub fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

/// The correlation of pairs.
pub fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    product / (a.len() - 1) as f64 / (variance(a) * variance(b)).sqrt()
}

/// The difference of two means in its standard errors (Welch's t).
pub fn standard_errors(a: &[f64], b: &[f64]) -> f64 {
    let square = variance(a) / a.len() as f64 + variance(b) / b.len() as f64;
    if square == 0.0 && mean(a) == mean(b) { 0.0 } else { (mean(a) - mean(b)) / square.sqrt() }
}

/// What a chi-square of so many degrees exceeds once in 30,000 times (Wilson and Hilferty: its cube root is nearly
/// normal; four deviations).
pub fn chi_square_bound(degrees: usize) -> f64 {
    let degrees = degrees as f64;
    degrees * (1.0 - 2.0 / (9.0 * degrees) + 4.0 * (2.0 / (9.0 * degrees)).sqrt()).powi(3)
}
