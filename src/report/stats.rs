//! Summary statistics.

use serde::Serialize;

/// Median, mean, 95th percentile and extremes; all zero for an empty sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    pub median: f64,
    pub mean: f64,
    pub p95: f64,
    pub min: f64,
    pub max: f64,
}

impl Summary {
    /// Summarizes the values, in any order.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        if values.is_empty() {
            return Self { median: 0.0, mean: 0.0, p95: 0.0, min: 0.0, max: 0.0 };
        }
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        Self {
            median: f64::midpoint(values[last / 2], values[values.len() / 2]),
            mean: values.iter().sum::<f64>() / values.len() as f64,
            // Nearest rank.
            p95: values[(values.len() * 95).div_ceil(100) - 1],
            min: values[0],
            max: values[last],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_small_samples() {
        let summary = Summary::of((1..=20).map(f64::from));
        assert_eq!(summary, Summary { median: 10.5, mean: 10.5, p95: 19.0, min: 1.0, max: 20.0 });
        assert_eq!(Summary::of([3.0]).p95, 3.0);
        assert_eq!(Summary::of([]).max, 0.0);
    }
}
