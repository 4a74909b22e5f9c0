//! Rows that are like the ones at hand: the original says what their answers are.

use crate::data::ImageShape;
use crate::data::random::Random;
use crate::train::Augment;

/// The share of another row that is mixed in, at most: into rows that are taught with, and into those that are judged by,
/// which are to be no harder than rows that the original has not seen.
fn taught_share() -> f64 { std::env::var("N_MIX").ok().and_then(|v| v.parse().ok()).unwrap_or(0.5) }
fn judged_share() -> f64 { std::env::var("N_JMIX").ok().and_then(|v| v.parse().ok()).unwrap_or(0.2) }

/// The rows, then others like them until there are `count`.
pub(in super::super) fn and_more(
    rows: &[Vec<f64>],
    picture: Option<ImageShape>,
    count: usize,
    seed: u64,
) -> Vec<Vec<f64>> {
    let mut random = Random::new(seed);
    let more = if rows.is_empty() { 0..0 } else { rows.len()..count.max(rows.len()) };
    let like = |at: usize| {
        let other = random.below(rows.len());
        mixed(&rows[at % rows.len()], &rows[other], judged_share(), picture, &mut random)
    };
    rows.iter().cloned().chain(more.map(like).collect::<Vec<_>>()).collect()
}

/// Another row like `row`: an image moved a little, and then half of the time a row on the way to `other`. What lies
/// between rows is where a class ends, which is what a student must get right.
pub(super) fn moved(row: &[f64], other: &[f64], picture: Option<ImageShape>, random: &mut Random) -> Vec<f64> {
    mixed(row, other, taught_share(), picture, random)
}

fn mixed(row: &[f64], other: &[f64], most: f64, picture: Option<ImageShape>, random: &mut Random) -> Vec<f64> {
    let row = match picture {
        Some(shape) => moved_image(row, shape, random),
        None => row.to_vec(),
    };
    let share = (most * (2.0 * random.uniform() - 1.0)).max(0.0);
    row.iter().zip(other).map(|(a, b)| a + share * (b - a)).collect()
}

/// The planes of an image, channel after channel, move together.
fn moved_image(row: &[f64], shape: ImageShape, random: &mut Random) -> Vec<f64> {
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
