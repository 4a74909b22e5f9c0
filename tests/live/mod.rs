//! Shared by several tests: a real server on a loopback port, and a client that sends exactly the bytes it is given.
#![allow(dead_code, reason = "no test uses all of it")]

use crate::common;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fhectl_core::bundle::{ClientSpec, Metrics, Quality, ServerBundle, ServerSpec, pack};
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::{CircuitKind, ClientKey, Reveal, decode, encode};
use fhectl_core::digest::sha256_hex;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::model::{Model, Output, Quantizer};
use fhectl_core::protocol::api::KEY_ID_HEADER;
use fhectl_core::protocol::frame::{Asked, KeyDigest, Lengths, NO_KEY, read_answers, write_inputs, write_key};
use fhectl_server::server::{ServeConfig, Server};
use fhectl_server::store::KeyStore;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// A model, and a client's keys for it.
pub struct Fixture {
    pub bundle: ServerBundle,
    pub key: ClientKey,
    /// The framed evaluation key.
    pub framed: Vec<u8>,
}

impl Fixture {
    pub fn new(name: &str, kind: CircuitKind, reveal: Reveal, depth: usize, seed: u8) -> Self {
        Self::of_size((6, 16), name, kind, reveal, depth, seed)
    }

    /// `size` is features and levels of each.
    pub fn of_size(size: (usize, u32), name: &str, kind: CircuitKind, reveal: Reveal, depth: usize, seed: u8) -> Self {
        let quantizer = common::quantizer(size.0, size.1);
        let model = Model::Tree(common::tree(&quantizer, depth, 3, &mut common::random(seed)));
        Self::of_model(quantizer, name, kind, reveal, model)
    }

    /// A model of three classes.
    pub fn of_model(quantizer: Quantizer, name: &str, kind: CircuitKind, reveal: Reveal, model: Model) -> Self {
        let request = PlanRequest { circuit: Some(kind), reveal, ..PlanRequest::default() };
        let chosen = plan(&model, &quantizer, Output::Classes(3), &request).unwrap().remove(0);
        let spec = ClientSpec {
            format: fhectl_core::bundle::FORMAT,
            name: name.into(),
            kind: "tree".into(),
            features: (0..quantizer.features.len()).map(|f| format!("f{f}")).collect(),
            target: "y".into(),
            classes: ["a", "b", "c"].map(String::from).into(),
            input: None,
            preprocessing: Vec::new(),
            quantizer,
            circuit: chosen.spec,
            reveal,
            p_fail_log2: chosen.guarantees.p_fail_log2,
            flooding_log2: chosen.guarantees.flooding_log2,
            security_bits: 132,
            score_scale: None,
            score_offset: None,
            score_unit: Default::default(),
            head: None,
            evaluation: None,
        };
        let quality = Quality::Accuracy { float_accuracy: 1.0, quantized_accuracy: 1.0, simulated_accuracy: None };
        let metrics = Metrics { train_rows: 3, test_rows: 1, quality };
        let server = ServerSpec { format: fhectl_core::bundle::FORMAT, salt: "00".into(), model, metrics };
        let (_, zip) = pack(&spec, &server).unwrap();
        Self::with_key(ServerBundle::read(&zip).unwrap())
    }

    pub fn with_key(bundle: ServerBundle) -> Self {
        let circuit = &bundle.spec.circuit;
        let key = ClientKey::generate(circuit, &mut OsEntropy);
        let framed = write_key(&bundle.id, &key.evaluation_key(circuit, &mut OsEntropy));
        Self { bundle, key, framed }
    }

    /// The model that most tests use: small keys, fast answers.
    pub fn tiny() -> Self {
        Self::new("tiny", CircuitKind::PathCost, Reveal::Size, 3, 1)
    }

    /// A sum of trees.
    pub fn forest() -> Self {
        let quantizer = common::quantizer(6, 16);
        let model = Model::Forest(common::forest(&quantizer, [5, 3, 3], 40, &mut common::random(4)));
        Self::of_model(quantizer, "forest", CircuitKind::PathCost, Reveal::Size, model)
    }

    pub fn key_id(&self) -> String {
        sha256_hex(&self.framed)
    }

    /// What answers say that they were computed with.
    pub fn key_digest(&self) -> KeyDigest {
        if self.bundle.spec.circuit.key_bytes() == 0 { NO_KEY } else { Sha256::digest(&self.framed).into() }
    }

    pub fn rows(&self, count: usize) -> Vec<Vec<u32>> {
        let mut random = common::random(42);
        (0..count).map(|_| common::row(&self.bundle.spec.quantizer, &mut random)).collect()
    }

    pub fn encrypt(&self, rows: &[Vec<u32>]) -> Vec<u8> {
        let spec = &self.bundle.spec;
        let items: Vec<Vec<u8>> =
            rows.iter().map(|row| encode(&spec.circuit, &spec.quantizer, &self.key, row, &mut OsEntropy)).collect();
        write_inputs(&self.bundle.id, None, &items)
    }

    pub fn assert_answers(&self, rows: &[Vec<u32>], answers: &[u8]) {
        let circuit = &self.bundle.spec.circuit;
        let asked = Asked { model: &self.bundle.id, key: &self.key_digest(), rows: rows.len(), tagged: false };
        let batch = read_answers(asked, Lengths::of_answers(circuit), answers).unwrap();
        for (row, item) in rows.iter().zip(batch.items) {
            assert_eq!(decode(circuit, &self.key, item).unwrap().values(), self.bundle.server.model.scores(row));
        }
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/v1/models/{}{rest}", self.bundle.spec.name)
    }

