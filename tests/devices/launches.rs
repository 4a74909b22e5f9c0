//! Rows of many clients in one launch: who goes together, who waits, who is charged.

use crate::fake::{Act, Call, Fake};
use crate::live::{Live, Reply};
use crate::served::{
    bootstraps, clients, clients_of, computed_on, metric, missed, occupy, padded, right, serve, waits,
};
use crate::until::until;
use fhectl_core::protocol::api::{DEADLINE_HEADER, KEY_ID_HEADER};
use fhectl_core::protocol::frame::INPUTS_HEADER;
use fhectl_server::server::TokenSet;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

#[test]
fn rows_of_many_clients_go_together_and_answers_are_exact() {
    let (fake, clients) = (Fake::well(), clients(17));
    let live = serve(&fake, 32, &clients, |_| {});
    assert_eq!(computed_on(&live), "fake:0 (made for tests)");
    // Keys are on the device: of those that are not, few are loaded for one launch.
    clients.iter().for_each(|client| right(&live, client, 1));
    let mut launches = clients.len();
    for together in [2, 16] {
        thread::scope(|scope| {
            occupy(scope, &fake, &live, &clients[16]);
            for (index, client) in clients[..together].iter().enumerate() {
                scope.spawn({
                    let live = &live;
                    move || right(live, client, 1 + index % 3)
                });
            }
            waits(&live, together);
            fake.go_on();
        });
        let launch = fake.launches()[launches + 2].clone();
        let rows: usize = launch.iter().map(|(_, rows)| rows).sum();
        assert_eq!((launch.len(), rows), (together, (0..together).map(|index| 1 + index % 3).sum()));
        launches += 3;
        assert_eq!(fake.launches().len(), launches);
    }
    assert_eq!((fake.loads(), fake.alive()), (17, 17), "each key once");
    assert_eq!(metric(&live, "fhectl_device_launches_total", "fake:0"), launches as f64);
    assert_eq!(metric(&live, "fhectl_device_launch_rows_sum", "fake:0"), fake.rows() as f64);
    assert_eq!(metric(&live, "fhectl_device_keys", "fake:0"), 17.0);
    assert_eq!(metric(&live, "fhectl_device_key_bytes", "fake:0"), 17.0);
    assert_eq!(metric(&live, "fhectl_device_up", "fake:0"), 1.0);
    for reason in ["down", "failed", "memory", "refused"] {
        assert_eq!(missed(&live, reason), 0.0);
    }
}

