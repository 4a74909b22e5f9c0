//! AES-128 in counter mode, eight blocks at once, bit by bit.
//!
//! Plane `i` holds bit `i` of every byte of the state: its byte `j` has that bit of state byte `j`, one bit a block. So each step is
//! the same logic on all of them, in the same time whatever the key is.

use super::plane::Plane;
use zeroize::Zeroize;

/// The round keys, each as eight planes of two words; the constant of the S-box is part of all but the first.
type RoundKeys = [[[u64; 2]; 8]; 11];

/// Bytes of eight blocks.
const CHUNK: usize = 128;

/// A key's bytes from a place on. Wiped when dropped.
pub struct Keystream {
    keys: RoundKeys,
    /// The next chunk.
    chunk: u64,
    /// What is left of the one before: its last bytes.
    rest: [u8; CHUNK],
    left: usize,
}

impl Drop for Keystream {
    fn drop(&mut self) {
        self.keys.as_flattened_mut().as_flattened_mut().zeroize();
        self.rest.zeroize();
    }
}

impl Keystream {
    pub fn new(key: &[u8; 16], from: u64) -> Self {
        let mut stream = Self { keys: expand(key), chunk: from / CHUNK as u64, rest: [0; CHUNK], left: 0 };
        let skipped = (from % CHUNK as u64) as usize;
        if skipped > 0 {
            stream.refill();
            stream.left = CHUNK - skipped;
        }
        stream
    }

    /// Fills `bytes` with the next ones.
    pub fn fill(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            if self.left == 0 {
                if let Some((chunk, _)) = bytes.split_first_chunk_mut::<CHUNK>() {
                    self.next_into(chunk);
                    bytes = &mut bytes[CHUNK..];
                    continue;
                }
                self.refill();
            }
            let taken = self.left.min(bytes.len());
            let (now, later) = bytes.split_at_mut(taken);
            now.copy_from_slice(&self.rest[CHUNK - self.left..][..taken]);
            self.left -= taken;
            bytes = later;
        }
    }

    fn refill(&mut self) {
        let mut chunk = [0; CHUNK];
        self.next_into(&mut chunk);
        self.rest = chunk;
        chunk.zeroize();
        self.left = CHUNK;
    }

    fn next_into(&mut self, out: &mut [u8; CHUNK]) {
        let first = self.chunk * 8;
        self.chunk += 1;
        // The counter's upper half is nought: a stream of 2^64 blocks is never drawn.
        let counter = |block: u64| Plane::of([0, (first + block).swap_bytes()]);
        let counters = [counter(0), counter(1), counter(2), counter(3), counter(4), counter(5), counter(6), counter(7)];
        let blocks = transpose(encrypt(&self.keys, transpose(counters)));
        let (places, _) = out.as_chunks_mut::<16>();
        for (place, block) in places.iter_mut().zip(blocks) {
            *place = block_bytes(block.words());
        }
    }
}

fn block_bytes([low, high]: [u64; 2]) -> [u8; 16] {
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}

/// From blocks to planes, and back: in every byte place, row and column of a matrix of eight by eight bits.
#[inline(always)]
fn transpose(rows: [Plane; 8]) -> [Plane; 8] {
    const ONES: u64 = 0x5555_5555_5555_5555;
    const TWOS: u64 = 0x3333_3333_3333_3333;
    const FOURS: u64 = 0x0f0f_0f0f_0f0f_0f0f;
    // Written out: loops that a compiler leaves would keep all of this in memory.
    let [a, b, c, d, e, f, g, h] = rows;
    let (a, b) = swap(a, b, 1, ONES);
    let (c, d) = swap(c, d, 1, ONES);
    let (e, f) = swap(e, f, 1, ONES);
    let (g, h) = swap(g, h, 1, ONES);
    let (a, c) = swap(a, c, 2, TWOS);
    let (b, d) = swap(b, d, 2, TWOS);
    let (e, g) = swap(e, g, 2, TWOS);
    let (f, h) = swap(f, h, 2, TWOS);
    let (a, e) = swap(a, e, 4, FOURS);
    let (b, f) = swap(b, f, 4, FOURS);
    let (c, g) = swap(c, g, 4, FOURS);
    let (d, h) = swap(d, h, 4, FOURS);
    [a, b, c, d, e, f, g, h]
}

