//! Progress on stderr: bars and spinners on a terminal, nothing elsewhere.

use super::listener::{self, Told};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A progress bar over `steps` steps.
pub fn bar(steps: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:32}] {pos}/{len} {per_sec} eta {eta}")
        .expect("a fixed template")
        .progress_chars("=> ");
    ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr()).with_style(style).with_message(what)
}

/// Work of unknown length: a spinner, or what a listener is told.
pub struct Work(Option<ProgressBar>);

/// Shows that this is being done.
pub fn spinner(what: impl Into<String>) -> Work {
    let what = what.into();
    if listener::tell(Told::Doing(what.clone())) {
        return Work(None);
    }
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_message(what);
    spinner.enable_steady_tick(Duration::from_millis(120));
    Work(Some(spinner))
}

impl Work {
    /// Shows what is being done now.
    pub fn set_message(&self, what: impl Into<String>) {
        match &self.0 {
            Some(spinner) => spinner.set_message(what.into()),
            None => _ = listener::tell(Told::Doing(what.into())),
        }
    }

    /// The work is done.
    pub fn finish_and_clear(&self) {
        if let Some(spinner) = &self.0 {
            spinner.finish_and_clear();
        }
    }
}
