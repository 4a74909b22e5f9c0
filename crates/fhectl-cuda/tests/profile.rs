//! How long bootstraps take, as the device is asked.

mod support;

use fhectl_core::fhe::GlweShape;
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::device_profile::DeviceProfile;
use support::device;

#[test]
fn a_profile_has_every_shape_and_can_be_stored() {
    let Some(device) = device() else { return };
    let profile = device.profile().unwrap();
    assert_eq!(profile.device, device.description());
    let ranks: Vec<usize> = profile.shapes.iter().map(|shape| shape.output.dimension).collect();
    assert_eq!(ranks, [3, 4, 5, 6]);
    let text = serde_json::to_string(&profile).unwrap();
    assert!(text.len() < 4000, "{text}");
    assert_eq!(serde_json::from_str::<DeviceProfile>(&text).unwrap(), profile);

    let params = |k| {
        let output = GlweShape::new(k, 512);
        BootstrapParams { lwe_dimension: 640, output, base_log: 21, levels: 1, key_bits: 40 }
    };
    let one = profile.seconds(&params(4), 1).unwrap();
    assert!(one > 0.0 && profile.seconds(&params(4), 100_000).unwrap() > one);
    assert_eq!(profile.seconds(&params(2), 1), None);
}
