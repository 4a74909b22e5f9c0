//! The overhead of a server beyond computing: the latency of one client, and the throughput of eight clients compared with the
//! computing pool alone.
//!
//! `cargo bench -p fhectl-bench --bench serving`: loopback, connections kept alive, requests encrypted beforehand.
//! Clients and server share the machine's cores, so what the clients do counts against the server.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/live/mod.rs"]
mod live;

use fhectl_core::bundle::ServerBundle;
use fhectl_core::circuit::Evaluator;
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::{COMPUTE_HEADER, KEY_ID_HEADER};
use fhectl_core::protocol::frame::{INPUTS_HEADER, KEY_HEADER, read_key};
use fhectl_server::store::KeyId;
use live::{Fixture, Live, read_reply};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_secs(1);
/// Measurements of one and the other take turns: a shared machine's speed changes meanwhile.
const ROUNDS: usize = 9;
const CLIENTS: usize = 8;

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let time = if std::env::args().any(|argument| argument == "--bench") { TIME } else { Duration::from_millis(200) };
    for name in ["tree-spam", "tree-spam-leaf-sum"] {
        let path = format!("{}/../../compiled_model/{name}/server.zip", env!("CARGO_MANIFEST_DIR"));
        let bundle = ServerBundle::read(&std::fs::read(path).expect("a committed model")).expect("a committed model");
        let model = Fixture::with_key(bundle);
        let threads = thread::available_parallelism().map_or(1, Into::into);
        let live = Live::start(&[&model], "memory:", |config| {
            config.threads = threads;
            config.timing_headers = true;
        });
        live.upload(&model, 1).ok();
        let row = model.rows(1);
        let request = request(&model, &model.encrypt(&row));
        let inputs = model.encrypt(&row);
        let (mut alone, mut served, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            alone.push(pool_alone(&model, &inputs, threads, time));
            served.push(many_clients(live.address, &request, time));
            beyond.extend(one_client(live.address, &request, time / 2));
        }
        let shares = served.iter().zip(&alone).map(|(served, alone)| 100.0 * served / alone).collect();
        let [alone, served, share] = [alone, served, shares].map(median);
        beyond.sort_by(f64::total_cmp);
        let (middle, p95) = (beyond[beyond.len() / 2], beyond[beyond.len() * 95 / 100]);
        let unpacked = unpacking(&model);
        println!(
            "{name}: a key is unpacked in {unpacked:.1} ms; pool alone {alone:.0}/s on {threads} threads; {CLIENTS} clients {served:.0}/s ({share:.0} %); \
             beyond computing: median {middle:.3} ms, p95 {p95:.3} ms of {} requests",
            beyond.len()
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn request(model: &Fixture, inputs: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: bench\r\n{KEY_ID_HEADER}: {}\r\ncontent-length: {}\r\n\r\n",
        model.path("/infer"),
        model.key_id(),
        inputs.len()
    );
    [head.as_bytes(), inputs].concat()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

/// Milliseconds of each request beyond computing.
fn one_client(address: SocketAddr, request: &[u8], time: Duration) -> Vec<f64> {
    let mut stream = connect(address);
    let end = Instant::now() + time;
    let mut beyond = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        stream.write_all(request).expect("the server reads");
        let reply = read_reply(&mut stream).expect("a reply").ok();
        let computed: f64 = reply.header(COMPUTE_HEADER).and_then(|text| text.parse().ok()).expect("a number");
        beyond.push(begun.elapsed().as_secs_f64() * 1e3 - computed / 1e3);
    }
    beyond
}

/// Requests a second of all clients together.
fn many_clients(address: SocketAddr, request: &[u8], time: Duration) -> f64 {
    let (done, begun) = (AtomicUsize::new(0), Instant::now());
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let (mut stream, mut buffer) = (connect(address), vec![0; 1 << 18]);
                while begun.elapsed() < time {
                    stream.write_all(request).expect("the server reads");
                    skip_reply(&mut stream, &mut buffer);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// Milliseconds to verify and unpack a key that comes from the store.
fn unpacking(model: &Fixture) -> f64 {
    let (spec, server) = (&model.bundle.spec, &model.bundle.server);
    let evaluator = Evaluator::new(&spec.circuit, &server.model, &spec.quantizer).expect("a committed model");
    let mut times: Vec<f64> = (0..11)
        .map(|_| {
            let begun = Instant::now();
            assert_eq!(KeyId::of(&model.framed).as_str(), model.key_id());
            let body = read_key(&model.bundle.id, &model.framed).expect("a key made just now");
            drop(evaluator.unpack_key(body, &mut Random::fresh(&mut OsEntropy)).expect("a key made just now"));
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Reads a reply with as little work as a client can: what it does is taken from the server's cores.
fn skip_reply(stream: &mut TcpStream, buffer: &mut [u8]) {
    let (mut read, mut length) = (0, None);
    while length.is_none_or(|length| read < length) {
        let count = stream.read(&mut buffer[read..]).expect("a reply");
        assert!(count > 0, "the reply was cut off");
        read += count;
        if let (None, Some(end)) = (length, buffer[..read].windows(4).position(|four| four == b"\r\n\r\n")) {
            let head = std::str::from_utf8(&buffer[..end]).expect("a head");
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            let body = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
            length = Some(end + 4 + body.parse::<usize>().expect("a number"));
        }
    }
}

/// Inferences a second where nothing is sent anywhere: the same jobs, on a pool of as many threads.
fn pool_alone(model: &Fixture, inputs: &[u8], threads: usize, time: Duration) -> f64 {
    let (spec, server) = (&model.bundle.spec, &model.bundle.server);
    let evaluator = Evaluator::new(&spec.circuit, &server.model, &spec.quantizer).expect("a committed model");
    let body = &model.framed[KEY_HEADER..];
    let key = evaluator.unpack_key(body, &mut Random::fresh(&mut OsEntropy)).expect("a key made just now");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let (done, begun) = (AtomicUsize::new(0), Instant::now());
    pool.scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|_| {
                while begun.elapsed() < time {
                    let mut random = Random::fresh(&mut OsEntropy);
                    evaluator.evaluate(&key, &[&inputs[INPUTS_HEADER..]], &mut random).expect("a good row");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}
