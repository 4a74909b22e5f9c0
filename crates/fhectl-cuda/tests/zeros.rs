//! Encryptions of zero on a device are the processor's, up to one unit of 2^-32.

#![allow(clippy::print_stdout)]

mod support;

// Other tests use the rest of it.
#[allow(dead_code)]
#[path = "../../../tests/common/opened.rs"]
mod opened;

use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::backend::{Backend, Group};
use fhectl_core::fhe::layer::LookUp;
use fhectl_core::fhe::list::narrow;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::rerandomize::Rerandomizer;
use fhectl_core::fhe::zeros::Zeros;
use fhectl_core::fhe::{GlweSecret, GlweShape, PartialGlwe, bootstrap::BootstrapParams, encrypt, public_key};
use fhectl_cuda::{Device, Key};
use opened::Opened;
use support::{Client, bootstraps, device, group, random, uniform_row};

/// A client's public key, on the device and on the processor.
struct Public {
    secret: GlweSecret,
    wire: Vec<u8>,
    key: Key,
    rerandomizer: Rerandomizer,
}

impl Public {
    fn new(device: &Device, shape: GlweShape) -> Self {
        let secret = GlweSecret::generate(shape, &mut OsEntropy);
        let wire = encrypt::public_key(&secret, &mut OsEntropy);
        let key = device.load_key(&[], Some(shape), &wire, None).unwrap();
        Self { key, rerandomizer: Rerandomizer::unpack(shape, &wire).unwrap(), wire, secret }
    }
}

fn words_of(shape: GlweShape) -> usize {
    shape.lwe_dimension() + shape.size
}

/// The processor's, rounded.
fn made_by_the_processor(zeros: &Zeros<'_>, index: usize, shape: GlweShape) -> Vec<u32> {
    let mut wide = vec![0; words_of(shape)];
    zeros.add(index, &mut wide);
    wide.into_iter().map(narrow).collect()
}

/// Panics where any word is off by more than a unit. Returns how many are off at all.
fn off_by_one(got: &[u32], want: &[u32]) -> usize {
    assert_eq!(got.len(), want.len());
    let off = got.iter().zip(want).map(|(got, want)| (got.wrapping_sub(*want) as i32).unsigned_abs());
    off.inspect(|off| assert!(*off <= 1, "off by {off} units")).filter(|off| *off > 0).count()
}

#[test]
fn zeros_are_the_processors_for_several_keys_in_one_launch() {
    let Some(device) = device() else { return };
    for k in [3, 4, 5, 6] {
        let shape = GlweShape::new(k, 512);
        let clients = [Public::new(&device, shape), Public::new(&device, shape)];
        let mut server = random(k as u8);
        let zeros = [&clients[0], &clients[1], &clients[0]].map(|public| Zeros::new(&public.rerandomizer, &mut server));
        let ranges = [0..5, 70_000..70_002, (1 << 32) - 2..1 << 32];
        let keys = [&clients[0].key, &clients[1].key, &clients[0].key];
        let of: Vec<_> = keys.into_iter().zip(&zeros).zip(&ranges).map(|((k, z), r)| (k, z, r.clone())).collect();
        let got = device.encrypt_zeros(&of).unwrap();
        let want = zeros.iter().zip(ranges).flat_map(|(zeros, range)| range.map(move |index| (zeros, index)));
        let want: Vec<u32> = want.flat_map(|(zeros, index)| made_by_the_processor(zeros, index, shape)).collect();
        let off = off_by_one(&got, &want);
        println!("k = {k}: {off} of {} words are off by one", want.len());
        assert!(off * 500 < want.len(), "{off} of {}", want.len());
    }
}

