//! What operators rely on: TLS, tokens, CORS, rate limits, deadlines, metrics, the OpenAPI document.

mod common;
mod live;
#[path = "common/until.rs"]
mod until;

use common::schema::violation;
use fhectl::client::{Http, http::read_authorities};
use fhectl_core::circuit::{CircuitKind, Reveal};
use fhectl_core::error::ErrorCode;
use fhectl_core::protocol::api::{DEADLINE_HEADER, KEY_ID_HEADER};
use fhectl_server::server::{RateLimit, TlsIdentity, TokenSet, hash_line, openapi_document};
use live::{Fixture, Live, Reply, ask, read_reply, text};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;
use until::until;

/// An authority, and a certificate of 127.0.0.1 that it signed: (authority, certificate, key), PEM.
fn certificate() -> (String, String, String) {
    let (own_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut own = CertificateParams::new(Vec::new()).unwrap();
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = own.self_signed(&own_key).unwrap().pem();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let signed = leaf.signed_by(&key, &Issuer::from_params(&own, &own_key)).unwrap();
    (authority, signed.pem(), key.serialize_pem())
}

fn scrape(at: SocketAddr) -> String {
    String::from_utf8(ask(at, "GET", "/metrics", &[], b"").ok().body).unwrap()
}

/// The value of a metric's first line that has all these labels; `None` where nothing was counted yet.
fn counted(text: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let line = text.lines().find(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

#[track_caller]
fn metric(text: &str, name: &str, labels: &[&str]) -> f64 {
    counted(text, name, labels).unwrap_or_else(|| panic!("no {name} {labels:?} in\n{text}"))
}

#[test]
fn tls_in_the_process_with_an_authority_of_ones_own_and_a_certificate_that_changes() {
    let tiny = Fixture::tiny();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let put = |name: &str, text: &str| std::fs::write(at(name), text).unwrap();
    let (authority, cert, key) = certificate();
    put("ca.pem", &authority);
    put("cert.pem", &cert);
    put("key.pem", &key);
    let identity = TlsIdentity::from_files(&at("cert.pem"), &at("key.pem")).unwrap();
    let live = Live::start(&[&tiny], "memory:", |config| {
        config.tls = Some(identity);
        config.timeouts.handshake = Duration::from_millis(300);
    });
    let get = |authority: &Path| {
        let http = Http::new(&format!("https://{}", live.address), None, read_authorities(authority).unwrap()).unwrap();
        http.get("/v1/models/tiny").map(|reply| reply.body)
    };
    let info: Value = serde_json::from_slice(&get(&at("ca.pem")).unwrap()).unwrap();
    assert_eq!(info["name"], "tiny");

    // Half of a new pair changes nothing; the whole pair is taken over, and the old authority knows it no more.
    let (authority, cert, key) = certificate();
    put("ca2.pem", &authority);
    put("cert.pem", &cert);
    get(&at("ca.pem")).unwrap();
    put("key.pem", &key);
    until("the new pair is in force", || get(&at("ca2.pem")).is_ok());
    assert_eq!(get(&at("ca.pem")).unwrap_err().code, ErrorCode::NoServer);

    // Who does not speak TLS, or does not go on speaking it, is let go.
    let mut plain = TcpStream::connect(live.address).unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    assert!(read_reply(&mut plain).is_none());
    let mut silent = TcpStream::connect(live.address).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(silent.read(&mut [0; 16]).unwrap(), 0);

    let code = |cert: &str, key: &str| TlsIdentity::from_pem(cert.as_bytes(), key.as_bytes()).map(drop).unwrap_err();
    let (_, other, _) = certificate();
    for (cert, key) in [(other.as_str(), key.as_str()), ("", &key), (&cert, ""), (&key, &cert), ("x", "x")] {
        let error = code(cert, key);
        assert!(error.code == ErrorCode::TlsInvalid && error.hint.is_some() && !error.message.contains("PRIVATE KEY-"));
    }
}

#[test]
fn tokens_come_and_go_without_a_restart() {
    let tiny = Fixture::tiny();
    let file = tempfile::NamedTempFile::new().unwrap();
    let (one, two) = ("fhectl_token_number_one_1", "fhectl_token_number_two_2");
    let write = |lines: &[String]| std::fs::write(file.path(), lines.join("\n")).unwrap();
    write(&[hash_line(one).unwrap()]);
    let tokens = TokenSet::from_file(file.path()).unwrap();
    let live = Live::start(&[&tiny], "memory:", |config| config.tokens = Some(tokens));
    let status =
        |token: &str| live.ask("GET", "/v1/models", &[("authorization", &format!("Bearer {token}"))], b"").status;
    assert_eq!((status(one), status(two)), (200, 401));
    write(&[hash_line(two).unwrap()]);
    until("the new token is let in", || status(two) == 200);
    assert_eq!(status(one), 401);
    // A file that is empty for a moment does not let everyone in, or anyone out.
    write(&[]);
    assert_eq!((status(one), status(two)), (401, 200));
    assert_eq!(live.get("/v1/models").status, 401);
    write(&[hash_line(one).unwrap(), hash_line(two).unwrap()]);
    until("both are let in", || status(one) == 200);
    assert_eq!(status(two), 200);
}

#[test]
fn who_asks_too_often_waits_and_others_do_not() {
    let tiny = Fixture::tiny();
    let limit = RateLimit { every: Duration::from_secs(1000), burst: NonZeroU32::new(3).unwrap() };
    let live = Live::start(&[&tiny], "memory:", |config| {
        config.rate_limit = Some(limit);
        config.tokens = Some(TokenSet::parse("alpha-token\nbeta-token\n").unwrap());
    });
    let get = |token: &str| live.ask("GET", "/v1/models", &[("authorization", &format!("Bearer {token}"))], b"");
    for _ in 0..3 {
        get("alpha-token").ok();
    }
    let refused = get("alpha-token");
    refused.refused(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((900..=1000).contains(&wait), "{wait}");
    get("beta-token").ok();
    // Guessing is limited by address, whatever is guessed.
    for guess in 0..3 {
        get(&format!("guess-{guess}")).refused(401, "unauthorized");
    }
    get("guess-4").refused(429, "rate_limited");
    get("beta-token").ok();
    for _ in 0..10 {
        live.get("/health/ready").ok();
    }
}

#[test]
fn browsers_are_let_in_only_where_they_were_named() {
    let tiny = Fixture::tiny();
    let origin = ("origin", "https://app.example");
    let preflight = [origin, ("access-control-request-method", "POST"), ("access-control-request-headers", "key-id")];
    let live = Live::plain(&[&tiny]);
    for header in ["access-control-allow-origin", "access-control-allow-methods"] {
        let refused = live.ask("GET", "/v1/models", &[origin], b"");
        refused.refused(403, "origin_refused");
        assert_eq!(refused.header(header), None);
        assert_eq!(live.ask("OPTIONS", "/v1/models", &preflight, b"").header(header), None);
    }
    // A page that comes from here itself, as through a proxy, needs no leave.
    live.ask("GET", "/v1/models", &[("origin", "http://test")], b"").ok();
    let live = Live::start(&[&tiny], "memory:", |config| {
        config.cors_origins = vec!["https://app.example".into()];
        config.tokens = Some(TokenSet::parse("alpha-token").unwrap());
    });
    // A preflight has no token, and the page may read why it was refused.
    let reply = live.ask("OPTIONS", "/v1/models", &preflight, b"").ok();
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"));
    let reply = live.ask("GET", "/v1/models", &[origin], b"");
    reply.refused(401, "unauthorized");
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"));
    let other = live.ask("GET", "/v1/models", &[("origin", "https://evil.example")], b"");
    other.refused(403, "origin_refused");
    assert_eq!(other.header("access-control-allow-origin"), None);
    for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store")] {
        assert_eq!(other.header(name), Some(value));
    }
}

#[test]
fn who_does_not_read_the_reply_is_let_go() {
    let wide = Fixture::of_size((57, 64), "wide", CircuitKind::PathCost, Reveal::Size, 4, 6);
    let live = Live::start(&[&wide], "memory:", |config| {
        config.timeouts.write = Duration::from_millis(300);
        config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    });
    live.upload(&wide, 1).ok();
    let inputs = wide.encrypt(&wide.rows(600));
    let mut stream = TcpStream::connect(live.address).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: test\r\n{KEY_ID_HEADER}: {}\r\ncontent-length: {}\r\n\r\n",
        wide.path("/infer"),
        wide.key_id(),
        inputs.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&inputs).unwrap();
    let metrics = live.metrics.unwrap();
    // The reply's memory and the connection come back, though the client still holds its end.
    until("the rows are computed", || {
        counted(&scrape(metrics), "fhectl_rows_total", &[]).is_some_and(|rows| rows >= 600.0)
    });
    until("the connection is closed", || metric(&scrape(metrics), "fhectl_connections", &[]) == 0.0);
    assert_eq!(metric(&scrape(metrics), "fhectl_body_bytes", &[]), 0.0);
    let mut received = Vec::new();
    let ended = stream.read_to_end(&mut received);
    let length = String::from_utf8_lossy(&received[..500])
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok())
        .unwrap();
    assert!(ended.is_err() || received.len() < length, "{} of {length}", received.len());
    live.assert_works(&wide);
}

#[test]
fn work_of_a_client_that_went_away_is_not_done() {
    let slow = Fixture::new("slow", CircuitKind::LeafSum, Reveal::Nothing, 3, 4);
    let live = Live::start(&[&slow], "memory:", |config| {
        config.threads = 1;
        config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    });
    live.upload(&slow, 1).ok();
    let other = Fixture::with_key(slow.bundle.clone());
    live.upload(&other, 1).ok();
    live.assert_works(&slow);
    let metrics = live.metrics.unwrap();
    let inputs = slow.encrypt(&slow.rows(1));
    let many: Vec<u8> = {
        // A thousand times the same row: a batch of many seconds.
        let header = inputs.len() - slow.bundle.spec.circuit.request_bytes();
        let mut batch = inputs[..header].to_vec();
        // The count; the lengths of an item and of a tag follow.
        batch[header - 12..header - 8].copy_from_slice(&1000_u32.to_le_bytes());
        (0..1000).for_each(|_| batch.extend_from_slice(&inputs[header..]));
        batch
    };
    let before = metric(&scrape(metrics), "fhectl_rows_total", &[]);
    let mut stream = TcpStream::connect(live.address).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: test\r\n{KEY_ID_HEADER}: {}\r\ncontent-length: {}\r\n\r\n",
        slow.path("/infer"),
        slow.key_id(),
        many.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&many).unwrap();
    until("the batch is computed", || metric(&scrape(metrics), "fhectl_running", &[]) == 1.0);
    // While it computes, another client has its turn between two quanta.
    live.assert_works(&other);
    assert_eq!(metric(&scrape(metrics), "fhectl_rows_total", &[]), before + 2.0, "the whole batch was done first");
    drop(stream);
    until("the batch is given up", || metric(&scrape(metrics), "fhectl_running", &[]) == 0.0);
    let text = scrape(metrics);
    assert_eq!(metric(&text, "fhectl_requests_abandoned_total", &[]), 1.0);
    assert_eq!(metric(&text, "fhectl_queue_depth", &[]), 0.0);
    assert_eq!(metric(&text, "fhectl_backlog_seconds", &[]), 0.0);
    assert_eq!(metric(&text, "fhectl_rows_total", &[]), before + 2.0);
    live.assert_works(&slow);
}

