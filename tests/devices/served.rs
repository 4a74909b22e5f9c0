//! Clients of one model, and a server that computes it on a device.

use crate::fake::Fake;
use crate::live::{Fixture, Live, ask};
use crate::until::until;
use fhectl_core::circuit::{CircuitKind, Reveal};
use fhectl_core::protocol::api::ModelInfo;
use fhectl_core::server_model::ServerModel;
use fhectl_server::server::ServeConfig;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// So many clients of one model, each with keys of its own.
pub fn clients(count: usize) -> Vec<Fixture> {
    clients_of(Fixture::new("leaves", CircuitKind::LeafSum, Reveal::Nothing, 2, 1), count)
}

pub fn clients_of(first: Fixture, count: usize) -> Vec<Fixture> {
    let bundle = first.bundle.clone();
    let others = (1..count).map(|_| Fixture::with_key(bundle.clone()));
    std::iter::once(first).chain(others).collect()
}

/// A model whose encrypted rows end with bits that stand for nothing.
pub fn padded() -> Fixture {
    let models = (1..=5).flat_map(|depth| (3..=7).map(move |features| (depth, features)));
    let mut fixtures = models.map(|(depth, features)| {
        Fixture::of_size((features, 8), "leaves", CircuitKind::LeafSum, Reveal::Nothing, depth, 1)
    });
    let is_padded = |fixture: &Fixture| {
        let model = ServerModel::new(fixture.bundle.clone()).unwrap();
        let input = model.evaluator().layered().unwrap().input;
        !(input.bodies * input.bits as usize).is_multiple_of(8)
    };
    fixtures.find(is_padded).expect("words of some model are not whole bytes")
}

pub fn bootstraps(client: &Fixture) -> usize {
    let model = ServerModel::new(client.bundle.clone()).unwrap();
    model.evaluator().layered().expect("leaf-sum is layers").bootstraps()
}

/// A server with one device that has room for so many keys, and with the keys of all clients.
pub fn serve(fake: &Arc<Fake>, keys: usize, clients: &[Fixture], adjust: impl FnOnce(&mut ServeConfig)) -> Live {
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
pub fn metric(live: &Live, name: &str, label: &str) -> f64 {
    let text = String::from_utf8(ask(live.metrics.unwrap(), "GET", "/metrics", &[], b"").ok().body).unwrap();
    let is =
        |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label);
    text.lines().find(is).map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

pub fn missed(live: &Live, reason: &str) -> f64 {
    metric(live, "fhectl_device_missed_rows_total", reason)
}

pub fn waits(live: &Live, jobs: usize) {
    until("requests wait", || metric(live, "fhectl_queue_depth", "") == jobs as f64);
}

/// Asks for rows, and looks whether the answers are those of the clear model.
#[track_caller]
pub fn right(live: &Live, client: &Fixture, count: usize) {
    let rows = client.rows(count);
    client.assert_answers(&rows, &live.infer(client, &client.encrypt(&rows)).ok().body);
}

pub fn computed_on(live: &Live) -> String {
    live.get("/v1/models/leaves").ok().json::<ModelInfo>().computed_on.unwrap()
}

/// Holds the device, with a launch of one row of `client` in each of its two lanes.
pub fn occupy<'s, 'e>(scope: &'s thread::Scope<'s, 'e>, fake: &Fake, live: &'e Live, client: &'e Fixture) {
    fake.hold();
    let before = fake.launches().len();
    for lane in 1..=2 {
        scope.spawn(move || right(live, client, 1));
        until("a launch begins", || fake.launches().len() == before + lane);
    }
}
