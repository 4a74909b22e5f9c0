//! What is said to a server: requests to send, and what comes of the replies.

mod bring;
mod listed;

pub use listed::list_models;

use crate::model::Model;
use crate::thrown::thrown;
use bring::Bring;
use fhectl_core::client::conversation::{
    self, Conversation, Driver, FetchModel, ForgetKey, Inference, InferenceOutcome, Next, Reply, Request, Single,
};
use fhectl_core::client::{ClientKeys, ClientModel};
use fhectl_core::error::Result;
use js_sys::{Array, Object, Reflect, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A conversation with a server. JavaScript sends [`Talk::request`] and hands in what came back, until it is over.
#[wasm_bindgen]
pub struct Talk {
    driver: Driver<Kind>,
    outcome: Option<Outcome>,
    /// Whether scores of the model that is fetched are shown.
    scores: bool,
}

enum Kind {
    Fetch(FetchModel),
    Bring(Bring),
    Ask(Inference<Rc<[u8]>>),
    Forget(ForgetKey),
    List(Single<'static>),
}

enum Outcome {
    Model(Box<ClientModel>),
    Answer(conversation::Answer),
    Reply(Reply),
    Nothing,
}

impl Conversation for Kind {
    type Output = Outcome;

    fn request(&self) -> Request<'_> {
        match self {
            Self::Fetch(talk) => talk.request(),
            Self::Bring(talk) => talk.request(),
            Self::Ask(talk) => talk.request(),
            Self::Forget(talk) => talk.request(),
            Self::List(talk) => talk.request(),
        }
    }

    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<Outcome>> {
        Ok(match self {
            Self::Fetch(talk) => talk.handle(outcome)?.map(|model| Outcome::Model(Box::new(model))),
            Self::Bring(talk) => talk.handle(outcome)?.map(|()| Outcome::Nothing),
            Self::Ask(talk) => talk.handle(outcome)?.map(|outcome| match outcome {
                InferenceOutcome::Answered(answer) => Outcome::Answer(answer),
                InferenceOutcome::KeyForgotten => Outcome::Nothing,
            }),
            Self::Forget(talk) => talk.handle(outcome)?.map(|()| Outcome::Nothing),
            Self::List(talk) => talk.handle(outcome)?.map(Outcome::Reply),
        })
    }
}

impl Talk {
    fn new(server: &str, kind: Kind) -> Self {
        Self { driver: Driver::new(kind, server), outcome: None, scores: false }
    }

    pub(crate) fn fetch(server: &str, name: &str, scores: bool, failure_log2: f64) -> Result<Self> {
        let fetch = FetchModel::new(name)?.accepting(failure_log2);
        Ok(Self { scores, ..Self::new(server, Kind::Fetch(fetch)) })
    }

    pub(crate) fn bring(server: &str, model: &Rc<ClientModel>, keys: &Rc<ClientKeys>) -> Self {
        Self::new(server, Kind::Bring(Bring::new(model, keys)))
    }

    pub(crate) fn ask(server: &str, inference: Inference<Rc<[u8]>>) -> Self {
        Self::new(server, Kind::Ask(inference))
    }

    pub(crate) fn forget(server: &str, model: &ClientModel, keys: &ClientKeys) -> Option<Self> {
        ForgetKey::new(model, keys).map(|forget| Self::new(server, Kind::Forget(forget)))
    }

    /// What is to be done next, as a number: less than 0, it is over; else so many milliseconds until the request is sent.
    fn go_on(&mut self, next: Result<Next<Outcome>>) -> Result<f64, JsValue> {
        Ok(match next.map_err(thrown)? {
            Next::Send => 0.0,
            Next::Wait(pause) => pause.as_secs_f64() * 1e3,
            Next::Done(outcome) => {
                self.outcome = Some(outcome);
                -1.0
            }
        })
    }
}

#[wasm_bindgen]
impl Talk {
    /// The request to send now: `{method, path, headers: [[name, value]], body: Uint8Array | null}`.
    pub fn request(&self) -> Object {
        let request = self.driver.request();
        let object = Object::new();
        let set = |name: &str, value: JsValue| {
            // Setting a property of a plain object that was made just now cannot fail.
            let _ = Reflect::set(&object, &name.into(), &value);
        };
        let header = |(name, value): &(&str, String)| Array::of2(&(*name).into(), &value.into());
        let has_body = matches!(request.method, conversation::Method::Put | conversation::Method::Post);
        set("method", request.method.name().into());
        set("path", request.path.as_str().into());
        set("headers", request.headers.iter().map(header).collect::<Array>().into());
        set("body", if has_body { Uint8Array::from(request.body).into() } else { JsValue::NULL });
        object
    }

    /// Takes the whole reply: its status, the names and values of its headers by turns, its body. Returns the milliseconds
    /// until [`Talk::request`] is to be sent (again); less than 0 where it is over.
    pub fn reply(&mut self, status: u16, headers: Vec<String>, body: Vec<u8>) -> Result<f64, JsValue> {
        let (pairs, _) = headers.as_chunks::<2>();
        let headers = pairs.iter().map(|[name, value]| (name.clone(), value.clone())).collect();
        let next = self.driver.handle_reply(Reply::new(status, headers, body));
        self.go_on(next)
    }

    /// There is no reply, for this reason. Returns as [`Talk::reply`].
    pub fn lost(&mut self, transient: bool, reason: &str) -> Result<f64, JsValue> {
        let next = self.driver.handle_lost(transient, reason);
        self.go_on(next)
    }

    /// The bytes of the evaluation key that this talk has sent, and those that it has to send; both 0 where the server had it.
    pub fn uploaded(&self) -> Vec<u32> {
        match self.driver.conversation() {
            Kind::Bring(bring) => bring.uploaded().to_vec(),
            _ => vec![0, 0],
        }
    }

    /// The model that was fetched.
    #[wasm_bindgen(js_name = takeModel)]
    pub fn take_model(&mut self) -> Option<Model> {
        match self.outcome.take() {
            Some(Outcome::Model(model)) => Some(Model::new(*model, self.scores)),
            _ => None,
        }
    }

    /// The answer that was asked for; `undefined` where the server does not know the key any more.
    #[wasm_bindgen(js_name = takeAnswer)]
    pub fn take_answer(&mut self) -> Option<Answer> {
        match self.outcome.take() {
            Some(Outcome::Answer(answer)) => Some(Answer(answer)),
            _ => None,
        }
    }
}

/// An encrypted answer.
#[wasm_bindgen]
pub struct Answer(conversation::Answer);

#[wasm_bindgen]
impl Answer {
    #[wasm_bindgen(getter)]
    pub fn bytes(&self) -> Uint8Array {
        Uint8Array::from(&self.0.bytes[..])
    }

    /// Seconds that the request waited at the server; `undefined` where it does not tell.
    #[wasm_bindgen(getter)]
    pub fn queue(&self) -> Option<f64> {
        self.0.queue
    }

    /// Seconds of computing; `undefined` where the server does not tell.
    #[wasm_bindgen(getter)]
    pub fn compute(&self) -> Option<f64> {
        self.0.compute
    }
}
