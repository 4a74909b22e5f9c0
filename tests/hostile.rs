//! Malformed and hostile requests. The server never panics, fails only with an error that asks to retry later, and keeps
//! answering an honest client without delay.

mod common;
mod live;
#[path = "common/until.rs"]
mod until;

use fhectl_core::fhe::Random;
use fhectl_core::protocol::api::KEY_ID_HEADER;
use fhectl_server::server::TokenSet;
use live::{Fixture, Live, list, text};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;
use until::until;

const REQUESTS: usize = 10_000;
const TOKEN: (&str, &str) = ("authorization", "Bearer an-honest-token");
const CONTENT_TYPES: [&str; 6] =
    ["application/json", "text/html; charset=\u{fffd}", "multipart/form-data", "application/octet-stream", "", "\t"];

/// Generates requests by changing valid ones.
struct Attacker<'a> {
    random: Random,
    good: Vec<Vec<u8>>,
    fixture: &'a Fixture,
}

impl<'a> Attacker<'a> {
    fn new(fixture: &'a Fixture, uid: &str) -> Self {
        let inputs = fixture.encrypt(&fixture.rows(2));
        let id = fixture.key_id();
        let key = ("key-id", id.as_str());
        let endpoint = |value: serde_json::Value| plain("POST", "/", &[TOKEN], value.to_string().as_bytes());
        let good = vec![
            plain("GET", "/v1/models", &[TOKEN], b""),
            plain("GET", &fixture.path("/client.zip"), &[TOKEN], b""),
            plain("POST", &fixture.path("/infer"), &[TOKEN, key], &inputs),
            plain("PUT", &fixture.key_path("/parts/0"), &[TOKEN], &fixture.framed[..1000]),
            plain("POST", &fixture.key_path(""), &[TOKEN], b""),
            plain("GET", &fixture.key_path(""), &[TOKEN], b""),
            endpoint(json!({"method": "inference", "encrypted_inputs": text(&inputs), "uid": uid})),
            endpoint(json!({"method": "inference", "encrypted_inputs": list(&inputs), "uid": uid})),
            endpoint(json!({"method": "save_key", "evaluation_keys": text(&fixture.framed)})),
            endpoint(json!({"method": "append_key", "evaluation_keys": text(&fixture.framed[..50]), "uid": uid})),
        ];
        Self { random: common::random(77), good, fixture }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound as u64) as usize
    }

    fn noise(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }

    fn next(&mut self) -> Vec<u8> {
        let at = self.below(self.good.len());
        let mut request = self.good[at].clone();
        let head = request.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        match self.below(10) {
            // Nothing but noise, and noise after a good head.
            0 => {
                let length = self.below(600);
                self.noise(length)
            }
            1 => {
                let noise = self.noise(request.len() - head);
                request.splice(head.., noise);
                request
            }
            // Cut off anywhere.
            2 => {
                let length = self.below(request.len());
                request.truncate(length);
                request
            }
            // Some bytes of the head, of the body, or anywhere.
            kind @ 3..=5 => {
                let (from, to) = match kind {
                    3 => (0, head),
                    4 if head < request.len() => (head, request.len()),
                    _ => (0, request.len()),
                };
                for _ in 0..=self.below(4) {
                    let at = from + self.below(to - from);
                    request[at] = self.below(256) as u8;
                }
                request
            }
            // A length that lies, small and huge.
            6 => {
                let lengths = ["0", "1", "99999999999", "18446744073709551616", "-1", "1, 2", "0x10"];
                let length = lengths[self.below(lengths.len())];
                let text = String::from_utf8_lossy(&request[..head]).into_owned();
                let end = text.find("content-length").unwrap_or(0);
                [&text.as_bytes()[..end], format!("content-length: {length}\r\n\r\n").as_bytes(), &request[head..]]
                    .concat()
            }
            // Heads that are too long, or chunked, or of a strange type.
            7 => {
                let many = "x-filler: y\r\n".repeat(self.below(2000));
                [b"GET / HTTP/1.1\r\nhost: x\r\n", many.as_bytes(), b"\r\n"].concat()
            }
            8 => {
                let kind = CONTENT_TYPES[self.below(CONTENT_TYPES.len())];
                let body = self.noise(40);
                let chunked = [("content-type", kind), TOKEN, ("transfer-encoding", "chunked")];
                let lengths = ["28\r\n", "ffffffffffffffff\r\n", "zz\r\n", "0\r\n"];
                let mut request = head_of("POST", "/", &chunked).into_bytes();
                request.extend_from_slice(lengths[self.below(lengths.len())].as_bytes());
                request.extend_from_slice(&body);
                request
            }
            // Another's token, no token, an id of nobody.
            _ => {
                let tokens = ["Bearer wrong", "Bearer ", "Basic YTpi", "", "Bearer an-honest-token\u{7f}"];
                let token = ("authorization", tokens[self.below(tokens.len())]);
                let id = "0".repeat(64);
                plain("POST", &self.fixture.path("/infer"), &[token, (KEY_ID_HEADER, &id)], b"x")
            }
        }
    }
}

