//! The expensive steps one by one: what the cost model in `fhe::cost` is fitted to.
//!
//! `cargo bench --bench primitives`. One core; the bootstrap's figure is per ciphertext in a batch.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fhectl::fhe::bootstrap::{self, BootstrapParams};
use fhectl::fhe::pbs::BootstrapKey;
use fhectl::fhe::random::OsEntropy;
use fhectl::fhe::rerandomize::Rerandomizer;
use fhectl::fhe::{GlweSecret, GlweShape, Lwe, Random, SeededLayout, cost, public_key};
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
        let wire = bootstrap::generate(&params, &small, &big, &mut OsEntropy);
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
        group.bench_function(id, |b| b.iter(|| pool.install(|| black_box(key.sum_of_signs(&inputs, &[1 << 61; 8])))));
        let id = BenchmarkId::from_parameter(format!("k={dimension} N={size} l={levels}, all cores"));
        group.bench_function(id, |b| b.iter(|| black_box(key.sum_of_signs(&inputs, &[1 << 61; 8]))));
    }
    group.finish();
}

fn rerandomize(c: &mut Criterion) {
    let mut group = c.benchmark_group("re-randomise");
    for (dimension, size) in [(1, 2048), (1, 4096), (3, 512)] {
        let shape = GlweShape::new(dimension, size);
        let secret = GlweSecret::generate(shape, &mut OsEntropy);
        let key = Rerandomizer::unpack(shape, &public_key::generate(&secret, &mut OsEntropy)).unwrap();
        let mut random = Random::fresh(&mut OsEntropy);
        println!("k={dimension} N={size}: predicted {:.1} us", 1e6 * cost::rerandomize_seconds(shape));
        group.bench_function(format!("k={dimension} N={size}"), |b| {
            b.iter(|| {
                let mut lwe = Lwe::zero(shape.lwe_dimension());
                key.apply(&mut lwe, 40, &mut random);
                black_box(lwe)
            });
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

criterion_group!(benches, bootstraps, rerandomize, linear);
criterion_main!(benches);
