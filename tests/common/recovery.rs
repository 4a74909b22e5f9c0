//! An attack: solving for a secret key from answers and the scores that the client wrote down.

use super::opened::Opened;
use fhectl_core::circuit::network::NetworkParams;
use fhectl_core::circuit::{CircuitSpec, ClientKey, decode};
use fhectl_core::fhe::{Lwe, Random};

/// What a server has of one score: its ciphertext, in words of the answer, and the phase that it takes it for.
pub struct Sample {
    mask: Vec<u64>,
    body: u64,
    phase: u64,
}

/// What solving for the key gave.
#[derive(Debug)]
pub struct Recovery {
    /// The share of the key's bits that the solution has right; a half by chance.
    pub right: f64,
    /// The share of the equations beyond the key's dimension that the solution contradicts; a half by chance.
    pub contradicted: f64,
}

/// Uniform answers of a network under `key`: their wire form, and the scores' ciphertexts.
pub fn answers(params: &NetworkParams, key: &Opened, samples: usize, random: &mut Random) -> Vec<(Vec<u8>, Vec<Lwe>)> {
    let dimension = params.output().lwe_dimension();
    let answer = |random: &mut Random| {
        let (mut bytes, mut lwes) = (Vec::new(), Vec::new());
        for _ in 0..params.scores {
            let mut lwe = Lwe::zero(dimension);
            random.fill_uniform(&mut lwe.mask);
            // A phase that is anywhere on the torus.
            lwe.body = random.word().wrapping_sub(key.phase(&lwe));
            let at = bytes.len();
            lwe.write(params.response_bits, &mut bytes);
            lwes.push(Lwe::read(&bytes[at..], dimension, params.response_bits).unwrap());
        }
        (bytes, lwes)
    };
    (0..samples.div_ceil(params.scores)).map(|_| answer(random)).collect()
}

impl Sample {
    /// `phase` is in words of the answer.
    pub fn new(params: &NetworkParams, lwe: &Lwe, phase: u64) -> Self {
        let unused = 64 - params.response_bits;
        Self { mask: lwe.mask.iter().map(|word| word >> unused).collect(), body: lwe.body >> unused, phase }
    }
}

/// Takes every phase for exact: its lowest bit is then a linear equation over GF(2) in the key's bits. Solves as many as
/// there are bits and asks the rest.
pub fn recover(samples: &[Sample], key: &[u64]) -> Recovery {
    let dimension = key.len();
    let words = (dimension + 1).div_ceil(64);
    let row = |sample: &Sample| {
        let mut row = vec![0u64; words];
        let bits = sample.mask.iter().copied().chain([sample.body.wrapping_sub(sample.phase)]);
        bits.enumerate().for_each(|(at, word)| row[at / 64] |= (word & 1) << (at % 64));
        row
    };
    let bit = |row: &[u64], at: usize| row[at / 64] >> (at % 64) & 1;
    let mut rows: Vec<Vec<u64>> = samples.iter().map(row).collect();
    let mut pivots = Vec::new();
    for column in 0..dimension {
        let Some(found) = (pivots.len()..rows.len()).find(|at| bit(&rows[*at], column) == 1) else { continue };
        let rank = pivots.len();
        rows.swap(rank, found);
        let pivot = rows[rank].clone();
        for (at, row) in rows.iter_mut().enumerate() {
            if at != rank && bit(row, column) == 1 {
                row.iter_mut().zip(&pivot).for_each(|(word, other)| *word ^= other);
            }
        }
        pivots.push(column);
    }
    let solved = pivots.iter().enumerate().filter(|(at, column)| bit(&rows[*at], dimension) == key[**column]);
    let surplus = &rows[pivots.len()..];
    let contradicted = surplus.iter().filter(|row| bit(row, dimension) == 1).count();
    Recovery {
        right: solved.count() as f64 / dimension as f64,
        contradicted: contradicted as f64 / surplus.len().max(1) as f64,
    }
}

/// For every phase there is, in words of an answer, the score that the client writes. What it has to be made of is what
/// a client takes in: an answer whose masks are zero decrypts to its bodies.
pub fn written_scores(params: &NetworkParams, key: &ClientKey) -> Vec<i64> {
    let spec = CircuitSpec::Network(params.clone());
    let dimension = params.output().lwe_dimension();
    let words: Vec<u64> = (0..1u64 << params.response_bits).collect();
    let mut written = Vec::with_capacity(words.len());
    for words in words.chunks(params.scores) {
        let mut bytes = Vec::new();
        for index in 0..params.scores {
            let mut lwe = Lwe::zero(dimension);
            lwe.body = words.get(index).copied().unwrap_or(0) << (64 - params.response_bits);
            lwe.write(params.response_bits, &mut bytes);
        }
        written.extend_from_slice(&decode(&spec, key, &bytes).unwrap().values()[..words.len()]);
    }
    written
}

/// Asserts that the key of a network does not follow from answers and written scores, and that it would from exact phases.
pub fn assert_key_stays(name: &str, params: &NetworkParams, random: &mut Random) {
    let spec = CircuitSpec::Network(params.clone());
    let key = ClientKey::generate(&spec, &mut fhectl_core::fhe::random::OsEntropy);
    let opened = Opened::answer(&spec, &key);
    let answers = answers(params, &opened, opened.bits.len() + 300, random);
    let exact: Vec<Sample> = answers
        .iter()
        .flat_map(|(_, lwes)| lwes)
        .map(|lwe| Sample::new(params, lwe, opened.phase(lwe) >> (64 - params.response_bits)))
        .collect();
    let weak = recover(&exact, &opened.bits);
    assert!(
        weak.right == 1.0 && weak.contradicted == 0.0,
        "{name}: the attack does not work on exact phases: {weak:?}"
    );

    // The phase in the middle of those that are written as this score, by the client's public rule.
    let levels = params.shown_levels().unwrap() as i128;
    let middle = |score: i64| {
        let turn = 1i128 << params.response_bits;
        let level = (2 * i128::from(score) * levels).div_euclid(i128::from(params.score_plaintext_modulus)) + 1;
        ((level.div_euclid(2) * turn).div_euclid(levels)).rem_euclid(turn) as u64
    };
    let written: Vec<Sample> = answers
        .iter()
        .flat_map(|(bytes, lwes)| {
            let scores = decode(&spec, &key, bytes).unwrap();
            let samples: Vec<Sample> =
                lwes.iter().zip(scores.values()).map(|(lwe, score)| Sample::new(params, lwe, middle(*score))).collect();
            samples
        })
        .collect();
    let found = recover(&written, &opened.bits);
    println!("{name}: {found:?} of a key of {} bits", opened.bits.len());
    // A half of both by chance; 300 surplus equations spread by 0.03, the key's bits by 0.011 and less.
    assert!((found.right - 0.5).abs() < 0.1 && (found.contradicted - 0.5).abs() < 0.16, "{name}: {found:?}");
}
