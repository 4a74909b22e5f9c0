//! Many clients of one server at once: how many rows a second it answers, how long each takes, and whether all are right.
//!
//! `cargo run --release -p fhectl-bench --example load -- --url http://127.0.0.1:8000 --model mlp-mnist --clients 64`
//!
//! Every client has keys of its own, encrypts test rows of the model's built-in data, and sends one row after the other. What
//! it decrypts is compared with the integer model in clear. The figures are one line of JSON on standard output. Clients and
//! server share the machine's cores where both run on it, so what the clients do counts against the server.

mod client;
mod faulty_server;
mod figures;
mod rows;

use clap::Parser;
use client::Client;
use faulty_server::FaultyServer;
use fhectl::client::Http;
use fhectl_core::error::Result;
use figures::Figures;
use rows::TestRows;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Parser)]
struct Args {
    /// The server
    #[arg(long, required_unless_present = "fault_every")]
    url: Option<String>,
    /// Instead of a server elsewhere, one in this process, on a CUDA device that is made to fail every so many seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "url")]
    fault_every: Option<f64>,
    /// The folder with the server's models, whose integers say what is right
    #[arg(long, default_value = "compiled_model")]
    models: PathBuf,
    /// The folder of the built-in data sets
    #[arg(long, default_value = "datasets")]
    datasets: PathBuf,
    /// The model to ask; with several each client asks one, in turn
    #[arg(long, required = true)]
    model: Vec<String>,
    #[arg(long, default_value_t = 1)]
    clients: usize,
    /// How long rows are sent, once all keys are there
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// The share of a network's rows whose class must be that of the clear model; of exact models all must be
    #[arg(long, default_value_t = 0.95)]
    agreement: f64,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all answers were as they should be.
fn run(args: &Args) -> Result<bool> {
    let models: Vec<TestRows> =
        args.model.iter().map(|name| TestRows::read(&args.models.join(name), &args.datasets)).collect::<Result<_>>()?;
    let server = match args.fault_every {
        Some(every) => {
            let bundles = models.iter().map(|model| model.server.clone()).collect();
            Some(FaultyServer::start(bundles, Duration::from_secs_f64(every))?)
        }
        None => None,
    };
    let url = server.as_ref().map(|server| server.url.as_str()).or(args.url.as_deref()).unwrap_or_default();
    let length = Duration::from_secs_f64(args.seconds);
    // Keys first: they take longer than rows.
    let ready = Barrier::new(args.clients + 1);
    let (outcomes, seconds) = thread::scope(|scope| {
        let clients: Vec<_> = (0..args.clients)
            .map(|number| {
                let (rows, ready) = (&models[number % models.len()], &ready);
                scope.spawn(move || {
                    let http = Http::new(url, None, Vec::new());
                    let client = http.and_then(|http| Client::new(http, rows));
                    ready.wait();
                    client?.ask(number, Instant::now() + length)
                })
            })
            .collect();
        ready.wait();
        let begun = Instant::now();
        let outcomes: Vec<_> = clients.into_iter().map(|client| client.join().expect("no client panics")).collect();
        (outcomes, begun.elapsed().as_secs_f64())
    });
    let faults = server.as_ref().map(|server| server.faults.count.load(Ordering::Relaxed));
    let figures = Figures::of(outcomes, seconds, faults);
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", figures.to_json(&args.model, args.clients));
    Ok(figures.is_right(args.agreement))
}
