//! How bootstraps are spread over a device.

use crate::limits::Limits;
use crate::variant::{BlockShape, Variant};
use std::cmp::Reverse;

impl Limits {
    /// The shape for so many ciphertexts of each key: a block each as long as every multiprocessor has one at most, then
    /// pairs, then warps: in the fewest rounds, then with as few on one multiprocessor as that allows, then with as many in a
    /// block, which read the key together. Only of `forced`, where one is. Nothing where no bootstrap fits the device.
    pub fn choose(
        &self,
        [polynomials, levels]: [usize; 2],
        of_keys: &[usize],
        forced: Option<Variant>,
    ) -> Option<BlockShape> {
        let mut shapes = self.shapes(polynomials, levels);
        if let Some(variant) = forced {
            shapes.retain(|shape| shape.variant == variant);
        }
        let in_one_go =
            |shape: &&BlockShape| shape.variant != Variant::Warp && shape.blocks(of_keys) <= self.multiprocessors;
        if let Some(shape) = shapes.iter().find(in_one_go) {
            return Some(*shape);
        }
        let cost = |shape: &&BlockShape| {
            let blocks = shape.blocks(of_keys);
            let rounds = blocks.div_ceil(self.resident(shape));
            (rounds, blocks.div_ceil(self.multiprocessors) * shape.ciphertexts, Reverse(shape.ciphertexts))
        };
        let warps = shapes.iter().filter(|shape| shape.variant == Variant::Warp);
        warps.min_by_key(cost).or(shapes.last()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h100() -> Limits {
        Limits {
            capability: (9, 0),
            multiprocessors: 132,
            shared_bytes: 227 << 10,
            shared_of_multiprocessor: 228 << 10,
            registers: 1 << 16,
        }
    }

    fn chosen(limits: &Limits, k1: usize, levels: usize, of_keys: &[usize]) -> (Variant, usize, usize) {
        let shape = limits.choose([k1, levels], of_keys, None).unwrap();
        assert!(shape.shared <= limits.shared_bytes);
        (shape.variant, shape.ciphertexts, shape.stages)
    }

    #[test]
    fn more_ciphertexts_share_a_block() {
        let device = h100();
        assert_eq!(chosen(&device, 5, 1, &[1]), (Variant::Block, 1, 0));
        assert_eq!(chosen(&device, 5, 1, &[132]), (Variant::Block, 1, 0));
        assert_eq!(chosen(&device, 5, 1, &[133]), (Variant::Pair, 2, 0));
        assert_eq!(chosen(&device, 5, 1, &[264]), (Variant::Pair, 2, 0));
        assert_eq!(chosen(&device, 5, 1, &[265]), (Variant::Warp, 3, 5));
        assert_eq!(chosen(&device, 5, 1, &[8 * 132]), (Variant::Warp, 8, 5));
        // Two rounds of five take less time than one and a bit of eight.
        assert_eq!(chosen(&device, 5, 1, &[10 * 132]), (Variant::Warp, 5, 5));
        // Keys share no block: each of these would have one ciphertext in it.
        assert_eq!(chosen(&device, 5, 1, &[1; 300]).1, 1);
        // There is no warp for seven polynomials.
        assert_eq!(chosen(&device, 7, 1, &[9000]), (Variant::Pair, 2, 0));
        assert!(device.choose([3, 1], &[1], None).is_none());
        assert!(device.choose([7, 9], &[1], None).is_none());
        assert_eq!(device.choose([5, 1], &[1], Some(Variant::Warp)).unwrap().ciphertexts, 1);
    }

    #[test]
    fn older_devices_have_no_ring() {
        let device = Limits {
            capability: (8, 0),
            multiprocessors: 108,
            shared_bytes: 163 << 10,
            shared_of_multiprocessor: 164 << 10,
            registers: 1 << 16,
        };
        assert_eq!(chosen(&device, 5, 1, &[8 * 108]), (Variant::Warp, 8, 0), "eight blocks of one are no better");
        assert_eq!(chosen(&device, 5, 1, &[4 * 108]), (Variant::Warp, 4, 0));
        assert!(device.shapes(5, 1).iter().all(|shape| shape.stages == 0));
    }
}
