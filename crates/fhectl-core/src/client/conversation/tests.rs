//! Conversations without a socket: what is asked next, and what replies mean.

use super::*;
use crate::client::{ClientKeys, ClientModel};
use crate::error::{ErrorCode, Result};
use crate::fhe::{Entropy, Seed};
use crate::protocol::api::MAX_PART_BYTES;
use serde_json::json;
use std::time::Duration;

const SERVER: &str = "http://server";

struct Counter(u128);

impl Entropy for Counter {
    fn seed(&mut self) -> Seed {
        self.0 += 1;
        Seed(self.0.to_le_bytes())
    }
}

/// A model whose evaluation key has five parts.
fn model() -> ClientModel {
    ClientModel::read(include_bytes!("../../../../../compiled_model/tree-spam-leaf-sum/client.zip")).unwrap()
}

/// The same, with a key of the right size that nobody computes with.
fn keys(model: &ClientModel) -> ClientKeys {
    let secret = model.generate_secret(&mut Counter(0));
    let body = vec![7; model.spec().circuit.key_bytes()];
    let keys = model.keys(secret, crate::protocol::frame::write_key(model.id(), &body)).unwrap();
    assert_eq!(keys.evaluation().len().div_ceil(PART_BYTES), 5);
    keys
}

fn reply(status: u16, body: serde_json::Value) -> Reply {
    Reply::new(status, Vec::new(), body.to_string().into_bytes())
}

fn refused(status: u16, code: &str) -> Reply {
    reply(status, json!({"error": {"code": code, "message": "what\u{1b}[2J", "hint": "do\n this"}}))
}

fn status_of(state: &str, parts: &[(u32, usize)]) -> Reply {
    let parts: Vec<_> = parts.iter().map(|(index, bytes)| json!({"index": index, "bytes": bytes})).collect();
    reply(200, json!({"key_id": "", "state": state, "parts": parts}))
}

fn ok() -> Reply {
    Reply::new(200, Vec::new(), Vec::new())
}

fn line<C: Conversation>(driver: &Driver<C>) -> String {
    let request = driver.request();
    format!("{} {}", request.method.name(), request.path)
}

/// Feeds replies and returns the requests that they answered, with what the last one came to.
fn talk<C: Conversation>(conversation: C, replies: Vec<Reply>) -> (Vec<String>, Result<Next<C::Output>>) {
    let mut driver = Driver::new(conversation, SERVER);
    let (mut lines, mut last) = (Vec::new(), Ok(Next::Send));
    for reply in replies {
        assert!(matches!(last, Ok(Next::Send | Next::Wait(_))), "it went on after its end");
        lines.push(line(&driver));
        last = driver.handle_reply(reply);
    }
    (lines, last)
}

#[test]
fn only_missing_parts_are_sent() {
    let model = model();
    let keys = keys(&model);
    let path = format!("/v1/models/{}/keys/{}", model.spec().name, keys.key_id());
    let there = [(0, PART_BYTES), (1, PART_BYTES - 1), (3, PART_BYTES)];
    let upload = || KeyUpload::new(&model, &keys).unwrap();
    let (lines, end) = talk(upload(), vec![status_of("partial", &there), ok(), ok(), ok(), ok()]);
    let expected = ["GET {}", "PUT {}/parts/1", "PUT {}/parts/2", "PUT {}/parts/4", "POST {}"];
    assert_eq!(lines, expected.map(|line| line.replace("{}", &path)));
    assert_eq!(end.unwrap(), Next::Done(()));
    assert_eq!(talk(upload(), vec![status_of("complete", &[])]).1.unwrap(), Next::Done(()));

    let mut driver = Driver::new(upload(), SERVER);
    assert_eq!(driver.conversation().part(), None);
    driver.handle_reply(status_of("absent", &[])).unwrap();
    let mut sent = Vec::new();
    while let Some(part) = driver.conversation().part() {
        assert_eq!(part.remaining, keys.evaluation().len() - sent.len());
        assert_eq!(driver.request().body, &keys.evaluation()[part.bytes]);
        sent.extend_from_slice(driver.request().body);
        driver.handle_reply(ok()).unwrap();
    }
    assert!(sent == keys.evaluation() && PART_BYTES <= MAX_PART_BYTES);
}

