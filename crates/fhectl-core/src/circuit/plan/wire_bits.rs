//! How many bits of each word travel, and how wide the flooding noise is.

use crate::fhe::noise;

/// The share of an answer's margin that flooding takes at least, where it drowns the model's noise: the rest is for cutting
/// the answer, which costs bits of every word. What it leaves free between messages can betray noise that a client put
/// into its question.
pub(in crate::circuit) const FLOODED_SHARE: f64 = 0.8;
/// The same where bootstraps or CMUXes take most of the margin: the share of what they leave.
const FLOODED_ROOM: f64 = 0.5;

/// The fewest bits of an answer's words, and the flooding, beside noise of bootstraps or CMUXes. `room` is the widest flooding
/// that words of so many bits leave room for; without flooding (`floods` is false) any is enough.
pub(in crate::circuit) fn cut_beside_flooding(
    floods: bool,
    mut room: impl FnMut(u32) -> Option<u64>,
) -> Option<(u32, Option<u64>)> {
    let most = noise::flooding_reach(room(64));
    let mut left = None;
    let bits = (2..=64).find(|bits| {
        left = room(*bits);
        left.is_some() && (!floods || noise::flooding_reach(left) >= FLOODED_ROOM * most)
    })?;
    // The own noise that room is left beside is the model's: all but three digits of it would tell.
    Some((bits, left.filter(|_| floods).map(|room| noise::leading_digits(room, 3))))
}
