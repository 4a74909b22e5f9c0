//! A real server on a loopback port, with well-behaved clients and others.

mod common;
mod live;
#[path = "common/until.rs"]
mod until;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fhectl_core::bundle::{ClientBundle, ServerBundle};
use fhectl_core::circuit::{CircuitKind, Reveal};
use fhectl_core::error::ErrorCode;
use fhectl_core::protocol::api::{COMPUTE_HEADER, KEY_ID_HEADER, KeyStatus, ModelList, QUEUE_HEADER, UploadState};
use fhectl_core::protocol::frame::{MAX_BATCH, inputs_len};
use fhectl_server::server::{ServeConfig, Server, TokenSet};
use fhectl_server::store::KeyStore;
use live::{Fixture, Live, ask, list, read_reply, save, text};
use serde_json::{Value, json};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use until::until;

#[test]
fn a_client_needs_nothing_but_the_url() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    let models = live.get("/v1/models").ok().json::<ModelList>().models;
    assert_eq!(models.len(), 1);
    let info = &models[0];
    assert_eq!(live.get("/v1/models/tiny").ok().json::<Value>(), serde_json::to_value(info).unwrap());
    let zip = live.get("/v1/models/tiny/client.zip").ok();
    assert_eq!(zip.header("content-type"), Some("application/zip"));
    let client = ClientBundle::read(&zip.body).unwrap();
    assert_eq!((client.id, &client.spec), (tiny.bundle.id, &tiny.bundle.spec));
    assert_eq!(info.id, client.id);
    assert_eq!(info.sizes.key, tiny.framed.len());

    assert_eq!(live.upload(&tiny, 3).ok().json::<KeyStatus>().state, UploadState::Complete);
    let rows = tiny.rows(50);
    let inputs = tiny.encrypt(&rows);
    assert_eq!(tiny.encrypt(&rows[..1]).len(), info.sizes.request);
    let reply = live.infer(&tiny, &inputs).ok();
    tiny.assert_answers(&rows, &reply.body);
    assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
    for name in [QUEUE_HEADER, COMPUTE_HEADER] {
        assert_eq!(reply.header(name), None, "nobody asked for it");
    }
    let one = live.infer(&tiny, &tiny.encrypt(&rows[..1])).ok();
    assert_eq!(one.body.len(), info.sizes.response);
    assert_eq!(live.ask("GET", "/health", &[("x-request-id", "mine-1")], b"").header("x-request-id"), Some("mine-1"));
}

#[test]
fn an_interrupted_upload_goes_on_where_it_stopped_and_keys_outlive_the_server() {
    let tiny = Fixture::tiny();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    let parts: Vec<&[u8]> = tiny.framed.chunks(tiny.framed.len().div_ceil(4)).collect();
    let put = |live: &Live, index: usize| {
        live.ask("PUT", &tiny.key_path(&format!("/parts/{index}")), &[], parts[index]).ok();
    };
    let mut live = Live::start(&[&tiny], store, |_| {});
    assert_eq!(live.get(&tiny.key_path("")).ok().json::<KeyStatus>().state, UploadState::Absent);
    put(&live, 0);
    put(&live, 2);
    put(&live, 2);
    live.ask("POST", &tiny.key_path(""), &[], b"").refused(409, "key_incomplete");
    live.ask("PUT", &tiny.key_path("/parts/2"), &[], parts[1]).refused(409, "part_conflict");
    live.stop();

    let mut live = Live::start(&[&tiny], store, |_| {});
    let status = live.get(&tiny.key_path("")).ok().json::<KeyStatus>();
    assert_eq!(status.state, UploadState::Partial);
    assert_eq!(status.parts.iter().map(|part| part.index).collect::<Vec<_>>(), [0, 2]);
    live.infer(&tiny, &tiny.encrypt(&tiny.rows(1))).refused(404, "key_unknown");
    put(&live, 1);
    live.ask("POST", &tiny.key_path(""), &[], b"").refused(409, "key_incomplete");
    put(&live, 3);
    for _ in 0..2 {
        assert_eq!(live.ask("POST", &tiny.key_path(""), &[], b"").ok().json::<KeyStatus>().parts, []);
    }
    put(&live, 1);
    live.assert_works(&tiny);
    let uid = save(&live, &tiny, text, 2);
    live.stop();

    let live = Live::start(&[&tiny], store, |_| {});
    let status = live.get(&tiny.key_path("")).ok().json::<KeyStatus>();
    assert_eq!((status.state, status.parts.len()), (UploadState::Complete, 0));
    live.assert_works(&tiny);
    let rows = tiny.rows(1);
    let request = json!({"method": "inference", "encrypted_inputs": text(&tiny.encrypt(&rows)), "uid": uid});
    live.endpoint(&request).ok();
    assert_eq!(live.ask("DELETE", &tiny.key_path(""), &[], b"").status, 204);
    live.ask("DELETE", &tiny.key_path(""), &[], b"").refused(404, "key_unknown");
    live.infer(&tiny, &tiny.encrypt(&rows)).refused(404, "key_unknown");
    live.endpoint(&request).refused(404, "uid_unknown");
    live.upload(&tiny, 1).ok();
    live.assert_works(&tiny);
}

