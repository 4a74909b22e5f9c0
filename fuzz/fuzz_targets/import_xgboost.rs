//! XGBoost's files from strangers, as JSON or UBJSON by their first byte after the brace.
#![no_main]

use fhectl_train::import::{FloatModel, exact_levels, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.first() != Some(&b'{') {
        return;
    }
    let Ok(imported) = read(bytes, "fuzz") else { return };
    let row = imported.prepared(&vec![0.5; imported.features]);
    assert_eq!(imported.model.scores(&row).len(), imported.output().margins());
    if let FloatModel::Forest(forest) = &imported.model {
        let _ = exact_levels(forest, imported.prepared_width());
    }
});
