//! Bootstraps of ours beside tfhe's own, in one process: the parameters of `mlp-mnist`, one core.
//!
//! `cargo bench -p fhectl-bench --bench beside_tfhe`. tfhe bootstraps one ciphertext at a time; ours share passes over the
//! key, so that times of batches are to be divided by their sizes. `FHECTL_SIMD` chooses our vector unit.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::pbs::BootstrapKey;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::{GlweSecret, GlweShape, Random, encrypt};
use rayon::prelude::*;
use std::hint::black_box;
use tfhe::core_crypto::prelude::*;

const LWE_DIMENSION: usize = 640;
const GLWE_DIMENSION: usize = 4;
const POLYNOMIAL_SIZE: usize = 512;
const BASE_LOG: u32 = 21;

fn ours(c: &mut Criterion) {
    let output = GlweShape::new(GLWE_DIMENSION, POLYNOMIAL_SIZE);
    let params = BootstrapParams { lwe_dimension: LWE_DIMENSION, output, base_log: BASE_LOG, levels: 1, key_bits: 44 };
    let small = GlweSecret::generate(GlweShape::new(10, 64), &mut OsEntropy);
    let big = GlweSecret::generate(output, &mut OsEntropy);
    let wire = encrypt::bootstrap_key(&params, &small, &big, &mut OsEntropy);
    let key = BootstrapKey::unpack(&params, &wire, None).unwrap();
    let mut random = Random::fresh(&mut OsEntropy);
    let table = vec![1 << 61; POLYNOMIAL_SIZE];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut group = c.benchmark_group("bootstraps, one core");
    group.sample_size(10);
    for count in [1, 8, 32] {
        let mut inputs = LweList::zero(count, LWE_DIMENSION);
        for row in inputs.rows_mut().collect::<Vec<_>>() {
            row.iter_mut().for_each(|word| *word = random.word() as u32);
        }
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("ours, batch of {count}"), |b| {
            b.iter(|| pool.install(|| black_box(key.look_up(&inputs, |_| &table, None))));
        });
    }
    group.finish();
}

fn tfhes(c: &mut Criterion) {
    let (dimension, size) = (GlweDimension(GLWE_DIMENSION), PolynomialSize(POLYNOMIAL_SIZE));
    let (base_log, levels) = (DecompositionBaseLog(BASE_LOG as usize), DecompositionLevelCount(1));
    let modulus = CiphertextModulus::<u64>::new_native();
    let mut seeder = new_seeder();
    let seeder = seeder.as_mut();
    let mut secrets = SecretRandomGenerator::<DefaultRandomGenerator>::new(seeder.seed());
    let mut noise = EncryptionRandomGenerator::<DefaultRandomGenerator>::new(seeder.seed(), seeder);
    let small = LweSecretKey::generate_new_binary(LweDimension(LWE_DIMENSION), &mut secrets);
    let big = GlweSecretKey::generate_new_binary(dimension, size, &mut secrets);
    let law = DynamicDistribution::new_t_uniform(17);
    let standard =
        par_allocate_and_generate_new_lwe_bootstrap_key(&small, &big, base_log, levels, law, modulus, &mut noise);
    let mut key = FourierLweBootstrapKey::new(
        standard.input_lwe_dimension(),
        standard.glwe_size(),
        standard.polynomial_size(),
        base_log,
        levels,
    );
    convert_standard_lwe_bootstrap_key_to_fourier(&standard, &mut key);
    let input = allocate_and_encrypt_new_lwe_ciphertext(
        &small,
        Plaintext(1 << 61),
        DynamicDistribution::new_t_uniform(45),
        modulus,
        &mut noise,
    );
    let table = GlweCiphertext::new(1u64 << 61, dimension.to_glwe_size(), size, modulus);
    let mut output = LweCiphertext::new(0u64, key.output_lwe_dimension().to_lwe_size(), modulus);
    let mut group = c.benchmark_group("bootstraps, one core");
    group.sample_size(10).throughput(Throughput::Elements(1));
    group.bench_function("tfhe's, one at a time", |b| {
        b.iter(|| programmable_bootstrap_lwe_ciphertext(&input, &mut output, black_box(&table), &key));
    });
    group.finish();
}

criterion_group!(benches, ours, tfhes);
criterion_main!(benches);
