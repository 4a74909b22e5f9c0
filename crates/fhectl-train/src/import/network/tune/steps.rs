//! Adam (Kingma, Ba 2015, algorithm 1) over the parameters of tied maps.

use super::tied_map::TiedMap;

/// How much of the mean slope, and of the mean squared slope, a step keeps: those of the paper.
const KEPT_SLOPE: f32 = 0.9;
const KEPT_SQUARE: f32 = 0.999;

/// The running means of the slopes of all maps.
pub(super) struct Steps {
    means: Vec<Vec<(f32, f32)>>,
    taken: i32,
}

impl Steps {
    pub(super) fn new(maps: &[TiedMap]) -> Self {
        Self { means: maps.iter().map(|map| vec![(0.0, 0.0); map.values.len()]).collect(), taken: 0 }
    }

    /// Takes a step down the slopes; `rate` is in parameters' units.
    pub(super) fn take(&mut self, maps: &mut [TiedMap], slopes: &[Vec<f32>], rate: f32) {
        self.taken += 1;
        let unbiased_slope = 1.0 / (1.0 - KEPT_SLOPE.powi(self.taken));
        let unbiased_square = 1.0 / (1.0 - KEPT_SQUARE.powi(self.taken));
        for ((map, means), slopes) in maps.iter_mut().zip(&mut self.means).zip(slopes) {
            for (parameter, ((mean, square), slope)) in means.iter_mut().zip(slopes).enumerate() {
                *mean += (1.0 - KEPT_SLOPE) * (slope - *mean);
                *square += (1.0 - KEPT_SQUARE) * (slope * slope - *square);
                let spread = (*square * unbiased_square).sqrt();
                if spread > 0.0 && !map.is_fixed(parameter) {
                    map.values[parameter] -= rate * map.units[parameter] * *mean * unbiased_slope / spread;
                }
            }
        }
    }
}
