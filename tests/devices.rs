//! A server with computing devices, which are made of the processor and fail as they are told.

mod common;
#[path = "common/fake_device.rs"]
mod fake_device;
mod live;
#[path = "common/until.rs"]
mod until;

use fake_device::{Act, Call, Fake};
use fhectl_core::circuit::{CircuitKind, Reveal};
use fhectl_core::protocol::api::{DEADLINE_HEADER, KEY_ID_HEADER, ModelInfo};
use fhectl_core::protocol::frame::INPUTS_HEADER;
use fhectl_core::server_model::ServerModel;
use fhectl_server::server::{ServeConfig, TokenSet};
use live::{Fixture, Live, Reply, ask};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use until::until;

/// So many clients of one model, each with keys of its own.
fn clients(count: usize) -> Vec<Fixture> {
    clients_of(Fixture::new("leaves", CircuitKind::LeafSum, Reveal::Nothing, 2, 1), count)
}

fn clients_of(first: Fixture, count: usize) -> Vec<Fixture> {
    let bundle = first.bundle.clone();
    let others = (1..count).map(|_| Fixture::with_key(bundle.clone()));
    std::iter::once(first).chain(others).collect()
}

/// A model whose encrypted rows end with bits that stand for nothing.
fn padded() -> Fixture {
    let models = (1..=5).flat_map(|depth| (3..=7).map(move |features| (depth, features)));
    let mut fixtures = models.map(|(depth, features)| {
        Fixture::of_size((features, 8), "leaves", CircuitKind::LeafSum, Reveal::Nothing, depth, 1)
    });
    let is_padded = |fixture: &Fixture| {
        let model = ServerModel::new(fixture.bundle.clone()).unwrap();
        let input = model.evaluator().layered().unwrap().input;
        input.bodies * input.bits as usize % 8 != 0
    };
    fixtures.find(is_padded).expect("words of some model are not whole bytes")
}

fn bootstraps(client: &Fixture) -> usize {
    let model = ServerModel::new(client.bundle.clone()).unwrap();
    model.evaluator().layered().expect("leaf-sum is layers").bootstraps()
}

/// A server with one device that has room for so many keys, and with the keys of all clients.
fn serve(fake: &Arc<Fake>, keys: usize, clients: &[Fixture], adjust: impl FnOnce(&mut ServeConfig)) -> Live {
    let live = Live::start(&[&clients[0]], "memory:", |config| {
        config.devices = vec![fake.device("fake:0", keys)];
        config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
        // What a busy machine takes is no hang.
        config.launch_limit = Duration::from_secs(120);
        adjust(config);
    });
    for client in clients {
        live.upload(client, 1).ok();
    }
    live
}

/// The value of a metric's first line that has this label.
fn metric(live: &Live, name: &str, label: &str) -> f64 {
    let text = String::from_utf8(ask(live.metrics.unwrap(), "GET", "/metrics", &[], b"").ok().body).unwrap();
    let is =
        |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label);
    text.lines().find(is).map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

fn missed(live: &Live, reason: &str) -> f64 {
    metric(live, "fhectl_device_missed_rows_total", reason)
}

fn waits(live: &Live, jobs: usize) {
    until("requests wait", || metric(live, "fhectl_queue_depth", "") == jobs as f64);
}

/// Asks for rows, and looks whether the answers are those of the clear model.
#[track_caller]
fn right(live: &Live, client: &Fixture, count: usize) {
    let rows = client.rows(count);
    client.assert_answers(&rows, &live.infer(client, &client.encrypt(&rows)).ok().body);
}

fn computed_on(live: &Live) -> String {
    live.get("/v1/models/leaves").ok().json::<ModelInfo>().computed_on.unwrap()
}

/// Holds the device, with a launch of one row of `client` in each of its two lanes.
fn occupy<'s, 'e>(scope: &'s thread::Scope<'s, 'e>, fake: &Fake, live: &'e Live, client: &'e Fixture) {
    fake.hold();
    let before = fake.launches().len();
    for lane in 1..=2 {
        scope.spawn(move || right(live, client, 1));
        until("a launch begins", || fake.launches().len() == before + lane);
    }
}

