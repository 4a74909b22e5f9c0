//! `fhectl serve` as a process: its log, its check, its tokens.
#![cfg(unix)]

#[path = "common/process.rs"]
mod process;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use process::{fhectl, mistake, run, stdout, succeed};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

fn lines(text: &str) -> (String, String) {
    let mut lines = text.lines().map(str::to_owned);
    (lines.next().unwrap(), lines.next().unwrap())
}

#[test]
fn no_token_key_or_ciphertext_is_in_any_log() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (token, line) = lines(&succeed(&["token", "new"]));
    std::fs::write(at("tokens"), &line).unwrap();
    let (store, tokens, keys) = (at("store"), at("tokens"), at("keys"));
    let mut server = fhectl(&["serve", "compiled_model/tree-spam", "--listen", "127.0.0.1:0", "--log-format", "json"])
        .args(["--store", &store, "--token-file", &tokens])
        .env("FHECTL_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut listening = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut listening).unwrap();
    let url = listening.trim().strip_prefix("listening on ").unwrap();
    let mut log = server.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    let play = |token: &str| {
        let arguments = ["play", "tree-spam", "--samples", "3", "--url", url, "--keys", &keys, "--token", token];
        fhectl(&arguments).output().unwrap()
    };
    assert!(play(&token).status.success());
    let wrong = "fhectl_a_token_that_is_not_known";
    assert!(!play(wrong).status.success());
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    let log = reader.join().unwrap();
    let requests: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |route: &str| {
        requests
            .iter()
            .filter(|line| line["fields"]["message"] == "request" && line["fields"]["route"] == route)
            .count()
    };
    assert_eq!(of("/v1/models/{name}/infer"), 3);
    assert!(requests.iter().any(|line| line["fields"]["status"] == 401));

    let key = std::fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().path());
    let key =
        std::fs::read(key.into_iter().find(|path| path.extension().is_some_and(|e| e == "eval")).unwrap()).unwrap();
    let hash = line.strip_prefix("sha256:").unwrap();
    let body = &key[100..124];
    let hex: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers = body[..8].iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    // The frame's first bytes stand for ciphertexts of any content.
    for secret in
        [&token, wrong, hash, &hex, &numbers, &numbers.replace(' ', ""), &STANDARD.encode(body), "FHEq", "FHEk"]
    {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
    assert!(!log.to_lowercase().contains("bearer"));
}

#[test]
fn a_check_tells_what_is_wrong_without_starting_anything() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (tokens, store, bad) = (at("tokens"), at("store"), at("bad"));
    std::fs::write(&tokens, "a-plain-token\n").unwrap();
    std::fs::write(&bad, "two words\n").unwrap();
    let check = ["serve", "compiled_model/tree-spam", "--check", "--store", &store, "--token-file"];
    let out = succeed(&[&check[..], &[&tokens]].concat());
    assert_eq!(out.lines().filter(|line| line.starts_with("ok ")).count(), 5, "{out}");
    assert!(
        out.contains("tree-spam") && out.contains("1 tokens, 1 of them not hashed") && !out.contains("a-plain"),
        "{out}"
    );

    let wrong = [&check[..], &[&bad, "--tls-cert", &bad, "--tls-key", &bad]].concat();
    let output = run(&wrong);
    assert!(stdout(&output).contains("FAIL  access"), "{}", stdout(&output));
    mistake("check_failed", &wrong);
    let file = at("file");
    std::fs::write(&file, "").unwrap();
    let output = run(&["serve", "nosuch", "--check", "--store", &format!("{file}/store")]);
    let out = stdout(&output);
    assert!(out.contains("FAIL  models") && out.contains("FAIL  store") && out.contains("ok    limits"), "{out}");
}

/// What a committed model's card tells its owner to type is accepted.
#[test]
fn the_cards_command_serves_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let card = std::fs::read_to_string("compiled_model/tree-spam/README.md").unwrap();
    let line = card.lines().find_map(|line| line.strip_prefix("fhectl serve ")).expect("the card has the command");
    let model = line.split("  #").next().unwrap();
    let out = succeed(&["serve", model, "--check", "--store", store.to_str().unwrap()]);
    assert!(out.contains("ok    models   1: tree-spam"), "{out}");
}

#[test]
fn tokens_are_hashed_from_stdin() {
    let (token, line) = lines(&succeed(&["token", "new"]));
    assert!(token.starts_with("fhectl_") && token.len() > 40 && line.starts_with("sha256:"));
    let hash = |text: &str| {
        let mut child = fhectl(&["token", "hash"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    assert_eq!(stdout(&hash(&format!("{token}\n"))).trim(), line);
    assert_eq!(hash("short\n").status.code(), Some(1));
}
