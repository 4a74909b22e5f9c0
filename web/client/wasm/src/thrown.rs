//! Errors as JavaScript throws them.

use fhectl_core::error::Error;
use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// An `Error` with the code and the hint of fhectl's, which the TypeScript makes its own class of.
pub fn thrown(error: Error) -> JsValue {
    let thrown = js_sys::Error::new(&error.message);
    for (name, value) in [("code", Some(error.code.as_str().to_owned())), ("hint", error.hint)] {
        // Setting a property of a plain object that was made just now cannot fail.
        let _ = Reflect::set(&thrown, &name.into(), &value.map_or(JsValue::NULL, JsValue::from));
    }
    thrown.into()
}