#[test]
fn deadlines_are_kept_or_refused() {
    let slow = Fixture::new("slow", CircuitKind::LeafSum, Reveal::Nothing, 3, 4);
    let live = Live::start(&[&slow], "memory:", |config| config.deadline = Some(Duration::from_secs(20)));
    live.upload(&slow, 1).ok();
    let inputs = slow.encrypt(&slow.rows(1));
    let id = slow.key_id();
    let infer = |millis: &str| {
        live.ask("POST", &slow.path("/infer"), &[(KEY_ID_HEADER, &id), (DEADLINE_HEADER, millis)], &inputs)
    };
    infer("20000").ok();
    infer("1").refused(503, "deadline");
    for bad in ["0", "-1", "soon", "1e3", "99999999999"] {
        infer(bad).refused(400, "header_invalid");
    }
    live.assert_works(&slow);
}

#[test]
fn metrics_say_what_happened_on_a_listener_of_their_own() {
    let tiny = Fixture::tiny();
    let live = Live::start(&[&tiny], "memory:", |config| config.metrics_listen = Some("127.0.0.1:0".parse().unwrap()));
    let metrics = live.metrics.unwrap();
    live.upload(&tiny, 2).ok();
    live.assert_works(&tiny);
    live.get("/nosuch").refused(404, "not_found");
    live.ask("GET", "/v1/models/nosuch", &[], b"").refused(404, "model_unknown");
    live.ask("BREW", "/v1/models", &[], b"").refused(405, "method_not_allowed");
    let text = scrape(metrics);
    let infer = ["route=\"/v1/models/{name}/infer\"", "status=\"200\"", "method=\"POST\""];
    assert_eq!(metric(&text, "fhectl_requests_total", &infer), 1.0);
    assert_eq!(metric(&text, "fhectl_requests_total", &["method=\"other\"", "status=\"405\""]), 1.0);
    assert_eq!(metric(&text, "fhectl_errors_total", &["code=\"model_unknown\""]), 1.0);
    assert_eq!(metric(&text, "fhectl_rows_total", &["model=\"tiny\""]), 2.0);
    assert_eq!(metric(&text, "fhectl_compute_seconds_count", &["model=\"tiny\""]), 1.0);
    assert_eq!(metric(&text, "fhectl_key_cache_hits_total", &[]), 1.0);
    assert_eq!(metric(&text, "fhectl_keys_accepted_total", &[]), 1.0);
    assert!(metric(&text, "fhectl_received_bytes_total", &[]) > tiny.framed.len() as f64);
    for level in ["queue_depth", "running", "backlog_seconds", "body_bytes"] {
        // A thread may still be on its way back from the reply.
        until("all is done", || metric(&scrape(metrics), &format!("fhectl_{level}"), &[]) == 0.0);
    }
    assert!(text.ends_with("# EOF\n") && !text.contains("nosuch") && !text.contains("BREW"));
    // The public listener has no metrics, and this one nothing else.
    live.get("/metrics").refused(404, "not_found");
    assert_eq!(ask(metrics, "GET", "/v1/models", &[], b"").status, 404);
}