#[test]
fn a_key_that_was_changed_in_the_store_is_refused_until_it_is_sent_again() {
    let tiny = Fixture::tiny();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    let mut live = Live::start(&[&tiny], store, |_| {});
    live.upload(&tiny, 1).ok();
    live.stop();
    let model = folder.path().join("keys").join(tiny.bundle.id.to_string()).join("anyone");
    let at = model.join(tiny.key_id());
    let mut bytes = std::fs::read(&at).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&at, bytes).unwrap();

    let live = Live::start(&[&tiny], store, |_| {});
    let inputs = tiny.encrypt(&tiny.rows(1));
    for _ in 0..2 {
        live.infer(&tiny, &inputs).refused(500, "key_damaged");
    }
    assert_eq!(live.ask("DELETE", &tiny.key_path(""), &[], b"").status, 204);
    live.upload(&tiny, 1).ok();
    live.assert_works(&tiny);
}

#[test]
fn the_endpoint_form_works_in_both_forms_of_bytes() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    let rows = tiny.rows(3);
    for (form, pieces) in [(list as fn(&[u8]) -> Value, 1), (list, 3), (text, 1), (text, 4)] {
        let uid = save(&live, &tiny, form, pieces);
        let inputs = form(&tiny.encrypt(&rows));
        let request = json!({"inputs": "fake", "method": "inference", "encrypted_inputs": inputs, "uid": uid});
        let reply = live.endpoint(&request).ok();
        assert_eq!(reply.header(COMPUTE_HEADER), None);
        let answers = match reply.json::<Value>() {
            Value::String(answers) if inputs.is_string() => STANDARD.decode(answers).unwrap(),
            Value::Object(answers) if inputs.is_object() => {
                assert_eq!(answers["__class__"], "bytes");
                serde_json::from_value(answers["__value__"].clone()).unwrap()
            }
            other => panic!("{other}"),
        };
        tiny.assert_answers(&rows, &answers);
    }
}

