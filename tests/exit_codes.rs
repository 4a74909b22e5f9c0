//! Exit codes of the real binary: 1 for what its user can put right, 2 where the server stands in the way.

#[path = "common/process.rs"]
mod process;

use process::{fhectl, stderr};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

/// What a server says to everything that it is asked, and what the command line makes of it.
const REPLIES: [(&str, &str, &str, i32); 13] = [
    ("401 Unauthorized", "unauthorized", "unauthorized", 1),
    ("404 Not Found", "model_unknown", "model_unknown", 1),
    ("429 Too Many Requests", "busy", "busy", 2),
    ("429 Too Many Requests", "rate_limited", "rate_limited", 2),
    ("503 Service Unavailable", "draining", "draining", 2),
    ("503 Service Unavailable", "deadline", "deadline", 2),
    ("503 Service Unavailable", "store_unavailable", "store_unavailable", 2),
    ("403 Forbidden", "quota_exceeded", "quota_exceeded", 2),
    ("403 Forbidden", "row_budget_spent", "row_budget_spent", 2),
    ("500 Internal Server Error", "internal", "internal", 2),
    // Codes of a later release, and one that is the client's own.
    ("409 Conflict", "of_a_later_release", "server_refused", 1),
    ("503 Service Unavailable", "of_a_later_release", "server_error", 2),
    ("400 Bad Request", "key_passphrase_wrong", "server_refused", 1),
];

#[test]
fn what_a_server_says_decides() {
    thread::scope(|scope| {
        for (status, sent, shown, exit) in REPLIES {
            scope.spawn(move || {
                let body = format!(r#"{{"error": {{"code": "{sent}", "message": "no", "hint": null}}}}"#);
                let text = plays(&answering(status, body), exit);
                assert!(text.contains(&format!("error[{shown}]")) && text.contains(sent), "{status}, {sent}: {text}");
            });
        }
        // A proxy without a server behind it.
        scope.spawn(|| {
            let text = plays(&answering("502 Bad Gateway", "<html></html>".into()), 2);
            assert!(text.contains("error[server_error]"), "{text}");
        });
        // Nobody listens.
        scope.spawn(|| {
            let text = plays("http://127.0.0.1:9", 2);
            assert!(text.contains("error[no_server]") && text.contains("hint: "), "{text}");
        });
    });
}

#[test]
fn mistakes_are_the_users() {
    let commands: [(&[&str], &str); 4] = [
        (&["play", "no-such-model"], "error[model_unknown]"),
        (&["play", "tree-spam", "--url", "127.0.0.1:8000"], "error[url_invalid]"),
        (&["create", "tree", "--data", "spamm"], "error[data_unknown]"),
        (&["play", "tree-spam", "--no-such-flag"], "--no-such-flag"),
    ];
    for (arguments, expected) in commands {
        let keys = tempfile::tempdir().unwrap();
        let output = fhectl(arguments).env("FHECTL_KEYS", keys.path()).output().unwrap();
        let text = stderr(&output);
        assert!(output.status.code() == Some(1) && text.contains(expected), "{arguments:?}: {text}");
    }
}

/// Runs `play` against a server to the end that is expected and returns stderr.
fn plays(url: &str, exit: i32) -> String {
    let keys = tempfile::tempdir().unwrap();
    let keys = keys.path().to_str().unwrap();
    let output = fhectl(&["play", "tree-spam", "--samples", "1", "--url", url, "--keys", keys]).output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(exit), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

/// The URL of a server that says the same to all requests, for as long as the test runs.
fn answering(status: &str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let length = body.len();
    let reply =
        format!("HTTP/1.1 {status}\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            // No request of a client that was refused has a body.
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = stream.write_all(reply.as_bytes());
        }
    });
    url
}