#[test]
fn a_request_keeps_its_id_where_it_is_sane() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    let id = |sent: &str| {
        live.ask("GET", "/health", &[("x-request-id", sent)], b"").header("x-request-id").map(str::to_owned)
    };
    assert_eq!(id("abc-1.2_Z").as_deref(), Some("abc-1.2_Z"));
    for insane in ["", "two words", "a;b", "\"quoted\"", &"x".repeat(65)] {
        let own = id(insane).unwrap();
        assert!(own.len() == 16 && own.bytes().all(|b| b.is_ascii_hexdigit()), "{insane} became {own}");
    }
}

/// Fills a documented path in.
fn filled(path: &str, fixture: &Fixture, live: &Live) -> String {
    if path == "/page/{version}/{name}" {
        // The page's folder has the version of its files.
        let page = String::from_utf8(live.get("/").ok().body).unwrap();
        let (version, _) = page.split_once("page/").unwrap().1.split_once('/').unwrap();
        return format!("/page/{version}/page.js");
    }
    path.replace("{name}", "tiny").replace("{key_id}", &fixture.key_id()).replace("{index}", "0")
}

#[test]
fn every_route_and_method_is_documented_and_nothing_else_is() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    let document = live.get("/v1/openapi.json").ok().json::<Value>();
    assert_eq!(document, openapi_document());
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let documented = item.get(method.to_lowercase());
            let reply = live.ask(method, &filled(path, &tiny, &live), &[], b"");
            assert_eq!(reply.status != 405, documented.is_some(), "{method} {path}: {}", reply.status);
            if let Some(operation) = documented {
                assert!(
                    reply.status != 404 || reply.json::<Value>()["error"]["code"] != "not_found",
                    "{method} {path}"
                );
                operations.push(operation["operationId"].as_str().unwrap().to_owned());
            }
        }
    }
    operations.sort();
    let count = operations.len();
    operations.dedup();
    assert_eq!((count, operations.len()), (14, 14));
    // Routes come from the documented router alone: no file adds one beside it.
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/fhectl-server/src/server")];
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // The operators' own listener is none of clients'.
            let text = std::fs::read_to_string(&path).unwrap();
            let exempt = path.ends_with("scrape.rs") || path.ends_with("tests.rs");
            let route = text.contains(".route(") && !exempt;
            assert!(!route, "{} has a route that is not documented", path.display());
        }
    }
}

