//! A client without retries, so that tests see every reply, and the counts of all replies.

use fhectl::client::Keyring;
use fhectl_core::bundle::{ServerBundle, folder};
use fhectl_core::client::policy::FAILURE_LOG2;
use fhectl_core::client::{ClientKeys, ClientModel, Detail};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::{KEY_ID_HEADER, KeyStatus, UploadState};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};
use ureq::http::Response;
use ureq::{Agent, Body};

/// Small, so that uploads are often under way when a server dies.
const PART: usize = 256 << 10;

/// Both halves of a model.
pub struct Model {
    pub client: ClientModel,
    pub server: ServerBundle,
}

impl Model {
    pub fn committed(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model").join(name);
        let client = ClientModel::accept(folder::read_client(&path).unwrap(), FAILURE_LOG2).unwrap();
        Self { client, server: folder::read_server(&path).unwrap() }
    }

    pub fn new_keys(&self) -> ClientKeys {
        let ring = tempfile::tempdir().unwrap();
        Keyring::open(Some(ring.path())).unwrap().keys_for(&self.client).unwrap().keys
    }
}

#[derive(Debug, Default)]
pub struct Counts {
    pub right: usize,
    pub wrong: usize,
    /// Refusals with a name, a hint and a time to come back, by name.
    pub later: BTreeMap<String, usize>,
    /// Connections that ended before a whole reply.
    pub broken: usize,
    pub parts: usize,
    pub uploads: usize,
    /// Parts that were acknowledged and then missing.
    pub started_over: usize,
    /// Keys that were acknowledged and then unknown.
    pub lost: usize,
    /// Whatever else came.
    pub unclean: Vec<String>,
    pub seconds: Vec<f64>,
}

pub struct Client<'a> {
    model: &'a Model,
    counts: &'a Mutex<Counts>,
    agent: Agent,
    random: Random,
}

/// What a request came to.
enum Outcome {
    Reply(Vec<u8>),
    /// Come back after this time.
    Later(Duration),
    Refused(u16, String),
}

impl<'a> Client<'a> {
    pub fn new(model: &'a Model, counts: &'a Mutex<Counts>, random: Random) -> Self {
        let config = Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(120))).build().new_agent();
        Self { model, counts, agent, random }
    }

    fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counts.lock().unwrap());
    }

    fn outcome(&self, reply: Result<Response<Body>, ureq::Error>) -> Outcome {
        let whole = reply.and_then(|mut reply| Ok((reply.body_mut().read_to_vec()?, reply)));
        let Ok((bytes, reply)) = whole else {
            self.count(|counts| counts.broken += 1);
            return Outcome::Later(Duration::from_millis(100));
        };
        let status = reply.status().as_u16();
        if status < 300 {
            return Outcome::Reply(bytes);
        }
        let error = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
        let text = |name: &str| error["error"][name].as_str().unwrap_or_default().to_owned();
        let after = reply.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        match after {
            Some(after) if matches!(status, 429 | 503) && !text("code").is_empty() && !text("hint").is_empty() => {
                self.count(|counts| *counts.later.entry(text("code")).or_default() += 1);
                Outcome::Later(Duration::from_secs(after.min(2)))
            }
            _ => Outcome::Refused(status, format!("{} {}", text("code"), text("message"))),
        }
    }

    fn unclean(&self, doing: &str, (status, what): (u16, String)) {
        self.count(|counts| counts.unclean.push(format!("{doing}: {status} {what}")));
    }

    /// One of so many.
    pub fn pick(&mut self, count: usize) -> usize {
        self.random.below(count as u64) as usize
    }

    fn url(&self, base: &str, rest: &str) -> String {
        format!("{base}/v1/models/{}{rest}", self.model.client.spec().name)
    }

    /// One inference, repeated only where the server says so, at most until `end`; tells whether it was answered.
    pub fn infer(&mut self, base: &str, keys: &ClientKeys, end: Instant) -> bool {
        let (client, random) = (&self.model.client, &mut self.random);
        let features = &client.spec().quantizer.features;
        let row: Vec<u32> = features.iter().map(|feature| random.below(u64::from(feature.levels())) as u32).collect();
        let request = client.encrypt(keys, std::slice::from_ref(&row), false, &mut OsEntropy).unwrap();
        let (request, pending) = request.into_parts();
        let url = self.url(base, "/infer");
        loop {
            let begun = Instant::now();
            let reply = self.agent.post(&url).header(KEY_ID_HEADER, keys.key_id()).send(&request);
            match self.outcome(reply) {
                Outcome::Reply(bytes) => {
                    let predictions = client.decrypt(keys, pending, &bytes, Detail::Scores);
                    let scores = predictions.rows[0].as_ref().and_then(|prediction| prediction.scores());
                    let right =
                        scores.is_some_and(|scores| scores.values() == self.model.server.server.model.scores(&row));
                    self.count(|counts| {
                        if right {
                            counts.right += 1
                        } else {
                            counts.wrong += 1
                        }
                        counts.seconds.push(begun.elapsed().as_secs_f64());
                    });
                    return true;
                }
                Outcome::Refused(404, what) if what.starts_with("key_unknown") => {
                    self.count(|counts| counts.lost += 1);
                    return false;
                }
                Outcome::Refused(status, what) => {
                    self.unclean("an inference", (status, what));
                    return false;
                }
                Outcome::Later(after) => sleep(after),
            }
            if Instant::now() >= end {
                return false;
            }
        }
    }

    /// Brings a key, part by part, however long it takes: what was acknowledged is not sent again.
    pub fn upload(&self, base: &str, keys: &ClientKeys) {
        let key = self.url(base, &format!("/keys/{}", keys.key_id()));
        let mut acknowledged = BTreeSet::new();
        loop {
            match self.step(&key, keys, &mut acknowledged) {
                Outcome::Reply(_) => break self.count(|counts| counts.uploads += 1),
                Outcome::Later(after) => sleep(after),
                Outcome::Refused(status, what) => break self.unclean("an upload", (status, what)),
            }
        }
    }

    /// Asks what is there, sends the rest and completes the key, until something is in the way.
    fn step(&self, key: &str, keys: &ClientKeys, acknowledged: &mut BTreeSet<u32>) -> Outcome {
        let status = match self.outcome(self.agent.get(key).call()) {
            Outcome::Reply(bytes) => serde_json::from_slice::<KeyStatus>(&bytes).expect("a status"),
            other => return other,
        };
        if status.state == UploadState::Complete {
            return Outcome::Reply(Vec::new());
        }
        let there: BTreeSet<u32> = status.parts.iter().map(|part| part.index).collect();
        let missing = acknowledged.difference(&there).count();
        self.count(|counts| counts.started_over += missing);
        for (index, part) in (0_u32..).zip(keys.evaluation().chunks(PART)).filter(|(index, _)| !there.contains(index)) {
            match self.outcome(self.agent.put(format!("{key}/parts/{index}")).send(part)) {
                Outcome::Reply(_) => acknowledged.insert(index),
                other => return other,
            };
            self.count(|counts| counts.parts += 1);
        }
        self.outcome(self.agent.post(key).send_empty())
    }
}
