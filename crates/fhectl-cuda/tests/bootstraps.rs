//! Bootstraps on a device: results, noise, keys.

#![allow(clippy::print_stdout)]

mod support;

// Other tests use the rest of it.
#[allow(dead_code)]
#[path = "../../../tests/common/opened.rs"]
mod opened;

use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::backend::{Backend, Group};
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::layer::LookUp;
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::zeros::Zeros;
use fhectl_core::fhe::{GlweList, GlweSecret, GlweShape, Random, noise, public_key};
use fhectl_cuda::{Device, Variant};
use opened::Opened;
use support::{Client, bootstraps, device, group, random, uniform_row, words};

const TURN: f64 = 18_446_744_073_709_551_616.0;
/// Entries of a table that have one value.
const STEP: usize = 128;
/// Entries that rounding to the modulus of the rotation may miss by.
const MISSED: f64 = 14.0;

fn params(lwe_dimension: usize, k: usize, base_log: u32, levels: u32) -> BootstrapParams {
    BootstrapParams { lwe_dimension, output: GlweShape::new(k, 512), base_log, levels, key_bits: 50 }
}

/// Tables of four steps, each table with its own.
fn look_up(keyswitch: Option<usize>) -> LookUp {
    let tables = [1u64, 3].map(|unit| (0..512).map(|p| (unit * (2 * (p / STEP) as u64 + 1)) << 58).collect());
    LookUp { tables: tables.into(), keyswitch, bootstrap: 0 }
}

/// Results as errors from the table's entry at each input's phase, in fractions of the torus; nothing for inputs that are
/// close to another step.
fn errors(small: &GlweSecret, big: &GlweSecret, inputs: &LweList, results: &LweList, each: usize) -> Vec<f64> {
    let (small, big) = (Opened::of(small), Opened::of(big));
    let look_up = look_up(None);
    let error = |index: usize| {
        let position = small.phase(&inputs.lwe(index)) as f64 / TURN * 1024.0;
        let in_step = position.rem_euclid(STEP as f64);
        let clear = in_step > MISSED && in_step < STEP as f64 - MISSED;
        let entry = look_up.table(index % each)[position as usize % 512];
        let wanted = if position < 512.0 { entry } else { entry.wrapping_neg() };
        clear.then(|| big.phase(&results.lwe(index)).wrapping_sub(wanted) as i64 as f64 / TURN)
    };
    (0..inputs.len()).filter_map(error).collect()
}

/// None is wrong, and their variance is the formula's.
fn assert_noise(what: &str, errors: &[f64], variance: f64) {
    let count = errors.len() as f64;
    let wrong = errors.iter().filter(|error| error.abs() > 10.0 * variance.sqrt()).count();
    assert_eq!(wrong, 0, "{what}: wrong results");
    let ratio = errors.iter().map(|e| e * e).sum::<f64>() / count / variance;
    println!("{what}: measured/predicted variance {ratio:.3} over {count}");
    assert!((ratio - 1.0).abs() < 6.0 * (2.0 / count).sqrt(), "{what}: measured/predicted variance {ratio}");
}

fn check(device: &Device, params: BootstrapParams, count: usize) {
    let client = Client::new(params, None);
    let key = client.load(device, Some(&mut random(9)));
    let layers = bootstraps(count, look_up(None));
    assert!(device.supports(&client.parts, &layers));
    let program = device.load_program(&layers).unwrap();
    let row = uniform_row(params.lwe_dimension, count, &mut random(8));
    let inputs = row.to_list();
    let results = match device.evaluate(&program, &[group(&key, &[row])]) {
        // Older devices have less shared memory, which is not enough for every kernel.
        Err(error) if error.message.contains("no such kernel") => return println!("skipped: {error}"),
        results => results.unwrap().remove(0),
    };
    let errors = errors(&client.small, &client.big, &inputs, &results, count);
    let variance = noise::bootstrap_variance(params.lwe_dimension, params.output, params.gadget());
    assert_noise(&format!("{params:?}"), &errors, variance);
}

