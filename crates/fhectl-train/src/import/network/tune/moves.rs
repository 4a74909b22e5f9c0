//! Rows that are like the ones at hand: the original says what their answers are.

use crate::data::ImageShape;
use crate::data::random::Random;
use crate::train::Augment;

/// How far rows are moved.
struct Reach {
    /// Of what images are moved by at most.
    image: f64,
    /// The share of another row that is mixed in, at most.
    other: f64,
}

/// What lies between rows is where a class ends, which is what a student must get right.
const TAUGHT: Reach = Reach { image: 1.0, other: 0.5 };
/// Rows to judge by are to be no harder than rows that the original has not seen.
const JUDGED: Reach = Reach { image: 0.5, other: 0.2 };

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
        between(&rows[at % rows.len()], &rows[other], &JUDGED, picture, &mut random)
    };
    rows.iter().cloned().chain(more.map(like).collect::<Vec<_>>()).collect()
}

/// Another row like `row`: an image moved a little, and then half of the time a row on the way to `other`.
pub(super) fn moved(row: &[f64], other: &[f64], picture: Option<ImageShape>, random: &mut Random) -> Vec<f64> {
    between(row, other, &TAUGHT, picture, random)
}

fn between(row: &[f64], other: &[f64], reach: &Reach, picture: Option<ImageShape>, random: &mut Random) -> Vec<f64> {
    let row = match picture {
        Some(shape) => moved_image(row, shape, reach.image, random),
        None => row.to_vec(),
    };
    let share = (reach.other * (2.0 * random.uniform() - 1.0)).max(0.0);
    row.iter().zip(other).map(|(a, b)| a + share * (b - a)).collect()
}

/// The planes of an image, channel after channel, move together.
fn moved_image(row: &[f64], shape: ImageShape, reach: f64, random: &mut Random) -> Vec<f64> {
    let plane = ImageShape { channels: 1, ..shape };
    let most = Augment::for_image(plane);
    let augment = Augment { shift: reach * most.shift, rotation: reach * most.rotation, scale: reach * most.scale };
    let seed = random.next();
    let moved = |plane_of: &[f64]| {
        let from: Vec<f32> = plane_of.iter().map(|value| *value as f32).collect();
        let mut to = vec![0.0; from.len()];
        augment.apply(plane, &from, &mut to, &mut Random::new(seed));
        to.into_iter().map(f64::from).collect::<Vec<f64>>()
    };
    row.chunks(shape.height * shape.width).flat_map(moved).collect()
}
