//! Benchmarks of the expensive operations, to which the constants of `fhe::cost` are fitted.
//!
//! `cargo bench -p fhectl-bench --bench primitives`. Times are of one core unless a name says otherwise. Bootstraps are timed in
//! a batch of 8.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::cmux::EncryptedBits;
use fhectl_core::fhe::ggsw::GgswLayout;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::list::{LweList, Term};
use fhectl_core::fhe::pbs::BootstrapKey;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::rerandomize::Rerandomizer;
use fhectl_core::fhe::switch::KeyswitchKey;
use fhectl_core::fhe::{GlweSecret, GlweShape, Lwe, Random, SeededLayout, cost, encrypt};
use rayon::prelude::*;
use std::hint::black_box;

fn one_core() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap()
}

fn bootstraps(c: &mut Criterion) {
    let mut group = c.benchmark_group("bootstrap, batch of 8");
    group.sample_size(10);
    let shapes =
        [(3, 512, 1, 17), (4, 512, 1, 18), (2, 1024, 1, 20), (1, 2048, 1, 22), (3, 512, 2, 10), (2, 2048, 1, 22)];
    for (dimension, size, levels, base_log) in shapes {
        let output = GlweShape::new(dimension, size);
        let params = BootstrapParams { lwe_dimension: 576, output, base_log, levels, key_bits: 44 };
        let small = GlweSecret::generate(GlweShape::new(9, 64), &mut OsEntropy);
        let big = GlweSecret::generate(output, &mut OsEntropy);
        let wire = encrypt::bootstrap_key(&params, &small, &big, &mut OsEntropy);
        let key = BootstrapKey::unpack(&params, &wire, None).unwrap();
        let mut random = Random::fresh(&mut OsEntropy);
        let inputs: Vec<Lwe> = (0..8)
            .map(|_| {
                let mut lwe = Lwe::zero(576);
                random.fill_uniform(&mut lwe.mask);
                lwe
            })
            .collect();
        println!("k={dimension} N={size} l={levels}: predicted {:.2} ms for 8", 8e3 * cost::bootstrap_seconds(&params));
        let pool = one_core();
        let id = BenchmarkId::from_parameter(format!("k={dimension} N={size} l={levels}"));
        group.bench_function(id, |b| {
            b.iter(|| pool.install(|| black_box(key.sum_of_signs(&inputs, &[1 << 61; 8], None))))
        });
        let id = BenchmarkId::from_parameter(format!("k={dimension} N={size} l={levels}, all cores"));
        group.bench_function(id, |b| b.iter(|| black_box(key.sum_of_signs(&inputs, &[1 << 61; 8], None))));
    }
    group.finish();
}

fn rerandomize(c: &mut Criterion) {
    let mut group = c.benchmark_group("re-randomise");
    for (dimension, size) in [(1, 2048), (1, 4096), (3, 512)] {
        let shape = GlweShape::new(dimension, size);
        let secret = GlweSecret::generate(shape, &mut OsEntropy);
        let key = Rerandomizer::unpack(shape, &encrypt::public_key(&secret, &mut OsEntropy)).unwrap();
        let mut random = Random::fresh(&mut OsEntropy);
        println!("k={dimension} N={size}: predicted {:.1} us", 1e6 * cost::rerandomize_seconds(shape));
        group.bench_function(format!("k={dimension} N={size}"), |b| {
            b.iter(|| {
                let mut lwe = Lwe::zero(shape.lwe_dimension());
                key.apply(&mut lwe, 40, &mut random);
                black_box(lwe)
            });
        });
        println!("a zero, k={dimension} N={size}: predicted {:.1} us", 1e6 * cost::zero_seconds(shape));
        group.bench_function(format!("a zero, k={dimension} N={size}"), |b| {
            let mut glwe = vec![0; shape.lwe_dimension() + size];
            b.iter(|| key.add_zero(black_box(&mut glwe), &mut random));
        });
    }
    group.finish();
}