#[test]
fn an_upload_begins_again_once() {
    let model = model();
    let keys = keys(&model);
    let all: Vec<(u32, usize)> =
        (0..).zip(keys.evaluation().chunks(PART_BYTES)).map(|(index, part)| (index, part.len())).collect();
    let upload = || KeyUpload::new(&model, &keys).unwrap();
    let methods = |lines: Vec<String>| -> Vec<String> {
        lines.iter().map(|line| line.split_once(' ').unwrap().0.to_owned()).collect()
    };
    // Parts that are in the way are discarded.
    let replies =
        vec![status_of("partial", &all[1..]), refused(409, "part_conflict"), ok(), status_of("partial", &all), ok()];
    let (lines, end) = talk(upload(), replies);
    assert_eq!(methods(lines), ["GET", "PUT", "DELETE", "GET", "POST"]);
    assert_eq!(end.unwrap(), Next::Done(()));
    // Parts that were dropped are sent.
    let replies = vec![
        status_of("partial", &all),
        refused(409, "key_incomplete"),
        status_of("partial", &all[1..]),
        ok(),
        refused(409, "key_incomplete"),
    ];
    let (lines, end) = talk(upload(), replies);
    assert_eq!(methods(lines), ["GET", "POST", "GET", "PUT", "POST"]);
    assert_eq!(end.unwrap_err().code, ErrorCode::KeyIncomplete);
}

#[test]
fn a_busy_server_is_asked_again_and_in_the_end_believed() {
    let model = model();
    let mut driver = Driver::new(CheckModel::new(&model), SERVER);
    for (status, millis) in [(503, 100), (502, 200), (429, 400), (504, 800)] {
        let next = driver.handle_reply(refused(status, "busy")).unwrap();
        assert_eq!(next, Next::Wait(Duration::from_millis(millis)));
    }
    // No longer than five seconds, whatever is asked for.
    let busy = Reply::new(503, vec![("Retry-After".into(), "3600".into())], Vec::new());
    assert_eq!(driver.handle_reply(busy).unwrap(), Next::Wait(Duration::from_secs(5)));
    let error = driver.handle_reply(refused(503, "busy")).unwrap_err();
    assert_eq!(error.code, ErrorCode::Busy);
    assert!(!error.message.contains(char::is_control) && !error.hint.unwrap().contains(char::is_control));

    let mut driver = Driver::new(CheckModel::new(&model), SERVER);
    for _ in 0..5 {
        assert!(matches!(driver.handle_lost(true, "reset").unwrap(), Next::Wait(_)));
    }
    assert_eq!(driver.handle_lost(true, "reset").unwrap_err().code, ErrorCode::NoServer);
    let mut driver = Driver::new(CheckModel::new(&model), SERVER);
    assert_eq!(driver.handle_lost(false, "no certificate").unwrap_err().code, ErrorCode::NoServer);
}

#[test]
fn what_is_no_server_of_ours_or_another_model_is_named() {
    let model = model();
    let end = |reply| talk(CheckModel::new(&model), vec![reply]).1.unwrap_err();
    let error = end(ok());
    assert_eq!(error.code, ErrorCode::ReplyInvalid);
    assert!(
        error.message.starts_with("http://server/v1/models/tree-spam-leaf-sum did not answer"),
        "{}",
        error.message
    );
    assert_eq!(end(Reply::new(404, Vec::new(), b"<html>".to_vec())).code, ErrorCode::ServerError);
    assert_eq!(end(refused(404, "model_unknown")).code, ErrorCode::ModelUnknown);
    assert_eq!(end(refused(400, "of another release")).code, ErrorCode::ServerRefused);
    assert!(FetchModel::new("../secrets").is_err());
    let fetched = talk(FetchModel::new("a").unwrap(), vec![ok()]).1.map(drop).unwrap_err();
    assert!(fetched.code == ErrorCode::BundleInvalid && fetched.message.starts_with("a of http://server: "));
}

#[test]
fn a_forgotten_key_is_an_outcome_once() {
    let model = model();
    let keys = keys(&model);
    let forgotten = || vec![refused(404, "key_unknown")];
    let (lines, end) = talk(Inference::new(&model, &keys, b"request"), forgotten());
    assert_eq!(lines, ["POST /v1/models/tree-spam-leaf-sum/infer"]);
    assert_eq!(end.unwrap(), Next::Done(InferenceOutcome::KeyForgotten));
    assert_eq!(
        talk(Inference::again(&model, &keys, b"request"), forgotten()).1.unwrap_err().code,
        ErrorCode::KeyUnknown
    );

    let driver = Driver::new(Inference::new(&model, &keys, b"request"), SERVER);
    assert_eq!(
        (driver.request().body, &driver.request().headers[..]),
        (&b"request"[..], &[("key-id", keys.key_id())][..])
    );
    let timed = Reply::new(200, vec![("X-Fhectl-Compute-Us".into(), "1500".into())], b"answer".to_vec());
    let (_, end) = talk(Inference::new(&model, &keys, b"request"), vec![timed]);
    let answer = Answer { bytes: b"answer".to_vec(), queue: None, compute: Some(1500.0 * 1e-6) };
    assert_eq!(end.unwrap(), Next::Done(InferenceOutcome::Answered(answer)));
}