#[test]
fn results_have_the_noise_of_the_formula() {
    let Some(device) = device() else { return };
    let device = device.with_variant(Some(Variant::Block));
    // One digit; two; thirty bits of digits; the smallest and the largest rank.
    for (k, base_log, levels) in [(4, 21, 1), (3, 12, 2), (5, 10, 3), (6, 18, 1)] {
        check(&device, params(96, k, base_log, levels), 64);
    }
}

#[test]
fn every_kernel_has_them() {
    let Some(mut device) = device() else { return };
    for variant in [Variant::Pair, Variant::Warp] {
        device = device.with_variant(Some(variant));
        for (k, base_log, levels) in [(4, 22, 1), (3, 11, 2)] {
            check(&device, params(64, k, base_log, levels), 61);
        }
    }
    check(&device, params(64, 5, 20, 1), 61);
    // There is none of warps for k = 6, which is told.
    let client = Client::new(params(64, 6, 20, 1), None);
    let key = client.load(&device, None);
    let program = device.load_program(&bootstraps(1, look_up(None))).unwrap();
    let rows = [uniform_row(64, 1, &mut random(1))];
    assert_eq!(device.evaluate(&program, &[group(&key, &rows)]).unwrap_err().code, ErrorCode::DeviceFailed);
}

/// Rows of the big key are switched first, which costs no more noise than its formula says.
#[test]
fn a_keyswitch_may_come_first() {
    let Some(device) = device() else { return };
    let to = GlweShape::new(3, 64);
    let keyswitch = KeyswitchParams { from: 1536, to, base_log: 4, levels: 6, key_bits: 64 };
    let client = Client::new(params(192, 3, 21, 1), Some(keyswitch));
    let key = client.load(&device, None);
    let layers = bootstraps(40, look_up(Some(1)));
    assert!(device.supports(&client.parts, &layers));
    let program = device.load_program(&layers).unwrap();
    let row = uniform_row(1536, 40, &mut random(5));
    let inputs = row.to_list();
    let results = device.evaluate(&program, &[group(&key, &[row])]).unwrap().remove(0);
    // Extraction reads the flattened key, whatever its shape.
    let errors = errors(&client.big, &client.big, &inputs, &results, 40);
    let variance = noise::bootstrap_variance(192, client.params.output, client.params.gadget());
    assert_noise("after a keyswitch", &errors, variance);
}

/// The order of the key's bits changes the noise, and nothing else; several rows, pieces and threads change nothing.
#[test]
fn results_depend_on_ciphertext_and_key_alone() {
    let Some(device) = device() else { return };
    // Kernels round differently in the last bit of a double.
    let device = device.with_variant(Some(Variant::Pair));
    let client = Client::new(params(64, 4, 22, 1), None);
    let (plain, shuffled) = (client.load(&device, None), client.load(&device, Some(&mut random(3))));
    let program = device.load_program(&bootstraps(5, look_up(None))).unwrap();
    let rows: Vec<GlweList> = (0..6).map(|seed| uniform_row(64, 5, &mut random(seed))).collect();
    let inputs = LweList::concat(rows.iter().map(GlweList::to_list));
    let of = |device: &Device, key| device.evaluate(&program, &[group(key, &rows)]).unwrap().remove(0);
    let (first, other) = (of(&device, &plain), of(&device, &shuffled));
    assert_ne!(words(&first), words(&other));
    for results in [&first, &other] {
        let errors = errors(&client.small, &client.big, &inputs, results, 5);
        assert!(errors.iter().all(|error| error.abs() < 0.01));
    }

    let groups = [group(&plain, &rows[..1]), group(&shuffled, &rows[1..4]), group(&plain, &rows[4..])];
    let together = device.evaluate(&program, &groups).unwrap();
    assert_eq!(words(&together[0]), words(&first)[..5]);
    assert_eq!(words(&together[1]), words(&other)[5..20]);
    assert_eq!(words(&together[2]), words(&first)[20..]);

    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| of(&device, &plain))).collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), first));
    });
    device.release_scratch();
    let device = device.with_scratch(200_000);
    let in_pieces = device.evaluate(&program, &groups).unwrap();
    assert_eq!(in_pieces, together);
}

