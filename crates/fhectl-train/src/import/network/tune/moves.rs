//! Rows that are like the ones at hand: the original says what their answers are.

use crate::data::ImageShape;
use crate::data::random::Random;
use crate::train::Augment;

/// The share of another row that is mixed in, at most.
const MIXED: f64 = 0.4;

/// Another row like `row`: an image moved a little, or else a row on the way to `other`, half of the time.
pub(super) fn moved(row: &[f64], other: &[f64], picture: Option<ImageShape>, random: &mut Random) -> Vec<f64> {
    match picture {
        Some(shape) => {
            // The planes of an image, channel after channel, move together.
            let plane = ImageShape { channels: 1, ..shape };
            let augment = Augment::for_image(plane);
            let seed = random.next();
            let moved = |plane_of: &[f64]| {
                let from: Vec<f32> = plane_of.iter().map(|value| *value as f32).collect();
                let mut to = vec![0.0; from.len()];
                augment.apply(plane, &from, &mut to, &mut Random::new(seed));
                to.into_iter().map(f64::from).collect::<Vec<f64>>()
            };
            row.chunks(shape.height * shape.width).flat_map(moved).collect()
        }
        None => {
            let share = (MIXED * (2.0 * random.uniform() - 1.0)).max(0.0);
            row.iter().zip(other).map(|(a, b)| a + share * (b - a)).collect()
        }
    }
}