fn linear(c: &mut Criterion) {
    let mut group = c.benchmark_group("inputs");
    for (dimension, size, bodies) in [(1, 2048, 3469), (1, 4096, 57), (9, 64, 3469)] {
        let shape = GlweShape::new(dimension, size);
        let secret = GlweSecret::generate(shape, &mut OsEntropy);
        let layout = SeededLayout { shape, bodies, bits: 40 };
        let messages = vec![1 << 60; bodies];
        let wire = layout.encrypt(&secret, &messages, &mut OsEntropy);
        group.bench_function(format!("encrypt {bodies}, k={dimension} N={size}"), |b| {
            b.iter(|| black_box(layout.encrypt(&secret, &messages, &mut OsEntropy)));
        });
        group.bench_function(format!("expand {bodies}, k={dimension} N={size}"), |b| {
            b.iter(|| black_box(layout.expand(&wire).unwrap()));
        });
        let list = layout.expand(&wire).unwrap();
        println!("add one coefficient: predicted {:.2} us", 1e6 * cost::linear_seconds(1, shape.lwe_dimension()));
        group.bench_function(format!("add one coefficient, k={dimension} N={size}"), |b| {
            let mut sum = Lwe::zero(shape.lwe_dimension());
            b.iter(|| list.add_coefficient(black_box(17), 3, &mut sum));
        });
    }
    group.finish();
}

/// What a network does between its bootstraps: a dense layer of 512 inputs and 64 outputs, and its keyswitch.
fn between_layers(c: &mut Criterion) {
    let mut group = c.benchmark_group("between layers");
    group.sample_size(10);
    let mut random = Random::fresh(&mut OsEntropy);
    let mut list = |rows: usize, dimension: usize| {
        let mut list = LweList::zero(rows, dimension);
        for row in list.rows_mut().collect::<Vec<_>>() {
            row.iter_mut().for_each(|word| *word = random.word() as u32);
        }
        list
    };
    let (inputs, sums) = (list(512, 2048), list(64, 2048));
    let terms: Vec<Vec<Term>> =
        (0..64).map(|o| (0..512).map(|i| Term { input: i, weight: (i as i32 + o) % 8 - 4 }).collect()).collect();
    println!("64 sums of 512: predicted {:.2} ms", 1e3 * cost::combine_seconds(64 * 512, 2048));
    let pool = one_core();
    group.bench_function("64 sums of 512 terms, dimension 2048", |b| {
        b.iter(|| pool.install(|| black_box(inputs.combine(&[0], &terms, &[0; 64]))));
    });
    let params = KeyswitchParams { from: 2048, to: GlweShape::new(25, 32), base_log: 4, levels: 3, key_bits: 17 };
    let big = GlweSecret::generate(GlweShape::new(4, 512), &mut OsEntropy);
    let small = GlweSecret::generate(params.to, &mut OsEntropy);
    let key = KeyswitchKey::unpack(&params, &encrypt::keyswitch_key(&params, &big, &small, &mut OsEntropy)).unwrap();
    println!("64 keyswitches: predicted {:.2} ms", 1e3 * cost::combine_seconds(64 * 2048 * 3, 800));
    group.bench_function("64 keyswitches from 2048 to 800, 3 levels", |b| {
        b.iter(|| pool.install(|| black_box(key.switch(&sums))));
    });
    group.finish();
}

/// A table of 16 bits, as `Table` looks it up: all cores.
fn tables(c: &mut Criterion) {
    let mut group = c.benchmark_group("table of 65,536 entries");
    group.sample_size(20);
    for (dimension, size) in [(4, 512), (2, 1024), (1, 2048)] {
        let shape = GlweShape::new(dimension, size);
        let layout = GgswLayout { count: 16, shape, base_log: 18, levels: 1, key_bits: 38 };
        let secret = GlweSecret::generate(shape, &mut OsEntropy);
        let bits: Vec<u64> = (0..16).map(|bit| bit % 2).collect();
        let wire = encrypt::ggsw_list(&layout, &bits, &secret, &mut OsEntropy);
        let table: Vec<u64> = (0..1u64 << 16).map(|entry| entry << 48).collect();
        group.bench_function(format!("encrypt the bits, k={dimension} N={size}"), |b| {
            b.iter(|| black_box(encrypt::ggsw_list(&layout, &bits, &secret, &mut OsEntropy)));
        });
        group.bench_function(format!("unpack the bits, k={dimension} N={size}"), |b| {
            b.iter(|| black_box(EncryptedBits::unpack(&layout, &wire).unwrap()));
        });
        let bits = EncryptedBits::unpack(&layout, &wire).unwrap();
        group.bench_function(format!("look up, k={dimension} N={size}"), |b| {
            b.iter(|| black_box(bits.look_up(&table, None)));
        });
    }
    group.finish();
}

criterion_group!(benches, bootstraps, rerandomize, linear, between_layers, tables);
criterion_main!(benches);
