//! Row budgets of tokens, and timings that a server reports only where its operator allows it.

mod common;
mod live;
#[path = "common/process.rs"]
mod process;

use fhectl_core::protocol::api::{COMPUTE_HEADER, KEY_ID_HEADER, QUEUE_HEADER};
use fhectl_server::server::TokenSet;
use fhectl_server::store::{KeyStore, Owner};
use live::{Fixture, Live, Reply, ask, text};
use process::{Serving, fhectl, mistake, stderr, stdout, succeed};
use serde_json::{Value, json};
use std::path::Path;

const ALPHA: (&str, &str) = ("authorization", "Bearer alpha-token");
const BETA: (&str, &str) = ("authorization", "Bearer beta-token");

fn serve(model: &Fixture, store: &Path, budget: u64) -> Live {
    Live::start(&[model], store.to_str().unwrap(), |config| {
        config.tokens = Some(TokenSet::parse("alpha-token\nbeta-token").unwrap());
        config.row_budget = Some(budget);
        config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    })
}

/// A batch of one of a model's rows, asked for by a token.
fn infer(live: &Live, model: &Fixture, token: (&str, &str), rows: usize) -> Reply {
    let inputs = model.encrypt(&model.rows(rows));
    live.ask("POST", &model.path("/infer"), &[(KEY_ID_HEADER, &model.key_id()), token], &inputs)
}

/// Batches of these rows until one is refused; how many rows were answered.
fn exhaust(live: &Live, model: &Fixture, rows: usize) -> u64 {
    let mut answered = 0;
    loop {
        let reply = infer(live, model, ALPHA, rows);
        if reply.status != 200 {
            reply.refused(403, "row_budget_spent");
            return answered;
        }
        model.assert_answers(&model.rows(rows), &reply.body);
        answered += rows as u64;
        assert!(answered < 10_000);
    }
}

#[test]
fn servers_of_one_store_spend_one_budget_and_a_restart_does_not_renew_it() {
    // Blocks of 3 rows.
    const BUDGET: u64 = 800;
    let (tiny, store) = (Fixture::tiny(), tempfile::tempdir().unwrap());
    let servers = [serve(&tiny, store.path(), BUDGET), serve(&tiny, store.path(), BUDGET)];
    servers[0].upload_as(&tiny, 1, &[ALPHA]).ok();
    servers[0].upload_as(&tiny, 1, &[BETA]).ok();
    // One after the other, and at the same time.
    for _ in 0..5 {
        servers.iter().for_each(|live| drop(infer(live, &tiny, ALPHA, 1).ok()));
    }
    let inputs = tiny.encrypt(&tiny.rows(7));
    let (path, id) = (tiny.path("/infer"), tiny.key_id());
    std::thread::scope(|scope| {
        for address in [servers[0].address, servers[1].address, servers[0].address, servers[1].address] {
            let (inputs, path, id) = (&inputs, &path, &id);
            scope.spawn(move || {
                for _ in 0..10 {
                    ask(address, "POST", path, &[(KEY_ID_HEADER, id), ALPHA], inputs).ok();
                }
            });
        }
    });
    let mut answered = 5 * 2 + 4 * 10 * 7;

    // Killed: what it had leased and not answered is lost, a block at most, or the longest batch where that is more.
    let [first, second] = servers;
    drop(second);
    let third = serve(&tiny, store.path(), BUDGET);
    answered += exhaust(&third, &tiny, 100);
    answered += exhaust(&first, &tiny, 1) + exhaust(&third, &tiny, 1);
    assert!((BUDGET - 3..=BUDGET).contains(&answered), "{answered} rows of {BUDGET}");

    let fourth = serve(&tiny, store.path(), BUDGET);
    assert_eq!(exhaust(&fourth, &tiny, 1), 0, "a new server has no new budget");
    // Other tokens have their own budgets.
    infer(&fourth, &tiny, BETA, 100).ok();
    // The operator raises it.
    let raised = serve(&tiny, store.path(), BUDGET + 5);
    assert_eq!(exhaust(&raised, &tiny, 1), 5);
}