#[test]
fn rows_wait_for_others_as_long_as_they_are_told() {
    let (fake, clients) = (Fake::well(), clients(2));
    let live = serve(&fake, 8, &clients, |config| config.gather = Duration::from_secs(3));
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| right(&live, client, 2));
        }
    });
    assert_eq!(fake.launches().iter().map(Vec::len).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_long_batch_delays_single_rows_by_launches_and_not_by_its_length() {
    let (fake, clients) = (Fake::well(), clients(2));
    let each = bootstraps(&clients[0]);
    let live = serve(&fake, 8, &clients, |config| config.launch_bootstraps = 4 * each);
    const LONG: usize = 200;
    // Loading takes a while, in which the other lane goes on.
    clients.iter().for_each(|client| right(&live, client, 1));
    thread::scope(|scope| {
        fake.hold();
        scope.spawn(|| right(&live, &clients[0], LONG));
        until("both lanes are taken", || fake.launches().len() == 4);
        let asked = scope.spawn(|| right(&live, &clients[1], 1));
        waits(&live, 2);
        fake.go_on();
        asked.join().unwrap();
        // Of two lanes either may be first to say what it has begun.
        let first = fake.launches().iter().position(|launch| launch.len() == 2).expect("the row went with others");
        assert!((4..=5).contains(&first), "launch {first}");
        for _ in 0..5 {
            let before = fake.launches().len();
            right(&live, &clients[1], 1);
            let own = fake.launches()[before..].iter().position(|launch| launch.iter().any(|(key, _)| *key == 1));
            assert!(own.unwrap() <= 4, "{own:?} launches passed");
        }
    });
    assert!(fake.launches().iter().flatten().all(|(_, rows)| *rows <= 4));
    assert_eq!(fake.rows(), LONG + 8);
}

#[test]
fn rows_whose_time_is_over_or_whose_client_has_gone_are_not_launched() {
    let (fake, clients) = (Fake::well(), clients(3));
    let live = serve(&fake, 8, &clients, |_| {});
    thread::scope(|scope| {
        occupy(scope, &fake, &live, &clients[0]);
        let inputs = clients[1].encrypt(&clients[1].rows(2));
        let headers = [(KEY_ID_HEADER, &*clients[1].key_id()), (DEADLINE_HEADER, "300")];
        live.ask("POST", &clients[1].path("/infer"), &headers, &inputs).refused(503, "deadline");
        waits(&live, 0);

        let mut gone = TcpStream::connect(live.address).unwrap();
        let (path, id) = (clients[2].path("/infer"), clients[2].key_id());
        let inputs = clients[2].encrypt(&clients[2].rows(2));
        write!(
            gone,
            "POST {path} HTTP/1.1\r\nhost: test\r\n{KEY_ID_HEADER}: {id}\r\ncontent-length: {}\r\n\r\n",
            inputs.len()
        )
        .unwrap();
        gone.write_all(&inputs).unwrap();
        waits(&live, 1);
        drop(gone);
        waits(&live, 0);
        fake.go_on();
    });
    right(&live, &clients[1], 1);
    assert_eq!(fake.launches().len(), 3);
    assert_eq!(fake.loads(), 2, "the key of the client that went was not needed");
}

#[test]
fn what_is_wrong_with_one_clients_rows_is_its_own_trouble() {
    let (fake, clients) = (Fake::well(), clients_of(padded(), 3));
    let live = serve(&fake, 8, &clients, |_| {});
    // Padding bits that are set.
    let mut inputs = clients[0].encrypt(&clients[0].rows(3));
    let each = (inputs.len() - INPUTS_HEADER) / 3;
    inputs[INPUTS_HEADER + 2 * each - 1] |= 0x80;
    let plain = Live::plain(&[&clients[0]]);
    plain.upload(&clients[0], 1).ok();
    let verdict = plain.infer(&clients[0], &inputs);
    thread::scope(|scope| {
        occupy(scope, &fake, &live, &clients[2]);
        let asked = scope.spawn(|| live.infer(&clients[0], &inputs));
        scope.spawn(|| right(&live, &clients[1], 3));
        waits(&live, 2);
        fake.go_on();
        let reply = asked.join().unwrap();
        reply.refused(422, "ciphertext_invalid");
        let said = |reply: &Reply| reply.json::<serde_json::Value>()["error"].clone();
        assert_eq!(said(&reply), said(&verdict), "as without a device");
    });
    assert_eq!(missed(&live, "refused"), 3.0);
    right(&live, &clients[0], 1);
    assert_eq!(fake.opened(), 1);
}

#[test]
fn rows_are_charged_once_whoever_computes_them() {
    let clients = clients(1);
    let fake = Fake::new(|call| if call == Call::Launch(1) { Act::Fail } else { Act::Work });
    let token = "a-token-of-enough-length";
    let live = Live::start(&[&clients[0]], "memory:", |config| {
        config.devices = vec![fake.device("fake:0", 8)];
        config.tokens = Some(TokenSet::parse(token).unwrap());
        config.row_budget = Some(10);
    });
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), (KEY_ID_HEADER, &clients[0].key_id())];
    live.upload_as(&clients[0], 1, &headers[..1]).ok();
    let infer = |count: usize| {
        let rows = clients[0].rows(count);
        let reply = live.ask("POST", &clients[0].path("/infer"), &headers, &clients[0].encrypt(&rows));
        if reply.status == 200 {
            clients[0].assert_answers(&rows, &reply.body);
        }
        reply
    };
    infer(4).ok();
    infer(4).ok();
    assert_eq!(fake.launches().len(), 2, "the second failed");
    infer(3).refused(403, "row_budget_spent");
    infer(2).ok();
    infer(1).refused(403, "row_budget_spent");
}

#[test]
fn rows_whose_key_is_on_the_device_do_not_wait_for_others_to_be_loaded() {
    const KEYS: usize = 12;
    const TOKENS: [&str; 2] = ["a-token-of-enough-length", "b-token-of-enough-length"];
    let clients = clients(KEYS + 1);
    let fake = Fake::new(|call| {
        if matches!(call, Call::Load(_)) {
            thread::sleep(Duration::from_millis(200));
        }
        Act::Work
    });
    let live = Live::start(&[&clients[0]], "memory:", |config| {
        config.devices = vec![fake.device("fake:0", KEYS + 1)];
        config.tokens = Some(TokenSet::parse(&TOKENS.join("\n")).unwrap());
        config.launch_limit = Duration::from_secs(120);
        config.gather = Duration::from_secs(1);
        config.max_backlog = Duration::from_secs(3600);
    });
    let bearer = |index: usize| format!("Bearer {}", TOKENS[usize::from(index == 0)]);
    let ask = |index: usize| {
        let (client, bearer) = (&clients[index], bearer(index));
        let headers = [("authorization", bearer.as_str()), (KEY_ID_HEADER, &client.key_id())];
        let rows = client.rows(1);
        let answer = live.ask("POST", &client.path("/infer"), &headers, &client.encrypt(&rows)).ok();
        client.assert_answers(&rows, &answer.body);
    };
    for (index, client) in clients.iter().enumerate() {
        live.upload_as(client, 1, &[("authorization", &bearer(index))]).ok();
    }
    ask(0);
    assert_eq!(fake.loads(), 1);
    thread::scope(|scope| {
        for index in 1..=KEYS {
            scope.spawn(move || ask(index));
        }
        ask(0);
        assert!(fake.loads() < 1 + KEYS, "all keys of the other token were loaded first");
    });
    assert_eq!(fake.loads(), 1 + KEYS);
}
