//! LightGBM's text from strangers.
#![no_main]

use fhectl_train::import::{FloatModel, lightgbm, exact_levels};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(imported) = lightgbm::read(bytes) else { return };
    let row = imported.prepared(&vec![0.5; imported.features]);
    assert_eq!(imported.model.scores(&row).len(), imported.output().margins());
    if let FloatModel::Forest(forest) = &imported.model {
        let _ = exact_levels(forest, imported.prepared_width());
    }
});