/// Equal rows leave unequal noise, of the variance that zeros add; a group without zeros beside them has none. Pieces take the
/// same encryptions as all rows at once.
#[test]
fn zeros_make_noise_new() {
    let Some(device) = device() else { return };
    let client = Client::new(params(64, 3, 21, 1), None);
    let key = client.load_all(&device, Some(&mut random(7)));
    let public = client.rerandomizer();
    let layers = bootstraps(8, look_up(None));
    let program = device.load_program(&layers).unwrap();
    // The last two rows are equal.
    let rows: Vec<GlweList> = [0, 1, 2, 3, 4, 5, 6, 6].map(|seed| uniform_row(64, 8, &mut random(seed))).into();
    let inputs = LweList::concat(rows.iter().map(GlweList::to_list));
    let both = |device: &Device, server: &mut Random| {
        let zeros = layers.iter().map(|_| Zeros::new(&public, server)).collect();
        let groups = [Group { key: &key, rows: rows.clone(), zeros }, group(&key, &rows)];
        device.evaluate(&program, &groups).unwrap()
    };
    let mut server = random(6);
    let (first, second) = (both(&device, &mut server), both(&device, &mut server));
    let device = device.with_scratch(1 << 20);
    assert_eq!(both(&device, &mut random(6)), first);
    for index in 48..56 {
        assert_ne!(first[0].row(index), first[0].row(index + 8));
        assert_eq!(first[1].row(index), first[1].row(index + 8));
    }
    assert_eq!(words(&first[1]), words(&second[1]));
    for index in 0..inputs.len() {
        assert_ne!(first[0].row(index), second[0].row(index));
        assert_ne!(first[0].row(index), first[1].row(index));
    }
    // The zeros of one key have a variance of its own, about 1/1.4 of the formula's.
    let variance = public_key::zero_variance(client.params.output)
        + noise::bootstrap_variance(64, client.params.output, client.params.gadget());
    let errors = errors(&client.small, &client.big, &inputs, &first[0], 8);
    let ratio = errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64 / variance;
    assert!((0.15..3.0).contains(&ratio), "measured/predicted variance {ratio}");
}

#[test]
fn keys_are_checked() {
    let Some(device) = device() else { return };
    let client = Client::new(params(64, 3, 21, 1), None);
    let load = |wire: &[u8]| device.load_key(&client.parts, None, wire, None).map(drop).unwrap_err().code;
    assert_eq!(load(&client.wire[1..]), ErrorCode::CiphertextInvalid);
    assert_eq!(load(&[]), ErrorCode::CiphertextInvalid);

    let key = client.load(&device, None);

    // A part that is no keyswitching key, none at all, other parameters.
    let rows = [uniform_row(64, 1, &mut random(1))];
    for (keyswitch, bootstrap) in [(Some(0), 0), (None, 1), (Some(7), 0)] {
        let look_up = LookUp { bootstrap, ..look_up(keyswitch) };
        let program = device.load_program(&bootstraps(1, look_up)).unwrap();
        assert_eq!(device.evaluate(&program, &[group(&key, &rows)]).unwrap_err().code, ErrorCode::KeyMissing);
    }
    let other = Client::new(params(64, 4, 21, 1), None).load(&device, None);
    let program = device.load_program(&bootstraps(1, look_up(None))).unwrap();
    let groups = [group(&key, &rows), group(&other, &rows)];
    assert_eq!(device.evaluate(&program, &groups).unwrap_err().code, ErrorCode::KeyMissing);
    let wide = [uniform_row(128, 1, &mut random(1))];
    assert_eq!(device.evaluate(&program, &[group(&key, &wide)]).unwrap_err().code, ErrorCode::KeyMissing);
}
