//! Servers behind nginx that share an S3 store, as real processes: what clients see while servers are killed and the store is
//! down. `scripts/cluster.sh` installs nginx and the S3 server and runs these tests.
#![cfg(unix)]

mod client;
mod cluster;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/s3_server.rs"]
mod s3_server;

use client::{Client, Counts, Model};
use cluster::Cluster;
use fhectl_core::client::ClientKeys;
use fhectl_core::fhe::{Random, Seed};
use process::{Serving, succeed};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const MODELS: [&str; 2] = ["compiled_model/tree-spam", "compiled_model/tree-spam-leaf-sum"];
const CLIENTS: usize = 16;

#[test]
#[ignore = "wants nginx and an S3 server: scripts/cluster.sh"]
fn play_goes_through_the_proxy_and_a_key_stays_on_its_server() {
    let cluster = Cluster::start(2, &MODELS);
    let rings: Vec<_> = (0..6).map(|_| tempfile::tempdir().unwrap()).collect();
    let play = |ring: usize, model: &str, rows: &str| {
        let keys = rings[ring].path().to_str().unwrap();
        let said = succeed(&["play", model, "--url", &cluster.proxy.url, "--keys", keys, "--samples", rows]);
        assert!(said.contains("Agreement with the clear quantised model: 100.00 %"), "{said}");
        said
    };
    println!("{}", play(0, "tree-spam", "691"));
    for ring in 1..6 {
        play(ring, "tree-spam", "20");
    }
    play(0, "tree-spam-leaf-sum", "20");

    let mut servers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in cluster.proxy.log().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let uri = line["uri"].as_str().unwrap();
        if let Some((_, id)) = uri.split_once("/keys/") {
            let id = id.split('/').next().unwrap().to_owned();
            servers.entry(id).or_default().insert(line["upstream"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(servers.len(), 7, "{servers:?}");
    assert!(servers.values().all(|of_key| of_key.len() == 1), "{servers:?}");

    // Whichever server had the key, the other goes on with it.
    for replica in &cluster.replicas {
        replica.kill();
        play(0, "tree-spam", "20");
        play(0, "tree-spam-leaf-sum", "5");
        assert!(replica.start());
        // nginx leaves a server that failed alone for five seconds.
        sleep(Duration::from_secs(6));
    }
}

/// `FHECTL_SOAK_SECONDS` (120 unless said otherwise) of clients with their own keys, which also bring new ones, while
/// one server after the other is killed and the store is stopped once for 20 seconds.
#[test]
#[ignore = "minutes; wants nginx and an S3 server: scripts/cluster.sh"]
fn answers_stay_right_while_servers_die_and_the_store_goes_away() {
    let seconds = std::env::var("FHECTL_SOAK_SECONDS").map_or(120, |text| text.parse().expect("seconds"));
    let length = Duration::from_secs(seconds);
    let between = Duration::from_secs(if seconds >= 600 { 60 } else { 20 });
    let cluster = Cluster::start(2, &MODELS);
    let models = ["tree-spam", "tree-spam-leaf-sum"].map(Model::committed);
    let counts = Mutex::new(Counts::default());
    let kills = AtomicUsize::new(0);
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    let end = begun + length;

    let kept: Vec<(usize, Vec<ClientKeys>)> = thread::scope(|scope| {
        scope.spawn(|| {
            // The store goes while everything is under way, and not at the moment of a kill.
            sleep(length.mul_f64(0.45));
            cluster.s3.lock().unwrap().stop();
            sleep(Duration::from_secs(20));
            cluster.s3.lock().unwrap().resume();
        });
        scope.spawn(|| {
            for replica in cluster.replicas.iter().cycle() {
                let next = Instant::now() + between;
                while Instant::now() < next {
                    sleep(Duration::from_millis(50));
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                }
                replica.kill();
                kills.fetch_add(1, Ordering::SeqCst);
                sleep(Duration::from_secs(1));
                while !replica.start() {
                    sleep(Duration::from_millis(500));
                }
            }
        });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|index| {
                let (cluster, models, counts) = (&cluster, &models, &counts);
                scope.spawn(move || {
                    let model = &models[index % models.len()];
                    let mut client = Client::new(model, counts, Random::new(Seed([index as u8; 16])));
                    let (mut kept, mut next) = (Vec::new(), Instant::now());
                    while Instant::now() < end {
                        // A new key now and then: uploads are under way at any time.
                        if Instant::now() >= next {
                            let keys = model.new_keys();
                            client.upload(&cluster.proxy.url, &keys);
                            kept.push(keys);
                            next = Instant::now() + Duration::from_secs(7 + index as u64);
                        }
                        let keys = &kept[client.pick(kept.len())];
                        client.infer(&cluster.proxy.url, keys, end + Duration::from_secs(60));
                    }
                    (index % models.len(), kept)
                })
            })
            .collect();
        let kept = clients.into_iter().map(|client| client.join().unwrap()).collect();
        over.store(true, Ordering::SeqCst);
        kept
    });

    // Every key that any client ever completed, on every server: those that never saw it read it from the store.
    let mut checked = 0;
    for (model, keys) in &kept {
        let mut client = Client::new(&models[*model], &counts, Random::new(Seed([99; 16])));
        for keys in keys {
            for replica in &cluster.replicas {
                assert!(client.infer(&replica.url(), keys, Instant::now() + Duration::from_secs(30)));
                checked += 1;
            }
        }
    }

    let mut counts = counts.into_inner().unwrap();
    counts.seconds.sort_by(f64::total_cmp);
    let at = |part: f64| counts.seconds[((counts.seconds.len() - 1) as f64 * part) as usize] * 1e3;
    println!("{seconds} s, {CLIENTS} clients, {} kills, one outage of the store of 20 s", kills.load(Ordering::SeqCst));
    println!("right answers: {}, wrong: {}", counts.right, counts.wrong);
    println!("told to come back: {:?}; connections that broke: {}", counts.later, counts.broken);
    println!("uploads: {} of {} parts, parts sent again: {}", counts.uploads, counts.parts, counts.started_over);
    println!("keys lost: {}; {checked} looks at keys afterward, on each server", counts.lost);
    println!("answers took: median {:.1} ms, 95 % {:.1} ms, longest {:.1} ms", at(0.5), at(0.95), at(1.0));
    println!("anything else: {:?}", counts.unclean);
    assert!(counts.right > 100 && kills.load(Ordering::SeqCst) > 1);
    assert!(counts.later.contains_key("store_unavailable"), "the outage was not felt");
    assert_eq!((counts.wrong, counts.lost, counts.started_over), (0, 0, 0));
    assert!(counts.unclean.is_empty());
    // A reply that was on its way when its server died is cut off; the proxy hides all else.
    assert!(counts.broken <= CLIENTS * kills.load(Ordering::SeqCst), "{}", counts.broken);
}

/// The most memory that a process ever had, in MiB.
#[cfg(target_os = "linux")]
fn peak_mebibytes(serving: &Serving) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// 400 keys, of which only some fit, and 32 clients that ask with any of them at once.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "a minute: scripts/cluster.sh memory"]
fn memory_stays_within_a_gibibyte_whatever_is_asked() {
    const KEYS: usize = 200;
    const ASKING: usize = 32;
    let folder = tempfile::tempdir().unwrap();
    let bounds = ["--cache-size", "512MiB", "--body-memory", "256MiB"];
    let serving = Serving::start(folder.path(), &[&MODELS[..], &bounds].concat());
    let models = ["tree-spam", "tree-spam-leaf-sum"].map(Model::committed);
    let counts = Mutex::new(Counts::default());
    let next = AtomicUsize::new(0);
    let keys = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::SeqCst) < KEYS {
                    for model in &models {
                        let own = model.new_keys();
                        Client::new(model, &counts, Random::new(Seed([0; 16]))).upload(&serving.url, &own);
                        keys.lock().unwrap().push((model, own));
                    }
                }
            });
        }
    });
    let registered = peak_mebibytes(&serving);
    let keys = keys.into_inner().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    thread::scope(|scope| {
        for index in 0..ASKING {
            let (keys, counts, serving) = (&keys, &counts, &serving);
            scope.spawn(move || {
                let mut at = index * keys.len() / ASKING;
                while Instant::now() < end {
                    at = (at + 7) % keys.len();
                    let (model, own) = &keys[at];
                    let mut client = Client::new(model, counts, Random::new(Seed([index as u8; 16])));
                    client.infer(&serving.url, own, end);
                }
            });
        }
    });
    let peak = peak_mebibytes(&serving);
    let counts = counts.into_inner().unwrap();
    println!(
        "peak RSS {registered:.0} MiB after {} keys, {peak:.0} MiB after {} answers to {ASKING} clients at once; told \
         to come back: {:?}",
        counts.uploads, counts.right, counts.later
    );
    assert_eq!((counts.uploads, counts.wrong, counts.lost), (2 * KEYS, 0, 0));
    assert!(counts.unclean.is_empty() && counts.right > ASKING, "{counts:?}");
    assert!(peak < 1024.0, "{peak} MiB");
}