/// Swaps the bits of `a` that lie `by` above `mask` and those of `b` in it.
#[inline(always)]
fn swap(a: Plane, b: Plane, by: u32, mask: u64) -> (Plane, Plane) {
    let swapped = a.right(by).xor(b).and_word(mask);
    (a.xor(swapped.left(by)), b.xor(swapped))
}

#[inline(always)]
fn encrypt(keys: &RoundKeys, state: [Plane; 8]) -> [Plane; 8] {
    let [first, middle @ .., last] = keys;
    let state = middle.iter().fold(add_key(state, first), |state, key| add_key(mix_columns(sub_bytes(state)), key));
    let [a, b, c, d, e, f, g, h] = sub_bytes(state);
    let shifted = [
        a.shift_rows(),
        b.shift_rows(),
        c.shift_rows(),
        d.shift_rows(),
        e.shift_rows(),
        f.shift_rows(),
        g.shift_rows(),
        h.shift_rows(),
    ];
    add_key(shifted, last)
}

#[inline(always)]
fn add_key([a, b, c, d, e, f, g, h]: [Plane; 8], key: &[[u64; 2]; 8]) -> [Plane; 8] {
    let k = |bit: usize| Plane::of(key[bit]);
    [a.xor(k(0)), b.xor(k(1)), c.xor(k(2)), d.xor(k(3)), e.xor(k(4)), f.xor(k(5)), g.xor(k(6)), h.xor(k(7))]
}

/// ShiftRows and MixColumns: each byte is `2 (a + b) + b + (c + d)` of its column from its row on.
#[inline(always)]
fn mix_columns([a, b, c, d, e, f, g, h]: [Plane; 8]) -> [Plane; 8] {
    // A plane's second term, and its first two.
    let terms = |plane: Plane| {
        let below = plane.shift_rows_down();
        (below, plane.shift_rows().xor(below))
    };
    let [(a1, a2), (b1, b2), (c1, c2), (d1, d2)] = [terms(a), terms(b), terms(c), terms(d)];
    let [(e1, e2), (f1, f2), (g1, g2), (h1, h2)] = [terms(e), terms(f), terms(g), terms(h)];
    // Doubling shifts by a bit, and what falls out comes back at 0, 1, 3 and 4.
    [
        h2.xor(a1).xor(a2.two_down()),
        a2.xor(h2).xor(b1).xor(b2.two_down()),
        b2.xor(c1).xor(c2.two_down()),
        c2.xor(h2).xor(d1).xor(d2.two_down()),
        d2.xor(h2).xor(e1).xor(e2.two_down()),
        e2.xor(f1).xor(f2.two_down()),
        f2.xor(g1).xor(g2.two_down()),
        g2.xor(h1).xor(h2.two_down()),
    ]
}