#[test]
fn rows_of_many_clients_go_together_and_answers_are_exact() {
    let (fake, clients) = (Fake::well(), clients(17));
    let live = serve(&fake, 32, &clients, |_| {});
    assert_eq!(computed_on(&live), "fake:0 (made for tests)");
    let mut launches = 0;
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
fn keys_on_the_device_are_bounded_and_go_with_the_hosts() {
    let (fake, clients) = (Fake::well(), clients(4));
    let live = serve(&fake, 2, &clients, |_| {});
    for (client, loads) in [(0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (1, 4), (3, 5)] {
        right(&live, &clients[client], 1);
        assert_eq!(fake.loads(), loads, "client {client}");
    }
    // The least recently used went: 1 and 3 are left.
    assert_eq!((fake.alive(), fake.most_alive()), (2, 2));
    assert_eq!(live.ask("DELETE", &clients[3].key_path(""), &[], b"").status, 204);
    until("it is gone", || fake.alive() == 1);
    live.infer(&clients[3], &clients[3].encrypt(&clients[3].rows(1))).refused(404, "key_unknown");
    assert_eq!(metric(&live, "fhectl_device_keys", "fake:0"), 1.0);
    live.upload(&clients[3], 1).ok();
    right(&live, &clients[3], 1);
    assert_eq!((fake.alive(), fake.loads()), (2, 6));
    assert_eq!(missed(&live, "memory"), 0.0);
}

#[test]
fn the_hosts_cache_evicts_for_the_device_too() {
    let (fake, clients) = (Fake::well(), clients(3));
    let circuit = &clients[0].bundle.spec.circuit;
    let one = clients[0].framed.len() + circuit.unpacked_key_bytes();
    let live = serve(&fake, 8, &clients, |config| config.cache_bytes = 2 * one as u64 + (64 << 10));
    for client in clients.iter().chain(&clients) {
        right(&live, client, 1);
        until("no more than the host has", || fake.alive() <= 2);
    }
    assert_eq!(metric(&live, "fhectl_keys_cached", ""), 2.0, "framed keys are counted");
}

#[test]
fn where_all_keys_are_in_use_the_processor_computes() {
    let (fake, clients) = (Fake::well(), clients(2));
    let live = serve(&fake, 1, &clients, |_| {});
    thread::scope(|scope| {
        fake.hold();
        scope.spawn(|| right(&live, &clients[0], 1));
        until("a key is in use", || fake.launches().len() == 1);
        right(&live, &clients[1], 3);
        assert_eq!((missed(&live, "memory"), fake.most_alive()), (3.0, 1));
        fake.go_on();
    });
    right(&live, &clients[1], 1);
    assert_eq!((fake.most_alive(), fake.launches().len()), (1, 2), "there is room again");
}

#[test]
fn a_launch_that_fails_is_computed_by_the_processor_and_the_device_comes_back() {
    let clients = clients(2);
    for act in [Act::Fail, Act::Panic, Act::Hang] {
        let fake = Fake::new(move |call| if call == Call::Launch(2) { act } else { Act::Work });
        let live = serve(&fake, 8, &clients, |config| {
            if act == Act::Hang {
                config.launch_limit = Duration::from_secs(3);
            }
        });
        right(&live, &clients[0], 2);
        right(&live, &clients[1], 2);
        right(&live, &clients[0], 3);
        assert_eq!(missed(&live, "failed"), 3.0, "{act:?}");
        until("it is opened again", || fake.opened() == 2 && metric(&live, "fhectl_device_up", "") == 1.0);
        assert_eq!(computed_on(&live), "fake:0 (made for tests)");
        right(&live, &clients[0], 1);
        assert_eq!((fake.launches().len(), fake.loads()), (4, 3), "{act:?}: its keys were forgotten");
        fake.release();
        until("what hung lets go", || fake.alive() == 1);
        right(&live, &clients[1], 1);
    }
}

#[test]
fn a_device_that_stays_away_is_not_missed() {
    let clients = clients(2);
    let fake = Fake::new(|call| match call {
        Call::Open(0) | Call::Load(_) => Act::Work,
        Call::Open(_) | Call::Launch(_) => Act::Fail,
    });
    let live = serve(&fake, 8, &clients, |_| {});
    right(&live, &clients[0], 2);
    assert_eq!((computed_on(&live).as_str(), metric(&live, "fhectl_device_up", "")), ("cpu", 0.0));
    for client in clients.iter().chain(&clients) {
        right(&live, client, 1);
    }
    assert_eq!((fake.launches().len(), missed(&live, "failed")), (1, 2.0));
    until("it is tried again", || fake.opened() >= 2);
    right(&live, &clients[1], 1);
    assert_eq!(fake.alive(), 0);
}

#[test]
fn a_key_that_cannot_be_loaded_is_a_failure_and_a_full_device_is_none() {
    let clients = clients(2);
    let fake = Fake::new(|call| if call == Call::Load(1) { Act::Full } else { Act::Work });
    let live = serve(&fake, 8, &clients, |_| {});
    right(&live, &clients[0], 1);
    right(&live, &clients[1], 1);
    assert_eq!((fake.loads(), fake.alive(), missed(&live, "memory")), (3, 1, 0.0), "one went, and it worked");

    let fake = Fake::new(|call| if matches!(call, Call::Load(_)) { Act::Full } else { Act::Work });
    let live = serve(&fake, 8, &clients, |_| {});
    right(&live, &clients[0], 2);
    assert_eq!((missed(&live, "memory"), metric(&live, "fhectl_device_up", "")), (2.0, 1.0));

    let fake = Fake::new(|call| if call == Call::Load(0) { Act::Fail } else { Act::Work });
    let live = serve(&fake, 8, &clients, |_| {});
    right(&live, &clients[0], 2);
    assert_eq!((missed(&live, "failed"), fake.launches().len()), (2.0, 0));
    until("it is opened again", || fake.opened() == 2 && metric(&live, "fhectl_device_up", "") == 1.0);
    right(&live, &clients[0], 2);
    assert_eq!(fake.launches().len(), 1);

    // Memory that computing lacks is no failure either.
    let fake = Fake::new(|call| if call == Call::Launch(0) { Act::Full } else { Act::Work });
    let live = serve(&fake, 8, &clients, |_| {});
    right(&live, &clients[0], 2);
    right(&live, &clients[0], 2);
    assert_eq!((missed(&live, "memory"), fake.opened(), fake.launches().len()), (2.0, 1, 2));
}

#[test]
fn a_client_hears_of_a_failure_only_where_the_processor_is_busy_too() {
    let clients = clients(8);
    let fake = Fake::new(|call| if matches!(call, Call::Launch(_)) { Act::Fail } else { Act::Work });
    const ROWS: usize = 20;
    // A device is taken to be much faster: it accepts all, and the processor no second one.
    let seconds = ROWS as f64 * clients[0].bundle.spec.circuit.row_seconds();
    let live = serve(&fake, 8, &clients, |config| {
        (config.threads, config.max_queue) = (1, 64);
        config.max_backlog = Duration::from_secs_f64(seconds / 4.0);
        config.gather = Duration::from_secs(2);
    });
    let replies: Vec<(Vec<Vec<u32>>, Reply)> = thread::scope(|scope| {
        let asked = clients.iter().map(|client| {
            let live = &live;
            scope.spawn(move || {
                let rows = client.rows(ROWS);
                let reply = live.infer(client, &client.encrypt(&rows));
                (rows, reply)
            })
        });
        asked.collect::<Vec<_>>().into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let mut counts = [0; 2];
    for (client, (rows, reply)) in clients.iter().zip(replies) {
        match reply.status {
            200 => client.assert_answers(&rows, &reply.body),
            _ => reply.refused(503, "device_failed"),
        }
        counts[0] += usize::from(reply.status == 200);
        counts[1] += usize::from(reply.status != 200);
    }
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
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
fn a_server_stops_while_a_launch_hangs() {
    let clients = clients(1);
    let fake = Fake::new(|call| if matches!(call, Call::Launch(_)) { Act::Hang } else { Act::Work });
    let mut live = serve(&fake, 8, &clients, |config| {
        config.launch_limit = Duration::from_secs(3600);
        config.timeouts.drain = Duration::from_millis(300);
    });
    let address = live.address;
    let (inputs, path, id) = (clients[0].encrypt(&clients[0].rows(1)), clients[0].path("/infer"), clients[0].key_id());
    let asked = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: test\r\n{KEY_ID_HEADER}: {id}\r\ncontent-length: {}\r\n\r\n",
            inputs.len()
        )
        .unwrap();
        stream.write_all(&inputs).unwrap();
        live::read_reply(&mut stream).is_none()
    });
    until("it hangs", || fake.launches().len() == 1);
    let begun = Instant::now();
    live.stop();
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert!(asked.join().unwrap(), "nothing was answered");

    // One that is given up in time is answered while the server drains.
    let fake = Fake::new(|call| if matches!(call, Call::Launch(_)) { Act::Hang } else { Act::Work });
    let mut live = serve(&fake, 8, &clients, |config| config.launch_limit = Duration::from_secs(1));
    let address = live.address;
    let rows = clients[0].rows(2);
    let (inputs, path, id) = (clients[0].encrypt(&rows), clients[0].path("/infer"), clients[0].key_id());
    let asked = thread::spawn(move || ask(address, "POST", &path, &[(KEY_ID_HEADER, &id)], &inputs).ok());
    until("it hangs", || fake.launches().len() == 1);
    live.stop();
    clients[0].assert_answers(&rows, &asked.join().unwrap().body);
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
fn a_key_stays_on_one_of_several_devices() {
    let (fakes, clients) = ([Fake::well(), Fake::well()], clients(6));
    let live = Live::start(&[&clients[0]], "memory:", |config| {
        config.devices = vec![fakes[0].device("fake:0", 8), fakes[1].device("fake:1", 6)];
    });
    assert_eq!(computed_on(&live), "fake:0 (made for tests), fake:1 (made for tests)");
    for _ in 0..3 {
        for client in &clients {
            live.upload(client, 1).ok();
            right(&live, client, 1);
        }
    }
    assert_eq!(fakes.each_ref().map(|fake| (fake.loads(), fake.alive())), [(4, 4), (2, 2)]);
    assert_eq!(fakes.each_ref().map(|fake| fake.rows()), [12, 6]);
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
fn nothing_is_wrong_or_lost_under_load_and_random_faults() {
    let clients = clients(5);
    let plan = |seed: u8| {
        let mut random = common::random(seed);
        move |call: Call| match (call, random.below(100)) {
            (Call::Open(0), _) => Act::Work,
            (Call::Open(_), 0..30) | (Call::Load(_), 0..3) | (Call::Launch(_), 0..3) => Act::Fail,
            (Call::Load(_), 3..30) | (Call::Launch(_), 3..8) => Act::Full,
            (Call::Load(_), 30..32) | (Call::Launch(_), 8..10) => Act::Panic,
            (Call::Launch(_), 10) => Act::Hang,
            _ => Act::Work,
        }
    };
    let fakes = [Fake::new(plan(1)), Fake::new(plan(2))];
    let each = bootstraps(&clients[0]);
    let live = Live::start(&[&clients[0]], "memory:", |config| {
        config.devices = vec![fakes[0].device("fake:0", 2), fakes[1].device("fake:1", 1)];
        config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
        config.launch_bootstraps = 6 * each;
        config.launch_limit = Duration::from_secs(2);
        config.max_backlog = Duration::from_secs(3600);
        config.max_queue = 1000;
    });
    clients.iter().for_each(|client| drop(live.upload(client, 1).ok()));
    let (end, answered) = (Instant::now() + Duration::from_secs(12), AtomicUsize::new(0));
    thread::scope(|scope| {
        for (index, client) in clients.iter().chain(&clients).enumerate() {
            let (live, answered) = (&live, &answered);
            scope.spawn(move || {
                let mut random = common::random(100 + index as u8);
                while Instant::now() < end {
                    let count = 1 + random.below(10) as usize;
                    right(live, client, count);
                    answered.fetch_add(count, Ordering::Relaxed);
                }
            });
        }
    });
    let answered = answered.into_inner() as f64;
    assert_eq!(metric(&live, "fhectl_rows_total", "leaves"), answered);
    let missed: f64 = ["down", "failed", "memory", "refused"].iter().map(|reason| missed(&live, reason)).sum();
    assert!(missed > 0.0 && missed < answered, "{missed} of {answered}");
    assert!(fakes.iter().all(|fake| fake.opened() > 1 && fake.rows() > 0));
    println!("{answered} rows, {missed} by the processor, opened {:?}", fakes.each_ref().map(|fake| fake.opened()));
    fakes.iter().for_each(|fake| fake.release());
    until("no request is left", || metric(&live, "fhectl_queue_depth", "") == 0.0);
}