#[test]
fn zeros_are_fresh_and_have_the_noise_of_the_formula() {
    let Some(device) = device() else { return };
    let shape = GlweShape::new(3, 512);
    let public = Public::new(&device, shape);
    let mut server = random(1);
    let mut draw = || {
        let zeros = Zeros::new(&public.rerandomizer, &mut server);
        device.encrypt_zeros(&[(&public.key, &zeros, 0..8)]).unwrap()
    };
    let all = [draw(), draw()].concat();
    let each: Vec<&[u32]> = all.chunks(words_of(shape)).collect();
    let distinct: std::collections::HashSet<&[u32]> = each.iter().copied().collect();
    assert_eq!(distinct.len(), 16);
    let opened = Opened::of(&public.secret);
    let phases = each.iter().flat_map(|glwe| {
        let wide: Vec<u64> = glwe.iter().map(|word| u64::from(*word) << 32).collect();
        let (mask, bodies) = wide.split_at(shape.lwe_dimension());
        opened.phases(&PartialGlwe { mask: mask.to_vec(), bodies: bodies.to_vec() })
    });
    let squares: Vec<f64> = phases.map(|phase| (phase as i64 as f64 / 2f64.powi(64)).powi(2)).collect();
    // Words of 32 bits add the variance of their rounding, weighted with the ones of the secret.
    let rounding = 2f64.powi(-64) / 12.0 * (1.0 + shape.lwe_dimension() as f64 / 2.0);
    let ratio = squares.iter().sum::<f64>() / squares.len() as f64 / (public_key::zero_variance(shape) + rounding);
    // One key's mean square is within a factor of four of the mean, 1/1.4 of the formula: as in `rerandomize`.
    assert!((0.15..3.0).contains(&ratio), "measured/predicted variance {ratio}");
}

#[test]
fn public_keys_are_checked() {
    let Some(device) = device() else { return };
    let shape = GlweShape::new(3, 512);
    let public = Public::new(&device, shape);
    let load = |shape, wire: &[u8]| device.load_key(&[], Some(shape), wire, None).map(drop).unwrap_err().code;
    assert_eq!(load(shape, &public.wire[1..]), ErrorCode::CiphertextInvalid);
    assert_eq!(load(shape, &[]), ErrorCode::CiphertextInvalid);
    let other = GlweShape::new(1, 2048);
    let wire = encrypt::public_key(&GlweSecret::generate(other, &mut OsEntropy), &mut OsEntropy);
    assert_eq!(load(other, &wire), ErrorCode::DeviceFailed);
    assert_eq!(device.key_bytes(&[], Some(shape)), 3 * 4 * 512 * 8);

    // Zeros for a key that was loaded without its public key, or with one of another shape.
    let output = GlweShape::new(4, 512);
    let params = BootstrapParams { lwe_dimension: 32, output, base_log: 21, levels: 1, key_bits: 50 };
    let client = Client::new(params, None);
    let layers = bootstraps(1, LookUp { tables: vec![vec![1 << 60; 512]], keyswitch: None, bootstrap: 0 });
    let program = device.load_program(&layers).unwrap();
    let rerandomizer = client.rerandomizer();
    let wire = [client.wire.as_slice(), &public.wire].concat();
    let of_other_shape = device.load_key(&client.parts, Some(shape), &wire, None).unwrap();
    let rows = [uniform_row(32, 1, &mut random(1))];
    for key in [client.load(&device, None), of_other_shape] {
        let zeros = layers.iter().map(|_| Zeros::new(&rerandomizer, &mut random(2))).collect();
        let with_zeros = Group { key: &key, rows: rows.to_vec(), zeros };
        assert_eq!(device.evaluate(&program, &[with_zeros]).unwrap_err().code, ErrorCode::KeyMissing);
        device.evaluate(&program, &[group(&key, &rows)]).unwrap();
        let zeros = Zeros::new(&rerandomizer, &mut random(2));
        let made = device.encrypt_zeros(&[(&client.load_all(&device, None), &zeros, 0..1), (&key, &zeros, 0..1)]);
        assert_eq!(made.unwrap_err().code, ErrorCode::KeyMissing);
    }
}