#[test]
fn a_spent_budget_is_refused_by_name_on_both_forms_and_counted() {
    let (tiny, store) = (Fixture::tiny(), tempfile::tempdir().unwrap());
    let live = serve(&tiny, store.path(), 5);
    live.upload_as(&tiny, 1, &[ALPHA]).ok();
    let endpoint = |request: Value| live.ask("POST", "/", &[ALPHA], request.to_string().as_bytes());
    let saved = endpoint(json!({"method": "save_key", "evaluation_keys": text(&tiny.framed)})).ok().json::<Value>();
    let by_uid = |rows: usize| {
        let inputs = text(&tiny.encrypt(&tiny.rows(rows)));
        endpoint(json!({"method": "inference", "encrypted_inputs": inputs, "uid": saved["uid"]}))
    };
    by_uid(2).ok();
    infer(&live, &tiny, ALPHA, 2).ok();
    // Whole batches or nothing, and a shorter one is still welcome.
    let refused = infer(&live, &tiny, ALPHA, 2);
    refused.refused(403, "row_budget_spent");
    assert!(refused.json::<Value>()["error"]["message"].as_str().unwrap().contains("1 are left"));
    by_uid(1).ok();
    by_uid(1).refused(403, "row_budget_spent");
    infer(&live, &tiny, ALPHA, 1).refused(403, "row_budget_spent");
    let broken = live.ask("POST", &tiny.path("/infer"), &[(KEY_ID_HEADER, &tiny.key_id()), ALPHA], b"FHEq nonsense");
    assert_ne!(broken.status, 403, "what is not computed is not charged");

    let metrics = ask(live.metrics.unwrap(), "GET", "/metrics", &[], b"").ok();
    let metrics = String::from_utf8(metrics.body).unwrap();
    for line in ["fhectl_budget_rows_total{model=\"tiny\"} 5", "fhectl_budget_refusals_total{model=\"tiny\"} 3"] {
        assert!(metrics.lines().any(|own| own == line), "no {line} in\n{metrics}");
    }
    assert!(!metrics.contains(Owner::of_token("alpha-token").as_str()));
}

#[test]
fn nothing_is_answered_beyond_what_was_leased_while_the_store_is_gone() {
    let (tiny, folder) = (Fixture::tiny(), tempfile::tempdir().unwrap());
    let (place, away) = (folder.path().join("store"), folder.path().join("away"));
    // Blocks of 2 rows.
    let live = serve(&tiny, &place, 512);
    live.upload_as(&tiny, 1, &[ALPHA]).ok();
    infer(&live, &tiny, ALPHA, 1).ok();
    std::fs::rename(&place, &away).unwrap();
    std::fs::write(&place, "").unwrap();
    infer(&live, &tiny, ALPHA, 2).refused(503, "store_unavailable");
    infer(&live, &tiny, ALPHA, 1).ok();
    infer(&live, &tiny, ALPHA, 1).refused(503, "store_unavailable");
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&away, &place).unwrap();
    assert_eq!(exhaust(&live, &tiny, 1), 510);
}

#[test]
fn times_are_told_where_the_operator_wants_it() {
    let tiny = Fixture::tiny();
    for told in [false, true] {
        let live = Live::start(&[&tiny], "memory:", |config| config.timing_headers = told);
        live.upload(&tiny, 1).ok();
        let saved = live.endpoint(&json!({"method": "save_key", "evaluation_keys": text(&tiny.framed)})).ok();
        let inputs = tiny.encrypt(&tiny.rows(1));
        let request =
            json!({"method": "inference", "encrypted_inputs": text(&inputs), "uid": saved.json::<Value>()["uid"]});
        for reply in [live.infer(&tiny, &inputs).ok(), live.endpoint(&request).ok()] {
            for name in [QUEUE_HEADER, COMPUTE_HEADER] {
                let value = reply.header(name).map(|text| text.parse::<u64>().unwrap());
                assert_eq!(value.is_some(), told, "{name}");
            }
        }
        // A deadline that cannot be kept is refused without saying what the model takes.
        let headers = [(KEY_ID_HEADER, &tiny.key_id()[..]), ("x-fhectl-deadline-ms", "1")];
        let many = live.ask("POST", &tiny.path("/infer"), &headers, &tiny.encrypt(&tiny.rows(1000)));
        many.refused(503, "deadline");
        let message = many.json::<Value>()["error"]["message"].as_str().unwrap().to_owned();
        assert!(!message.contains(|c: char| c.is_ascii_digit()), "{message}");
        let document = live.get("/v1/openapi.json").ok().json::<Value>();
        for path in ["/v1/models/{name}/infer", "/"] {
            let headers = &document["paths"][path]["post"]["responses"]["200"]["headers"];
            assert!(headers[COMPUTE_HEADER]["description"].as_str().unwrap().contains("--timing-headers"));
            assert_ne!(headers[COMPUTE_HEADER]["required"], true);
        }
    }
}

#[test]
fn play_says_what_a_server_does_not_tell() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (flags, told) in
        [(&["compiled_model/tree-spam"][..], false), (&["compiled_model/tree-spam", "--timing-headers"], true)]
    {
        let server = Serving::start(&folder.path().join("store"), flags);
        let (json, html) = (at("figures.json"), at("report.html"));
        let play = ["play", "tree-spam", "--samples", "3", "--url", &server.url, "--keys", &at("keys")];
        let out = succeed(&[&play[..], &["--export-json", &json, "--report", &html]].concat());
        assert_eq!(out.contains("Compute: not told by the server\n"), !told, "{out}");
        let figures: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        let seconds = &figures["seconds"];
        for stage in ["queue", "compute"] {
            assert_eq!(seconds[stage].is_null(), !told, "{stage}");
        }
        if !told {
            assert_eq!(seconds["network"], seconds["roundtrip"]);
        }
        let report = std::fs::read_to_string(&html).unwrap();
        assert_eq!(report.contains("<h2>Compute"), told);
        assert!(report.contains("<h2>Round trip"));
    }
}