/// Some clients write 255 as 255.0, with a space after every comma.
#[test]
fn sixteen_inputs_may_be_written_in_the_longest_way() {
    let wide = Fixture::of_size((40, 64), "wide", CircuitKind::PathCost, Reveal::Size, 3, 1);
    let live = Live::plain(&[&wide]);
    let ask = |inputs: usize| {
        // Every byte takes all characters that it may.
        let numbers = vec!["255.0"; inputs_len(&wide.bundle.spec.circuit, inputs)].join(", ");
        let (uid, bytes) = ("0".repeat(32), format!(r#"{{"__class__": "bytes", "__value__": [{numbers}]}}"#));
        let body = format!(r#"{{"method": "inference", "uid": "{uid}", "encrypted_inputs": {bytes}}}"#);
        live.ask("POST", "/", &[], body.as_bytes())
    };
    // Read to its end: what is wrong with it is the uid.
    ask(16).refused(404, "uid_unknown");
    ask(64).refused(413, "body_too_large");
}

#[test]
fn the_endpoint_form_says_what_is_wrong() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    let inputs = text(&tiny.encrypt(&tiny.rows(1)));
    let infer = |uid: &str| live.endpoint(&json!({"method": "inference", "encrypted_inputs": inputs, "uid": uid}));
    let append = |uid: &str, piece: &[u8]| {
        live.endpoint(&json!({"method": "append_key", "evaluation_keys": text(piece), "uid": uid}))
    };
    let begin = |piece: &[u8]| live.endpoint(&json!({"method": "save_key", "evaluation_keys": text(piece)}));
    let good = save(&live, &tiny, text, 2);
    for unknown in ["0123456789abcdef0123456789abcdef", "", "../../../etc/passwd", &good.to_uppercase()] {
        let reply = infer(unknown);
        reply.refused(404, "uid_unknown");
        assert!(!String::from_utf8(reply.body).unwrap().contains(&good), "it names another's uid");
        append(unknown, b"more").refused(404, "uid_unknown");
    }
    append(&good, b"more").refused(409, "key_complete");
    let half = &tiny.framed[..tiny.framed.len() / 2];
    let uid = begin(half).ok().json::<Value>()["uid"].as_str().unwrap().to_owned();
    infer(&uid).refused(409, "key_incomplete");
    append(&uid, &tiny.framed).refused(413, "key_too_large");
    append(&uid, &tiny.framed[half.len()..]).ok();
    infer(&uid).ok();
    let mut flipped = tiny.framed.clone();
    flipped[0] ^= 1;
    begin(&flipped).refused(422, "key_invalid");
    begin(&[&tiny.framed[..], b"x"].concat()).refused(413, "key_too_large");
    live.ask("POST", "/", &[], b"{\"method\": \"save_key\", ").refused(400, "json_invalid");
    live.ask("POST", "/", &[], b"{}").refused(400, "json_invalid");
    live.endpoint(&json!({"method": "save_key", "evaluation_keys": "*"})).refused(400, "json_invalid");
    infer(&good).ok();
}

#[test]
fn damaged_and_foreign_keys_and_ciphertexts_are_named_and_do_no_harm() {
    let (tiny, other) = (Fixture::tiny(), Fixture::new("other", CircuitKind::PathCost, Reveal::Size, 4, 2));
    let live = Live::plain(&[&tiny, &other]);
    live.upload(&tiny, 2).ok();
    live.upload(&other, 2).ok();
    let altered = |framed: Vec<u8>| Fixture { framed, ..Fixture::with_key(tiny.bundle.clone()) };
    let flip = |at: usize| {
        let mut framed = tiny.framed.clone();
        framed[at] ^= 4;
        altered(framed)
    };
    live.upload(&flip(1), 1).refused(422, "key_invalid");
    live.upload(&flip(4), 1).refused(422, "format_version");
    live.upload(&flip(6), 1).refused(422, "wrong_model");
    live.upload(&altered(other.framed.clone()), 1).refused(422, "wrong_model");
    live.upload(&altered(tiny.framed[..tiny.framed.len() - 1].into()), 1).refused(409, "key_incomplete");
    live.upload(&altered([&tiny.framed[..], &[0]].concat()), 1).refused(413, "key_too_large");
    live.upload(&altered(vec![0; 100]), 1).refused(422, "key_invalid");

    // Damaged on the way: the parts are not what the id says. A second attempt succeeds.
    let fresh = Fixture::with_key(tiny.bundle.clone());
    let mut damaged = fresh.framed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    live.ask("PUT", &fresh.key_path("/parts/0"), &[], &damaged).ok();
    live.ask("POST", &fresh.key_path(""), &[], b"").refused(422, "key_mismatch");
    assert_eq!(live.get(&fresh.key_path("")).ok().json::<KeyStatus>().state, UploadState::Absent);
    live.upload(&fresh, 2).ok();
    live.assert_works(&fresh);

    let inputs = tiny.encrypt(&tiny.rows(2));
    let flipped = |at: usize| {
        let mut inputs = inputs.clone();
        inputs[at] ^= 4;
        live.infer(&tiny, &inputs)
    };
    flipped(0).refused(422, "ciphertext_invalid");
    flipped(4).refused(422, "format_version");
    flipped(6).refused(422, "wrong_model");
    flipped(38).refused(422, "ciphertext_invalid");
    flipped(40).refused(413, "batch_too_large");
    for bad in [&inputs[..inputs.len() - 1], &inputs[..40], &[], &[&inputs[..], b"x"].concat()] {
        live.infer(&tiny, bad).refused(422, "ciphertext_invalid");
    }
    live.infer(&tiny, &other.encrypt(&other.rows(1))).refused(422, "wrong_model");
    let huge = vec![0; tiny.encrypt(&tiny.rows(1)).len() * MAX_BATCH + 1000];
    live.infer(&tiny, &huge).refused(413, "body_too_large");
    // Any bits of the right shape are some ciphertext: the answer is noise to the client and nothing to the server.
    flipped(60).ok();
    let id = &tiny.key_id();
    live.ask("POST", &other.path("/infer"), &[(KEY_ID_HEADER, id)], &inputs).refused(404, "key_unknown");
    live.ask("POST", &tiny.path("/infer"), &[], &inputs).refused(400, "key_unnamed");
    live.ask("POST", &tiny.path("/infer"), &[(KEY_ID_HEADER, "x")], &inputs).refused(400, "key_id_invalid");
    live.assert_works(&tiny);
    live.assert_works(&other);
}

#[test]
fn several_models_are_told_apart_by_name_and_some_need_no_key() {
    let (tiny, open) = (Fixture::tiny(), Fixture::new("open", CircuitKind::PathCost, Reveal::Model, 4, 3));
    let live = Live::plain(&[&tiny, &open]);
    assert_eq!(live.get("/v1/models").ok().json::<ModelList>().models.len(), 2);
    let rows = open.rows(5);
    let inputs = open.encrypt(&rows);
    open.assert_answers(&rows, &live.ask("POST", &open.path("/infer"), &[], &inputs).ok().body);
    live.ask("PUT", &open.key_path("/parts/0"), &[], b"x").refused(400, "key_needless");
    let request = json!({"method": "save_key", "evaluation_keys": text(&open.framed)}).to_string();
    live.ask("POST", "/", &[], request.as_bytes()).refused(400, "model_unnamed");
    live.ask("POST", "/", &[("x-model", "nosuch")], request.as_bytes()).refused(404, "model_unknown");
    let saved = live.ask("POST", "/", &[("x-model", "open")], request.as_bytes()).ok().json::<Value>();
    let request = json!({"method": "inference", "encrypted_inputs": text(&inputs), "uid": saved["uid"]}).to_string();
    live.ask("POST", "/", &[("x-model", "open")], request.as_bytes()).ok();
}

#[test]
fn a_sum_of_trees_is_served_like_any_model() {
    let forest = Fixture::forest();
    let live = Live::plain(&[&forest]);
    live.upload(&forest, 2).ok();
    live.assert_works(&forest);
    let request = forest.encrypt(&forest.rows(1));
    let cut = live.infer(&forest, &request[..request.len() - 1]);
    cut.refused(422, "ciphertext_invalid");
    live.assert_works(&forest);
}

#[test]
fn keys_belong_to_the_token_that_sent_them() {
    let tiny = Fixture::tiny();
    let live = Live::start(&[&tiny], "memory:", |config| {
        config.tokens = Some(TokenSet::parse("alpha-token\nbeta-token\n").unwrap());
    });
    for headers in [&[][..], &[("authorization", "Bearer wrong")], &[("authorization", "Basic alpha-token")]] {
        for path in ["/v1/models", "/nosuch", &tiny.key_path("")] {
            let reply = live.ask("GET", path, headers, b"");
            reply.refused(401, "unauthorized");
            assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
        // The reply is seen even though the body was still on its way.
        live.ask("PUT", &tiny.key_path("/parts/0"), headers, &vec![0; 8 << 20]).refused(401, "unauthorized");
        live.ask("GET", "/health", headers, b"").ok();
        live.ask("GET", "/health/ready", headers, b"").ok();
    }
    let (alpha, beta) = (("authorization", "Bearer alpha-token"), ("authorization", "Bearer beta-token"));
    live.upload_as(&tiny, 2, &[alpha]).ok();
    let inputs = tiny.encrypt(&tiny.rows(1));
    let id = tiny.key_id();
    let infer = |token| live.ask("POST", &tiny.path("/infer"), &[token, (KEY_ID_HEADER, &id)], &inputs);
    infer(alpha).ok();
    infer(beta).refused(404, "key_unknown");
    live.ask("DELETE", &tiny.key_path(""), &[beta], b"").refused(404, "key_unknown");
    let status = live.ask("GET", &tiny.key_path(""), &[beta], b"").ok().json::<KeyStatus>();
    assert_eq!(status.state, UploadState::Absent);
    let request = json!({"method": "save_key", "evaluation_keys": text(&tiny.framed)}).to_string();
    let saved = live.ask("POST", "/", &[alpha], request.as_bytes()).ok().json::<Value>();
    let request = json!({"method": "inference", "encrypted_inputs": text(&inputs), "uid": saved["uid"]}).to_string();
    live.ask("POST", "/", &[alpha], request.as_bytes()).ok();
    live.ask("POST", "/", &[beta], request.as_bytes()).refused(404, "uid_unknown");
    infer(alpha).ok();
}

#[test]
fn what_is_too_much_is_refused_at_the_door() {
    let slow = Fixture::new("slow", CircuitKind::LeafSum, Reveal::Nothing, 3, 4);
    let live = Live::start(&[&slow], "memory:", |config| {
        config.threads = 1;
        config.max_queue = 0;
    });
    live.upload(&slow, 3).ok();
    let rows = slow.rows(24);
    let inputs = slow.encrypt(&rows);
    let busy = std::thread::scope(|scope| {
        let long = scope.spawn(|| {
            // The short requests below may be first.
            loop {
                let reply = live.infer(&slow, &inputs);
                if reply.status != 429 {
                    return reply.ok();
                }
            }
        });
        let one = slow.encrypt(&rows[..1]);
        let busy = loop {
            let reply = live.infer(&slow, &one);
            if reply.status != 200 || long.is_finished() {
                break reply;
            }
        };
        live.get("/health/ready").ok();
        slow.assert_answers(&rows, &long.join().unwrap().body);
        busy
    });
    busy.refused(429, "busy");
    live.assert_works(&slow);
}

#[test]
fn draining_says_so_first_and_finishes_what_was_accepted() {
    let slow = Fixture::new("slow", CircuitKind::LeafSum, Reveal::Nothing, 3, 5);
    let mut live = Live::start(&[&slow], "memory:", |config| {
        config.timeouts.notice = Duration::from_secs(3);
        config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    });
    let metrics = live.metrics.unwrap();
    live.upload(&slow, 1).ok();
    let mut idle = TcpStream::connect(live.address).unwrap();
    let (rows, address) = (slow.rows(24), live.address);
    std::thread::scope(|scope| {
        let (inputs, path, id) = (slow.encrypt(&rows), slow.path("/infer"), slow.key_id());
        let running = scope.spawn(move || ask(address, "POST", &path, &[(KEY_ID_HEADER, &id)], &inputs).ok());
        let scrape = || String::from_utf8(ask(metrics, "GET", "/metrics", &[], b"").ok().body).unwrap();
        until("it is accepted", || scrape().contains("fhectl_running 1\n") || running.is_finished());
        live.stop.take();
        until("readiness says no", || live.get("/health/ready").status != 200);
        live.get("/health").ok();
        live.get("/health/ready").refused(503, "draining");
        live.stop();
        slow.assert_answers(&rows, &running.join().unwrap().body);
    });
    assert!(TcpStream::connect(address).is_err());
    assert!(read_reply(&mut idle).is_none());
}

#[test]
fn every_refusal_is_json_and_no_path_climbs() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    live.get("/nosuch").refused(404, "not_found");
    live.get("/v1/models/nosuch").refused(404, "model_unknown");
    live.get("/v1/models/..%2f..%2fetc%2fpasswd/client.zip").refused(404, "model_unknown");
    let reply = live.ask("PATCH", "/v1/models", &[], b"");
    reply.refused(405, "method_not_allowed");
    assert!(reply.header("allow").unwrap().contains("GET"));
    for id in ["..%2f..%2f..%2fetc%2fpasswd", "..", "%00", "x", &"A".repeat(64), &"0".repeat(65)] {
        for (method, rest) in [("GET", ""), ("POST", ""), ("DELETE", ""), ("PUT", "/parts/0")] {
            live.ask(method, &format!("/v1/models/tiny/keys/{id}{rest}"), &[], b"").refused(400, "key_id_invalid");
        }
    }
    live.get("/v1/models/tiny/keys/%ff").refused(400, "bad_request");
    for index in ["-1", "x", "99999999999", "4096", "..%2f0"] {
        live.ask("PUT", &tiny.key_path(&format!("/parts/{index}")), &[], b"x").refused(400, "part_invalid");
    }
    live.ask("PUT", &tiny.key_path("/parts/0"), &[], b"").refused(400, "part_invalid");
    live.ask("PUT", &tiny.key_path("/parts/0"), &[], &vec![0; (8 << 20) + 1]).refused(413, "body_too_large");
}

#[test]
fn clients_that_stall_are_let_go() {
    let tiny = Fixture::tiny();
    let live = Live::start(&[&tiny], "memory:", |config| {
        config.timeouts.head = Duration::from_millis(200);
        config.timeouts.body = Duration::from_millis(200);
    });
    let mut stream = TcpStream::connect(live.address).unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost:").unwrap();
    assert!(read_reply(&mut stream).is_none_or(|reply| reply.status == 408));
    let mut stream = TcpStream::connect(live.address).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\n{").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    read_reply(&mut stream).unwrap().refused(408, "timeout");
    live.get("/health").ok();
}

#[test]
fn a_server_that_cannot_begin_says_why() {
    let tiny = Fixture::tiny();
    let live = Live::plain(&[&tiny]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bind = |models: Vec<ServerBundle>, at: SocketAddr| {
        runtime.block_on(async {
            let store = KeyStore::open("memory:").await.unwrap();
            let error = Server::bind(ServeConfig::new(models, at, store)).await.map(drop).unwrap_err();
            assert!(error.hint.is_some());
            error.code
        })
    };
    assert_eq!(bind(vec![tiny.bundle.clone()], live.address), ErrorCode::PortInUse);
    let any = "127.0.0.1:0".parse().unwrap();
    assert_eq!(bind(vec![tiny.bundle.clone(), tiny.bundle.clone()], any), ErrorCode::ModelTwice);
    assert_eq!(bind(vec![], any), ErrorCode::ModelsNone);
}
