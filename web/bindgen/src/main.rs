//! Makes a browser's module of a wasm file: `fhectl-bindgen INPUT.wasm FOLDER`. It writes the file without its custom sections
//! and the JavaScript and types that go with it.

use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(input), Some(folder), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("usage: fhectl-bindgen INPUT.wasm FOLDER");
        return ExitCode::FAILURE;
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&input).typescript(true);
    // What loads the module says where its bytes are.
    bindgen.remove_name_section(true).remove_producers_section(true).omit_default_module_path(true);
    let made = bindgen.web(true).and_then(|bindgen| bindgen.generate(&folder));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", input.display());
            ExitCode::FAILURE
        }
    }
}