/// Checks a reply's JSON against what the document says of it.
fn conforms(document: &Value, method: &str, path: &str, reply: &Reply) {
    let responses = &document["paths"][path][method.to_lowercase()]["responses"];
    let class = format!("{}XX", reply.status / 100);
    let said = responses.get(reply.status.to_string()).or_else(|| responses.get(&class));
    let said = said.unwrap_or_else(|| panic!("{method} {path}: {} is not documented", reply.status));
    let schema = &said["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path}: {said}");
    let value = reply.json::<Value>();
    if let Some(error) = violation(document, schema, &value) {
        panic!("{method} {path}: {error} in {value}");
    }
    // The schema says something: it does not take just anything.
    let wrong = json!({"error": 7, "uid": 7, "models": 7, "index": "x"});
    assert!(violation(document, schema, &wrong).is_some(), "{method} {path}");
}

#[test]
fn replies_are_as_documented() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    let document = live.get("/v1/openapi.json").ok().json::<Value>();
    let check = |method: &str, path: &str, body: &[u8], status: u16| {
        let reply = live.ask(method, &filled(path, &tiny, &live), &[], body);
        assert_eq!(reply.status, status, "{method} {path}");
        conforms(&document, method, path, &reply);
        reply
    };
    check("GET", "/v1/models", b"", 200);
    check("GET", "/v1/models/{name}", b"", 200);
    let key = "/v1/models/{name}/keys/{key_id}";
    check("GET", key, b"", 200);
    let half = tiny.framed.len() / 2;
    check("PUT", &format!("{key}/parts/{{index}}"), &tiny.framed[..half], 200);
    check("GET", key, b"", 200);
    check("POST", key, b"", 409);
    live.ask("PUT", &tiny.key_path("/parts/1"), &[], &tiny.framed[half..]).ok();
    check("POST", key, b"", 200);
    check("GET", key, b"", 200);
    check("POST", "/v1/models/{name}/infer", b"", 400);
    let endpoint = |request: Value, status| check("POST", "/", request.to_string().as_bytes(), status);
    let (first, last) = tiny.framed.split_at(half);
    let saved = endpoint(json!({"method": "save_key", "evaluation_keys": text(first)}), 200).json::<Value>();
    endpoint(json!({"method": "append_key", "evaluation_keys": text(last), "uid": saved["uid"]}), 200);
    let inputs = text(&tiny.encrypt(&tiny.rows(1)));
    endpoint(json!({"method": "inference", "encrypted_inputs": inputs, "uid": saved["uid"]}), 200);
    endpoint(json!({"method": "inference", "encrypted_inputs": inputs, "uid": "none"}), 404);
    endpoint(json!({"method": "nosuch"}), 400);
}
