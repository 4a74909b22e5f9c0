//! Tables from strangers, as text, Parquet, Arrow, gzip or zip by their content: read as training rows and as rows to
//! predict. No panic, and no more memory than the bounds of the readers say.
#![no_main]

use fhectl_train::data::{ModelColumns, Source, TableOptions, column_names, read_rows};
use fhectl_core::model::InputSchema;
use libfuzzer_sys::fuzz_target;
use std::io::Write;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").or_else(|_| tempfile::NamedTempFile::new()).unwrap();
    file.write_all(bytes).unwrap();
    let path = file.path();
    let options = TableOptions::default();
    let Ok(names) = column_names(path, &options) else { return };
    let schema = InputSchema::numbers(&names);
    let _ = read_rows(path, ModelColumns { schema: &schema, missing: true }, &[], &options);
    let source = Source { lenient: true, ..Source::new(path.to_str().unwrap(), Path::new("/nowhere"), &options) };
    if let Ok(data) = source.load() {
        let width = data.input.as_ref().map_or(data.features.len(), InputSchema::width);
        assert!(data.rows.iter().all(|row| row.len() == width));
        assert!(data.classes.is_empty() || data.labels.iter().all(|label| (*label as usize) < data.classes.len()));
    }
});
