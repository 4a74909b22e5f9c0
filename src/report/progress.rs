//! Progress on stderr: bars and spinners on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A progress bar over `steps` steps.
pub fn bar(steps: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:32}] {pos}/{len} {per_sec} eta {eta}")
        .expect("a fixed template")
        .progress_chars("=> ");
    ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr()).with_style(style).with_message(what)
}

/// A spinner for work of unknown length.
pub fn spinner(what: impl Into<String>) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_message(what.into());
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}
