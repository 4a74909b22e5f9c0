//! `serve --check`: whether a server could run as configured, without running it.

use super::devices::open_devices;
use super::runtime::runtime;
use super::serve_args::{Access, ServeArgs};
use crate::report::bytes;
use crate::report::print_line;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_server::device::{computing_on, described, unless_optional};
use fhectl_server::server::{ServeConfig, check_models};
use fhectl_server::store::KeyStore;

/// Reads everything that a server would read, reports each step on stdout, and fails where one failed.
///
/// # Errors
/// `check_failed`, with how many steps failed.
pub fn check(args: &ServeArgs) -> Result<()> {
    let mut failed = 0;
    let mut step = |name: &str, outcome: Result<String>| match outcome {
        Ok(found) => print_line!("ok    {name:<8} {found}"),
        Err(error) => {
            failed += 1;
            print_line!("FAIL  {name:<8} {error} [{}]", error.code);
            if let Some(hint) = &error.hint {
                print_line!("      {:<8} {hint}", "");
            }
        }
    };
    step("models", models(args));
    step("store", store(args));
    step("access", args.access().map(|access| told(&access)));
    step("limits", limits(args));
    step("device", device(args));
    if failed == 0 {
        return Ok(());
    }
    Err(Error::new(ErrorCode::CheckFailed, format!("{failed} of 5 checks failed"))
        .hint("nothing was started; the lines above say what to change"))
}

fn models(args: &ServeArgs) -> Result<String> {
    let bundles = args.bundles()?;
    check_models(&bundles)?;
    let names: Vec<&str> = bundles.iter().map(|bundle| bundle.spec.name.as_str()).collect();
    Ok(format!("{}: {}", names.len(), names.join(", ")))
}

fn store(args: &ServeArgs) -> Result<String> {
    runtime()?.block_on(KeyStore::open(&args.store))?;
    Ok(format!("{} can be written to", args.store))
}

fn limits(args: &ServeArgs) -> Result<String> {
    let nowhere = runtime()?.block_on(KeyStore::open("memory:"))?;
    let limits = args.configured(ServeConfig::new(Vec::new(), args.listen, nowhere));
    Ok(format!(
        "{} threads, {} waiting requests, {:.1} s of backlog, {} of keys and {} of requests and replies in memory",
        limits.threads,
        limits.max_queue,
        limits.max_backlog.as_secs_f64(),
        bytes(limits.cache_bytes as usize),
        bytes(limits.body_bytes as usize)
    ))
}

/// Opens devices, without models.
fn device(args: &ServeArgs) -> Result<String> {
    let devices = open_devices(args.device())?;
    let opened = devices.iter().map(|device| {
        let open = unless_optional(&**device, device.open(&[]))?;
        Ok(open.map(|open| described(device.name(), open.description())))
    });
    Ok(computing_on(opened.collect::<Result<Vec<_>>>()?.into_iter().flatten()))
}

fn told(access: &Access) -> String {
    let tls = if access.tls.is_some() { "TLS" } else { "no TLS" };
    let tokens = match access.tokens.as_ref().map(fhectl_server::server::TokenSet::counts) {
        None => "no tokens: everyone is let in".to_owned(),
        Some((all, 0)) => format!("{all} tokens"),
        Some((all, plain)) => format!("{all} tokens, {plain} of them not hashed"),
    };
    let budget = match (access.row_budget, &access.tokens) {
        (Some(rows), _) => format!(", {rows} rows a token and model"),
        (None, Some(_)) => ", no row budget".to_owned(),
        (None, None) => String::new(),
    };
    format!("{tls}, {tokens}{budget}")
}