#[test]
fn the_binary_wants_tokens_and_its_operator_lists_and_resets() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (store, tokens, keys) = (at("store"), at("tokens"), at("keys"));
    let without =
        mistake("row_budget_tokens", &["serve", "compiled_model/tree-spam", "--row-budget", "5", "--store", &store]);
    assert!(without.contains("--token-file"), "{without}");
    mistake("check_failed", &["serve", "compiled_model/tree-spam", "--check", "--row-budget", "5", "--store", &store]);
    std::fs::write(&tokens, "alpha-token\n").unwrap();
    let flags = ["compiled_model/tree-spam", "--token-file", &tokens, "--row-budget", "5"];
    let check = succeed(&[&["serve", "--check", "--store", &store], &flags[..]].concat());
    assert!(check.contains("5 rows a token and model"), "{check}");

    let play = |server: &Serving, samples: &str| {
        let command = ["play", "tree-spam", "--url", &server.url, "--keys", &keys, "--samples", samples];
        fhectl(&command).env("FHECTL_TOKEN", "alpha-token").output().unwrap()
    };
    let server = Serving::start(Path::new(&store), &flags);
    assert!(play(&server, "5").status.success());
    let refused = play(&server, "1");
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("error[row_budget_spent]"), "{}", stderr(&refused));
    let owner = Owner::of_token("alpha-token");
    let listed: Value = serde_json::from_str(&succeed(&["budgets", "list", "--json", "--store", &store])).unwrap();
    let budget = &listed["budgets"][0];
    assert_eq!((budget["rows_leased"].as_u64(), budget["owner"].as_str()), (Some(5), Some(owner.as_str())));
    assert_eq!(budget["model"], "tree-spam");
    let shown = succeed(&["budgets", "list", "--store", &store, "--model", "tree-spam"]);
    assert!(shown.contains(&owner.as_str()[..16]) && shown.ends_with("1 budgets in use\n"), "{shown}");

    mistake("budgets_unchosen", &["budgets", "reset", "--store", &store]);
    let none = succeed(&["budgets", "reset", "--store", &store, "--owner", "00000000"]);
    assert_eq!(none, "0 budgets reset\n");
    let reset = succeed(&["budgets", "reset", "--store", &store, "--owner", &owner.as_str()[..8]]);
    assert!(reset.ends_with("1 budgets reset\n"), "{reset}");
    drop(server);
    let server = Serving::start(Path::new(&store), &flags);
    assert!(play(&server, "5").status.success());
    assert!(!play(&server, "1").status.success());
    assert!(stdout(&refused).contains("Storing the key"));
}

#[test]
fn a_server_with_tokens_and_no_budget_warns_once() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "sha256:".to_owned() + &"0a".repeat(32)).unwrap();
    let warned = |flags: &[&str]| {
        let store = folder.path().join("store");
        let mut command = fhectl(&["serve", "compiled_model/tree-spam", "--listen", "127.0.0.1:0", "--store"]);
        let log = folder.path().join("log");
        command.arg(&store).args(flags).stderr(std::fs::File::create(&log).unwrap());
        drop(Serving::of(&mut command).unwrap());
        std::fs::read_to_string(&log).unwrap().matches("no --row-budget").count()
    };
    let tokens = ["--token-file", tokens.to_str().unwrap()];
    assert_eq!(warned(&tokens), 1);
    assert_eq!(warned(&[&tokens[..], &["--row-budget", "7"]].concat()), 0);
    assert_eq!(warned(&[]), 0);
}

#[test]
fn leases_are_in_the_store_and_say_nothing_but_numbers() {
    let (tiny, store) = (Fixture::tiny(), tempfile::tempdir().unwrap());
    let live = serve(&tiny, store.path(), 2560);
    live.upload_as(&tiny, 1, &[ALPHA]).ok();
    for _ in 0..25 {
        infer(&live, &tiny, ALPHA, 1).ok();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listed = runtime.block_on(async {
        KeyStore::open_existing(store.path().to_str().unwrap()).await.unwrap().budgets().await.unwrap()
    });
    assert_eq!((listed[0].rows, listed[0].leases), (30, 3), "a write a block, not a request");
    let namespace = &listed[0].namespace;
    let at = store.path().join(format!("budgets/{}/{}", namespace.model, namespace.owner.as_str()));
    let mut leases: Vec<(String, String)> = std::fs::read_dir(at)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap()))
        .collect();
    leases.sort();
    let expected = [(0, 10), (10, 20), (20, 30)].map(|(before, end)| (format!("{before:020}"), format!("{end}")));
    assert_eq!(leases, expected);
}
