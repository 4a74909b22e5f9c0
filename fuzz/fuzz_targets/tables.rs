//! Tables from strangers, as text, Parquet, Arrow, gzip or zip by their content: read as training rows and as rows to
//! predict. No panic, and no more memory than the bounds of the readers say.
//!
//! The library that reads Parquet panics at some damaged bytes, which `data::columns::parquet` contains. Panics of
//! libraries stop the fuzzer only where nothing contains them; panics of this project's own code always do.
#![no_main]

use fhectl_core::error::ErrorCode;
use fhectl_core::model::InputSchema;
use fhectl_train::data::{Dataset, Holdout, ModelColumns, Source, TableOptions, Task, column_names, read_rows};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::io::Write;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::process::abort;

thread_local! {
    /// What the last panic of a library says.
    static SPARED: RefCell<String> = RefCell::default();
}

fuzz_target!(init: spare_libraries(), |bytes: &[u8]| {
    if catch_unwind(|| read(bytes)).is_err() {
        SPARED.with_borrow(|panic| eprintln!("nothing contains this: {panic}"));
        abort();
    }
});

/// Calls libFuzzer's hook, which aborts, for panics of this project's own code only.
fn spare_libraries() {
    let abort = take_hook();
    set_hook(Box::new(move |panic| {
        let own = |file: &str| file.contains("/crates/fhectl-") || file.contains("fuzz_targets/");
        match panic.location().is_some_and(|location| own(location.file())) {
            true => abort(panic),
            false => SPARED.set(panic.to_string()),
        }
    }));
}

fn read(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").or_else(|_| tempfile::NamedTempFile::new()).unwrap();
    file.write_all(bytes).unwrap();
    let path = file.path();
    let options = TableOptions::default();
    let Ok(names) = column_names(path, &options) else { return };
    let schema = InputSchema::numbers(&names);
    let _ = read_rows(path, ModelColumns { schema: &schema, missing: true }, &[], &options);
    let source = Source { lenient: true, ..Source::new(path.to_str().unwrap(), Path::new("/nowhere"), &options) };
    for task in [Task::Classify, Task::Regress] {
        if let Ok(data) = (Source { task: Some(task), ..source }).load() {
            loaded(&data);
            let numbers = InputSchema::numbers(&data.features);
            let columns = ModelColumns { schema: data.input.as_ref().unwrap_or(&numbers), missing: true };
            match read_rows(path, columns, &[], &options) {
                Ok(rows) => assert!(rows.len() >= data.rows.len()),
                Err(error) => assert_eq!(error.code, ErrorCode::DataTooLarge, "{error:?}"),
            }
        }
    }
    if let Ok(split) = source.load_split(Holdout::Share { test_size: 0.3, seed: 1 }) {
        loaded(&split.train);
        loaded(&split.test);
    }
}

fn loaded(data: &Dataset) {
    let width = data.input.as_ref().map_or(data.features.len(), InputSchema::width);
    assert!(data.rows.iter().all(|row| row.len() == width));
    assert!(data.labels.len().max(data.values.len()) == data.rows.len());
    assert!(data.classes.is_empty() || data.labels.iter().all(|label| (*label as usize) < data.classes.len()));
}