    pub fn key_path(&self, rest: &str) -> String {
        self.path(&format!("/keys/{}{rest}", self.key_id()))
    }
}

/// A server in a thread of its own.
pub struct Live {
    pub address: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub stop: Option<oneshot::Sender<()>>,
    pub thread: Option<JoinHandle<()>>,
}

impl Live {
    pub fn start(models: &[&Fixture], store: &str, adjust: impl FnOnce(&mut ServeConfig)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let bundles = models.iter().map(|model| model.bundle.clone()).collect();
        let store = runtime.block_on(KeyStore::open(store)).unwrap();
        let mut config = ServeConfig::new(bundles, "127.0.0.1:0".parse().unwrap(), store);
        config.timeouts.notice = Duration::ZERO;
        adjust(&mut config);
        let server = runtime.block_on(Server::bind(config)).unwrap();
        let (address, metrics) = (server.local_addr(), server.metrics_addr());
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(server.run(async { drop(stopped.await) })).unwrap();
        });
        Self { address, metrics, stop: Some(stop), thread: Some(thread) }
    }

    pub fn plain(models: &[&Fixture]) -> Self {
        Self::start(models, "memory:", |_| {})
    }

    pub fn stop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        ask(self.address, method, path, headers, body)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], b"")
    }

    pub fn upload(&self, fixture: &Fixture, pieces: usize) -> Reply {
        self.upload_as(fixture, pieces, &[])
    }

    pub fn upload_as(&self, fixture: &Fixture, pieces: usize, headers: &[(&str, &str)]) -> Reply {
        for (index, part) in fixture.framed.chunks(fixture.framed.len().div_ceil(pieces)).enumerate() {
            let reply = self.ask("PUT", &fixture.key_path(&format!("/parts/{index}")), headers, part);
            if reply.status != 200 {
                return reply;
            }
        }
        self.ask("POST", &fixture.key_path(""), headers, b"")
    }

    pub fn infer(&self, fixture: &Fixture, inputs: &[u8]) -> Reply {
        self.ask("POST", &fixture.path("/infer"), &[(KEY_ID_HEADER, &fixture.key_id())], inputs)
    }

    pub fn assert_works(&self, fixture: &Fixture) {
        let rows = fixture.rows(2);
        fixture.assert_answers(&rows, &self.infer(fixture, &fixture.encrypt(&rows)).ok().body);
    }

    pub fn endpoint(&self, request: &Value) -> Reply {
        self.ask("POST", "/", &[], request.to_string().as_bytes())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.take();
    }
}

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status < 300, "{}: {}", self.status, String::from_utf8_lossy(&self.body));
        self
    }

    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        let error = &self.json::<Value>()["error"];
        assert_eq!((self.status, error["code"].as_str().unwrap()), (status, code), "{error}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{error}");
        assert!(self.header("x-request-id").is_some());
        assert_eq!(self.header("retry-after").is_some(), matches!(status, 429 | 503));
    }
}

/// One request on a connection of its own, byte for byte as written here.
pub fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    read_reply(&mut stream).expect("no reply")
}

/// Reads one reply, leaving the connection open; `None` where it is closed without one.
pub fn read_reply(stream: &mut TcpStream) -> Option<Reply> {
    let Message { first, headers, body } = read_message(stream)?;
    Some(Reply { status: first.split(' ').nth(1).unwrap().parse().unwrap(), headers, body })
}

/// A request or a reply.
pub struct Message {
    /// Its first line.
    pub first: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Reads one request or reply; `None` where the connection is closed without one.
pub fn read_message(stream: &mut TcpStream) -> Option<Message> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    let mut more = |bytes: &mut Vec<u8>| {
        let count = stream.read(&mut buffer).unwrap_or(0);
        bytes.extend_from_slice(&buffer[..count]);
        count > 0
    };
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if !more(&mut bytes) {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let first = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into())).collect();
    let stated = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = stated.map_or(0, |(_, length)| length.parse().unwrap());
    while bytes.len() < end + length {
        assert!(more(&mut bytes), "the message was cut off");
    }
    Some(Message { first, headers, body: bytes[end..].to_vec() })
}

pub fn list(bytes: &[u8]) -> Value {
    json!({"__class__": "bytes", "__value__": bytes})
}

pub fn text(bytes: &[u8]) -> Value {
    json!(STANDARD.encode(bytes))
}

/// Sends a whole key in the endpoint form and returns its uid.
pub fn save(live: &Live, fixture: &Fixture, form: fn(&[u8]) -> Value, pieces: usize) -> String {
    let mut uid = String::new();
    for (index, piece) in fixture.framed.chunks(fixture.framed.len().div_ceil(pieces)).enumerate() {
        if index == 0 {
            let request = json!({"inputs": "fake", "method": "save_key", "evaluation_keys": form(piece)});
            uid = live.endpoint(&request).ok().json::<Value>()["uid"].as_str().unwrap().to_owned();
        } else {
            let request = json!({"inputs": "fake", "method": "append_key", "evaluation_keys": form(piece), "uid": uid});
            assert_eq!(live.endpoint(&request).ok().body, b"null");
        }
    }
    uid
}