fn head_of(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + "\r\n"
}

fn plain(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let head = head_of(method, path, &[headers, &[("content-length", &length)]].concat());
    [head.as_bytes(), body].concat()
}

/// Sends bytes, says that no more come, and returns the statuses of what is answered.
fn send(live: &Live, bytes: &[u8]) -> Vec<u16> {
    let mut stream = TcpStream::connect(live.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The server may close before it has read all.
    drop(stream.write_all(bytes));
    drop(stream.shutdown(Shutdown::Write));
    let mut reply = Vec::new();
    drop(stream.read_to_end(&mut reply));
    let starts = reply.windows(9).enumerate().filter(|(_, nine)| *nine == b"HTTP/1.1 ");
    starts.filter_map(|(at, _)| std::str::from_utf8(reply.get(at + 9..at + 12)?).ok()?.parse().ok()).collect()
}

#[test]
fn ten_thousand_hostile_requests_do_no_harm() {
    let fixture = Fixture::tiny();
    let live = Live::start(&[&fixture], "memory:", |config| {
        config.tokens = Some(TokenSet::parse("an-honest-token").unwrap());
        config.timeouts.head = Duration::from_secs(2);
        config.timeouts.body = Duration::from_secs(2);
        config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    });
    live.upload_as(&fixture, 2, &[TOKEN]).ok();
    let request = json!({"method": "save_key", "evaluation_keys": text(&fixture.framed)}).to_string();
    let saved = live.ask("POST", "/", &[TOKEN], request.as_bytes()).ok().json::<serde_json::Value>();
    let mut attacker = Attacker::new(&fixture, saved["uid"].as_str().unwrap());

    // Some that are slow, beside all the others: a byte of a head and a byte of a body now and then.
    let slow: Vec<TcpStream> = (0..20)
        .map(|index| {
            let mut stream = TcpStream::connect(live.address).unwrap();
            let begin =
                if index % 2 == 0 { "GET / HT" } else { "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{" };
            stream.write_all(begin.as_bytes()).unwrap();
            stream
        })
        .collect();
    let (rows, id) = (fixture.rows(1), fixture.key_id());
    let inputs = fixture.encrypt(&rows);
    let mut answered = [0_usize; 6];
    for index in 0..REQUESTS {
        let bytes = attacker.next();
        for status in send(&live, &bytes) {
            assert!(status < 500 || status == 503, "{status} for {:?}", String::from_utf8_lossy(&bytes));
            answered[usize::from(status / 100).min(5)] += 1;
        }
        if index % 50 == 49 {
            let reply = live.ask("POST", &fixture.path("/infer"), &[TOKEN, (KEY_ID_HEADER, &id)], &inputs);
            fixture.assert_answers(&rows, &reply.ok().body);
        }
    }
    println!("answers by class: {answered:?}");
    // Both kinds were met: requests that are fine in spite of everything, and refusals.
    assert!(answered[2] > 0 && answered[4] > REQUESTS / 10, "{answered:?}");
    drop(slow);
    let metrics = live.metrics.unwrap();
    let scrape = || String::from_utf8(live::ask(metrics, "GET", "/metrics", &[], b"").ok().body).unwrap();
    let nothing = ["fhectl_connections 0", "fhectl_body_bytes 0", "fhectl_running 0", "fhectl_queue_depth 0"];
    until("nothing is left over", || {
        let text = scrape();
        nothing.iter().all(|line| text.lines().any(|own| own == *line))
    });
    let text = scrape();
    assert!(!text.contains("code=\"internal\""), "{text}");
}
