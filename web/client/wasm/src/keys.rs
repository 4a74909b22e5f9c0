//! Keys for JavaScript, and what is done with them.

use crate::decrypted::Decrypted;
use crate::entropy::WebEntropy;
use crate::model::Model;
use crate::rows::Rows;
use crate::talk::Talk;
use crate::thrown::thrown;
use fhectl_core::circuit::ClientKey;
use fhectl_core::client::conversation::Inference;
use fhectl_core::client::key_file::KeyFileHeader;
use fhectl_core::client::policy::TagSchedule;
use fhectl_core::client::{ClientKeys, Pending};
use fhectl_core::error::{Error, ErrorCode};
use js_sys::Uint8Array;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

/// A secret key. Wiped when freed.
#[wasm_bindgen]
pub struct SecretKey(pub(crate) ClientKey);

/// The file of a secret key. Wiped when freed.
#[wasm_bindgen]
pub struct KeyFile {
    pub(crate) header: KeyFileHeader,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

#[wasm_bindgen]
impl KeyFile {
    /// Names the key among those that its model had: 16 hexadecimal digits.
    #[wasm_bindgen(getter)]
    pub fn serial(&self) -> String {
        self.header.serial_hex()
    }

    /// A copy of its bytes: the secret, which the caller wipes.
    #[wasm_bindgen(getter)]
    pub fn bytes(&self) -> Uint8Array {
        Uint8Array::from(&self.bytes[..])
    }
}

/// A framed evaluation key, which is public; of no bytes where the circuit needs none.
#[wasm_bindgen]
pub struct EvaluationKey(pub(crate) Vec<u8>);

#[wasm_bindgen]
impl EvaluationKey {
    /// Of stored bytes.
    #[wasm_bindgen(constructor)]
    pub fn of(bytes: Vec<u8>) -> EvaluationKey {
        Self(bytes)
    }

    /// Where its bytes are in the module's memory, to digest them in place. Nothing else of the module may be called meanwhile.
    #[wasm_bindgen(getter)]
    pub fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    /// How many they are.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.0.len()
    }
}

/// A model's keys in use, and which of the batches under them have a tag. The secret one is wiped when freed.
#[wasm_bindgen]
pub struct Keys {
    model: Model,
    own: Rc<ClientKeys>,
    tags: Rc<RefCell<TagSchedule>>,
}

impl Keys {
    pub(crate) fn new(model: Model, own: ClientKeys) -> Self {
        Self { model, own: Rc::new(own), tags: Rc::default() }
    }
}

#[wasm_bindgen]
impl Keys {
    /// The evaluation key's id at a server.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> String {
        self.own.key_id()
    }

    /// A copy of the evaluation key; of no bytes where the circuit needs none.
    #[wasm_bindgen(getter)]
    pub fn evaluation(&self) -> Uint8Array {
        Uint8Array::from(self.own.evaluation())
    }

    /// Encrypts `count` of the rows from `first` on into one request.
    pub fn encrypt(&self, rows: &Rows, first: usize, count: usize) -> Result<Encrypted, JsValue> {
        let end = first.saturating_add(count).min(rows.quantized.len());
        let first = first.min(end);
        let tagged = self.tags.borrow_mut().wants_tag(&mut WebEntropy);
        let batch = &rows.quantized[first..end];
        let request = self.model.own.encrypt(&self.own, batch, tagged, &mut WebEntropy).map_err(thrown)?;
        let (bytes, pending) = request.into_parts();
        Ok(Encrypted { bytes: bytes.into(), pending: Some(pending), outside: rows.outside[first..end].to_vec() })
    }

    /// Decrypts the answer to a request, once.
    pub fn decrypt(&self, encrypted: &mut Encrypted, answer: &[u8]) -> Result<Decrypted, JsValue> {
        let pending = encrypted.pending.take().ok_or_else(|| {
            thrown(
                Error::new(ErrorCode::AnswersCount, "these rows were answered before")
                    .hint("encrypt them again: of two answers to one question a server would learn too much"),
            )
        })?;
        let predictions = self.model.own.decrypt(&self.own, pending, answer, self.model.detail);
        Ok(Decrypted::new(self.model.spec(), predictions, &encrypted.outside))
    }

    /// Checks that a server runs the model and brings it the evaluation key.
    pub fn bring(&self, server: &str) -> Talk {
        Talk::bring(server, &self.model.own, &self.own)
    }

    /// As [`Keys::bring`], to a server that has forgotten them: the next batch has a tag.
    #[wasm_bindgen(js_name = bringAgain)]
    pub fn bring_again(&self, server: &str) -> Talk {
        self.tags.borrow_mut().begin_again();
        self.bring(server)
    }

    /// Has a server compute a request.
    pub fn ask(&self, server: &str, encrypted: &Encrypted) -> Talk {
        Talk::ask(server, Inference::new(&self.model.own, &self.own, Rc::clone(&encrypted.bytes)))
    }

    /// The same once more, after the key was brought again: that it is unknown is an error now.
    #[wasm_bindgen(js_name = askAgain)]
    pub fn ask_again(&self, server: &str, encrypted: &Encrypted) -> Talk {
        Talk::ask(server, Inference::again(&self.model.own, &self.own, Rc::clone(&encrypted.bytes)))
    }

    /// Has a server forget the evaluation key; `undefined` where there is none.
    pub fn forget(&self, server: &str) -> Option<Talk> {
        Talk::forget(server, &self.model.own, &self.own)
    }
}

/// A request, and what is kept until it is answered.
#[wasm_bindgen]
pub struct Encrypted {
    bytes: Rc<[u8]>,
    /// Taken when the answer is decrypted.
    pending: Option<Pending>,
    outside: Vec<Vec<usize>>,
}

#[wasm_bindgen]
impl Encrypted {
    /// A copy of the bytes to send.
    #[wasm_bindgen(getter)]
    pub fn bytes(&self) -> Uint8Array {
        Uint8Array::from(&self.bytes[..])
    }

    /// How many they are.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> usize {
        self.outside.len()
    }
}
