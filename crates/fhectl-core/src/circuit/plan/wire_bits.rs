//! How many bits of each word travel, and how wide the flooding noise is.

use super::request::PlanRequest;
use crate::circuit::reveal::Reveal;
use crate::fhe::noise;

/// The share of an answer's margin that flooding takes at least, where it drowns the model's noise: the rest is for cutting
/// the answer, which costs bits of every word. What it leaves free between messages can betray noise that a client put
/// into its question.
const FLOODED_SHARE: f64 = 0.8;
/// The same where bootstraps or CMUXes take most of the margin: the share of what they leave.
const FLOODED_ROOM: f64 = 0.5;

/// What a search leaves open until the rest is chosen.
pub(in crate::circuit) struct WireBits<'a> {
    /// Bits of the request's bodies.
    pub input: &'a mut u32,
    /// Bits of the answer's words.
    pub response: &'a mut u32,
    /// In units of 2^-64.
    pub noise_flooding: &'a mut Option<u64>,
}

/// The noise of one model under parameters `P` of a circuit whose answers are sums of fresh ciphertexts.
pub(in crate::circuit) trait SumNoise<P> {
    fn wire_bits<'a>(&self, params: &'a mut P) -> WireBits<'a>;

    /// log2 of the chance that an inference goes wrong. Falls with more bits.
    fn failure_log2(&self, params: &P) -> f64;

    /// The margin of which flooding has to take its share, in turns.
    fn margin(&self, params: &P) -> f64;

    /// The widest flooding for a chance of failure of `2^p_fail_log2`. Grows with more bits.
    fn widest_flooding(&self, params: &P, p_fail_log2: f64) -> Option<u64>;

    /// log2 of an answer's statistical distance from one whose noise is independent of the model; `None` without flooding.
    fn flooding_log2(&self, params: &P) -> Option<f64>;
}

/// Closes what is open: so many bits of the answer that flooding can take most of the margin, so many of the input as the
/// flooding distance asks for. Of a public model, half of the failure budget goes before the answer is cut.
pub(in crate::circuit) fn close_wire_bits<P>(
    mut params: P,
    noise: &impl SumNoise<P>,
    request: &PlanRequest,
) -> Option<P> {
    let floods = request.reveal != Reveal::Model;
    let open = noise.wire_bits(&mut params);
    (*open.input, *open.response, *open.noise_flooding) = (64, 64, floods.then_some(1));
    if !floods {
        let input = fewest(8, |bits| {
            *noise.wire_bits(&mut params).input = bits;
            noise.failure_log2(&params) <= request.p_fail_log2 - 1.0
        })?;
        *noise.wire_bits(&mut params).input = input;
        let response = fewest(2, |bits| {
            *noise.wire_bits(&mut params).response = bits;
            noise.failure_log2(&params) <= request.p_fail_log2
        })?;
        *noise.wire_bits(&mut params).response = response;
        return Some(params);
    }
    let response = fewest(2, |bits| {
        *noise.wire_bits(&mut params).response = bits;
        let widest = noise.widest_flooding(&params, request.p_fail_log2);
        noise::flooding_reach(widest) >= FLOODED_SHARE * noise.margin(&params)
    })?;
    *noise.wire_bits(&mut params).response = response;
    let input = fewest(8, |bits| {
        *noise.wire_bits(&mut params).input = bits;
        let widest = noise.widest_flooding(&params, request.p_fail_log2);
        *noise.wire_bits(&mut params).noise_flooding = widest.or(Some(1));
        noise.flooding_log2(&params).is_some_and(|distance| distance <= request.flooding_log2)
    })?;
    *noise.wire_bits(&mut params).input = input;
    // The search by halving need not have ended where it looked last.
    let widest = noise.widest_flooding(&params, request.p_fail_log2)?;
    *noise.wire_bits(&mut params).noise_flooding = Some(widest);
    Some(params)
}

/// The fewest bits, up to 64, that are enough; more are enough too.
fn fewest(from: u32, mut enough: impl FnMut(u32) -> bool) -> Option<u32> {
    let (mut low, mut high) = (from, 65);
    while low < high {
        let middle = (low + high) / 2;
        if middle < 65 && !enough(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    (low <= 64 && enough(low)).then_some(low)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_bits_are_found() {
        assert_eq!(fewest(8, |bits| bits >= 57), Some(57));
        assert_eq!(fewest(8, |_| true), Some(8));
        assert_eq!(fewest(8, |bits| bits >= 64), Some(64));
        assert_eq!(fewest(8, |_| false), None);
    }
}
