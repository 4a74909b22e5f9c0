//! Keys in the memory of devices.

use crate::fake::Fake;
use crate::live::Live;
use crate::served::{clients, computed_on, metric, missed, right, serve};
use crate::until::until;
use std::thread;

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
