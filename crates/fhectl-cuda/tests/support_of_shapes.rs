//! What the device says that it can compute.

mod support;

use fhectl_core::fhe::GlweShape;
use fhectl_core::fhe::backend::Backend;
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::layer::{Layer, LookUp};
use fhectl_core::fhe::list::Term;
use fhectl_core::fhe::part::PartParams;
use support::{bootstraps, device, identity};

fn look_up(keyswitch: Option<usize>) -> LookUp {
    LookUp { tables: vec![vec![0; 512]], keyswitch, bootstrap: 0 }
}

fn bootstrap(k: usize, size: usize, base_log: u32, levels: u32) -> PartParams {
    let output = GlweShape::new(k, size);
    PartParams::Bootstrap(BootstrapParams { lwe_dimension: 640, output, base_log, levels, key_bits: 40 })
}

fn keyswitch(from: usize, to: usize, base_log: u32, levels: u32) -> PartParams {
    let to = GlweShape::small(to);
    PartParams::Keyswitch(KeyswitchParams { from, to, base_log, levels, key_bits: 20 })
}

#[test]
fn shapes_without_kernels_are_not_supported() {
    let Some(device) = device() else { return };
    let layers = bootstraps(3, look_up(None));
    for (k, size, base_log, levels, supported) in [
        (3, 512, 16, 1, true),
        (4, 512, 21, 1, true),
        (4, 512, 10, 3, true),
        (6, 512, 15, 2, true),
        (2, 512, 21, 1, false),
        (7, 512, 21, 1, false),
        (6, 256, 16, 1, false),
        (1, 2048, 21, 1, false),
        (4, 512, 16, 2, false),
        (4, 512, 0, 1, false),
        (4, 512, 21, 0, false),
        // Spectra of so many levels take more than a block's shared memory.
        (6, 512, 3, 9, false),
    ] {
        let part = bootstrap(k, size, base_log, levels);
        assert_eq!(device.supports(&[part], &layers), supported, "{part:?}");
    }
    for (from, to, base_log, levels, supported) in [
        (2048, 640, 3, 5, true),
        (2048, 640, 8, 3, true),
        (2048, 640, 9, 2, false),
        (2048, 640, 8, 4, false),
        (2048, 800, 3, 5, false),
        (9000, 640, 3, 5, false),
    ] {
        let parts = [bootstrap(4, 512, 21, 1), keyswitch(from, to, base_log, levels)];
        let layers = bootstraps(3, look_up(Some(1)));
        assert_eq!(device.supports(&parts, &layers), supported, "{parts:?}");
    }
}

#[test]
fn layers_that_do_not_fit_are_not_supported() {
    let Some(device) = device() else { return };
    let parts = [bootstrap(4, 512, 21, 1), keyswitch(2048, 640, 3, 5)];
    let supports = |layers: &[Layer]| device.supports(&parts, layers);
    let layer = |look_up: LookUp| Layer { look_up: Some(look_up), ..identity(2) };
    let (first, inner) = (layer(look_up(None)), layer(look_up(Some(1))));
    assert!(supports(&[first.clone(), inner.clone(), identity(2)]));
    assert!(supports(&[inner.clone(), identity(2)]));
    // Its inputs are under the big key.
    assert!(!supports(&[first.clone(), first.clone(), identity(2)]));
    assert!(!supports(&[]));
    assert!(!supports(std::slice::from_ref(&first)));
    assert!(!supports(&[first.clone(), identity(3)]));
    assert!(!supports(&[Layer { sums: Vec::new(), constants: Vec::new(), look_up: None }]));
    assert!(!supports(&[layer(LookUp { bootstrap: 1, ..look_up(None) }), identity(2)]));
    assert!(!supports(&[layer(look_up(Some(0))), identity(2)]));
    assert!(!supports(&[layer(LookUp { tables: vec![vec![0; 256]], ..look_up(None) }), identity(2)]));
    assert!(!supports(&[layer(LookUp { tables: Vec::new(), ..look_up(None) }), identity(2)]));
    let far = vec![Term { input: 70_000, weight: 1 }];
    assert!(!supports(&[Layer { sums: vec![far], constants: vec![0], look_up: None }]));
}