/// The S-box but for its constant: the circuit of 113 gates of Boyar and Peralta ("A small depth-16 circuit for the AES S-box",
/// 2012), whose names these are. Its bit 0 is the highest.
#[inline(always)]
fn sub_bytes([x7, x6, x5, x4, x3, x2, x1, x0]: [Plane; 8]) -> [Plane; 8] {
    macro_rules! gates {
        ($($out:ident = $a:ident $op:ident $b:ident;)*) => { $(let $out = $a.$op($b);)* };
    }
    gates! {
        y14 = x3 xor x5; y13 = x0 xor x6; y9 = x0 xor x3; y8 = x0 xor x5; t0 = x1 xor x2; y1 = t0 xor x7;
        y4 = y1 xor x3; y12 = y13 xor y14; y2 = y1 xor x0; y5 = y1 xor x6; y3 = y5 xor y8; t1 = x4 xor y12;
        y15 = t1 xor x5; y20 = t1 xor x1; y6 = y15 xor x7; y10 = y15 xor t0; y11 = y20 xor y9; y7 = x7 xor y11;
        y17 = y10 xor y11; y19 = y10 xor y8; y16 = t0 xor y11; y21 = y13 xor y16; y18 = x0 xor y16;
        t2 = y12 and y15; t3 = y3 and y6; t4 = t3 xor t2; t5 = y4 and x7; t6 = t5 xor t2; t7 = y13 and y16;
        t8 = y5 and y1; t9 = t8 xor t7; t10 = y2 and y7; t11 = t10 xor t7; t12 = y9 and y11; t13 = y14 and y17;
        t14 = t13 xor t12; t15 = y8 and y10; t16 = t15 xor t12; t17 = t4 xor t14; t18 = t6 xor t16; t19 = t9 xor t14;
        t20 = t11 xor t16; t21 = t17 xor y20; t22 = t18 xor y19; t23 = t19 xor y21; t24 = t20 xor y18;
        t25 = t21 xor t22; t26 = t21 and t23; t27 = t24 xor t26; t28 = t25 and t27; t29 = t28 xor t22;
        t30 = t23 xor t24; t31 = t22 xor t26; t32 = t31 and t30; t33 = t32 xor t24; t34 = t23 xor t33;
        t35 = t27 xor t33; t36 = t24 and t35; t37 = t36 xor t34; t38 = t27 xor t36; t39 = t29 and t38;
        t40 = t25 xor t39; t41 = t40 xor t37; t42 = t29 xor t33; t43 = t29 xor t40; t44 = t33 xor t37;
        t45 = t42 xor t41;
        z0 = t44 and y15; z1 = t37 and y6; z2 = t33 and x7; z3 = t43 and y16; z4 = t40 and y1; z5 = t29 and y7;
        z6 = t42 and y11; z7 = t45 and y17; z8 = t41 and y10; z9 = t44 and y12; z10 = t37 and y3; z11 = t33 and y4;
        z12 = t43 and y13; z13 = t40 and y5; z14 = t29 and y2; z15 = t42 and y9; z16 = t45 and y14; z17 = t41 and y8;
        t46 = z15 xor z16; t47 = z10 xor z11; t48 = z5 xor z13; t49 = z9 xor z10; t50 = z2 xor z12; t51 = z2 xor z5;
        t52 = z7 xor z8; t53 = z0 xor z3; t54 = z6 xor z7; t55 = z16 xor z17; t56 = z12 xor t48; t57 = t50 xor t53;
        t58 = z4 xor t46; t59 = z3 xor t54; t60 = t46 xor t57; t61 = z14 xor t57; t62 = t52 xor t58; t63 = t49 xor t58;
        t64 = z4 xor t59; t65 = t61 xor t62; t66 = z1 xor t63; s0 = t59 xor t63; s6 = t56 xor t62; s7 = t48 xor t60;
        t67 = t64 xor t65; s3 = t53 xor t66; s4 = t51 xor t66; s5 = t47 xor t65; s1 = t64 xor s3; s2 = t55 xor t67;
    }
    [s7, s6, s5, s4, s3, s2, s1, s0]
}

/// The key schedule of FIPS 197, through the same S-box.
fn expand(key: &[u8; 16]) -> RoundKeys {
    let mut bytes = *key;
    let mut round_constant = 1u8;
    let keys = std::array::from_fn(|round| {
        if round > 0 {
            let mut word = sub_word([bytes[13], bytes[14], bytes[15], bytes[12]]);
            word[0] ^= round_constant;
            round_constant = (round_constant << 1) ^ ((round_constant >> 7) * 0x1b);
            for column in bytes.as_chunks_mut::<4>().0 {
                column.iter_mut().zip(&mut word).for_each(|(byte, word)| {
                    *byte ^= *word;
                    *word = *byte;
                });
            }
            word.zeroize();
        }
        planes(&bytes, if round > 0 { 0x63 } else { 0 })
    });
    bytes.zeroize();
    keys
}

fn sub_word(word: [u8; 4]) -> [u8; 4] {
    let low = u64::from(u32::from_le_bytes(word));
    // One block: bit 0 of each byte of a plane.
    let state = std::array::from_fn(|bit| Plane::of([low >> bit & 0x0101_0101, 0]));
    let planes = sub_bytes(state);
    let word = planes.iter().enumerate().fold(0, |word, (bit, plane)| word | (plane.words()[0] & 0x0101_0101) << bit);
    (word as u32).to_le_bytes().map(|byte| byte ^ 0x63)
}

/// The same bytes in all eight blocks, each with `constant` added.
fn planes(bytes: &[u8; 16], constant: u8) -> [[u64; 2]; 8] {
    let (halves, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|bit| {
        [0, 1].map(|half: usize| {
            let word = u64::from_le_bytes(halves[half]) ^ (0x0101_0101_0101_0101 * u64::from(constant));
            ((word >> bit) & 0x0101_0101_0101_0101) * 0xff
        })
    })
}
