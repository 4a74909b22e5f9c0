//! Devices that fail, hang and come back: nothing is wrong, and nothing is lost.

use crate::common;
use crate::fake::{Act, Call, Fake};
use crate::live::{Live, Reply, ask, read_reply};
use crate::served::{bootstraps, clients, computed_on, metric, missed, right, serve};
use crate::until::until;
use fhectl_core::protocol::api::KEY_ID_HEADER;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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
    assert_eq!((fake.launches().len(), missed(&live, "failed"), missed(&live, "down")), (1, 2.0, 4.0));
    until("it is tried again", || fake.opened() >= 2);
    right(&live, &clients[1], 1);
    assert_eq!(fake.alive(), 0);
}

#[test]
fn a_server_starts_without_a_device_that_is_optional() {
    let clients = clients(1);
    let broken = || Fake::new(|call| if call == Call::Open(0) { Act::Fail } else { Act::Work });
    let fakes = [broken(), Fake::well()];
    let live = serve(&fakes[0], 8, &clients, |config| {
        config.devices = vec![fakes[0].optional_device("fake:0", 8), fakes[1].optional_device("fake:1", 8)];
    });
    right(&live, &clients[0], 2);
    assert_eq!((computed_on(&live).as_str(), fakes[1].rows()), ("fake:1 (made for tests)", 2));

    let live = serve(&fakes[0], 8, &clients, |config| config.devices = vec![broken().optional_device("fake:0", 8)]);
    right(&live, &clients[0], 2);
    assert_eq!((computed_on(&live).as_str(), missed(&live, "down")), ("cpu", 0.0));
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

    // Memory that computing lacks is no failure either; keys that wait go for it.
    let fake = Fake::new(|call| if call == Call::Launch(2) { Act::Full } else { Act::Work });
    let live = serve(&fake, 8, &clients, |_| {});
    right(&live, &clients[0], 1);
    right(&live, &clients[1], 1);
    right(&live, &clients[0], 2);
    assert_eq!((fake.launches().len(), fake.alive(), missed(&live, "memory")), (4, 1, 0.0));
    right(&live, &clients[1], 1);
    assert_eq!((fake.loads(), fake.opened()), (3, 1));

    let full = |call| matches!(call, Call::Launch(0 | 1));
    let fake = Fake::new(move |call| if full(call) { Act::Full } else { Act::Work });
    let live = serve(&fake, 8, &clients, |_| {});
    right(&live, &clients[0], 2);
    right(&live, &clients[0], 2);
    assert_eq!(
        (missed(&live, "memory"), fake.opened(), fake.launches().len()),
        (2.0, 1, 3),
        "another try helped nothing"
    );
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
        read_reply(&mut stream).is_none()
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
