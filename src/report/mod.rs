//! Output for people: messages, progress, figures, model cards.

pub mod card;
pub mod facts;
pub mod listener;
pub mod plan_table;
pub mod progress;
pub mod stats;

use fhectl_core::error::Error;
use listener::Told;
use std::io::Write;
use std::time::{Duration, SystemTime};

/// Prints an error and its hint on stderr. Returns the exit code: 1 for the user's mistake, 2 for a fault.
pub fn fail(error: &Error) -> u8 {
    let red = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    let dim = anstyle::Style::new().bold();
    anstream::eprintln!("{red}error[{}]{red:#}: {}", error.code, error.message);
    if let Some(hint) = &error.hint {
        anstream::eprintln!("  {dim}hint{dim:#}: {hint}");
    }
    error.code.exit_code()
}

/// Prints a note on stderr: something that is no error but that the user should know.
pub fn note(text: &str) {
    if !listener::tell(Told::Note(text.to_owned())) {
        anstream::eprintln!("note: {text}");
    }
}

/// Prints a line of data on stdout. As in any filter, a closed pipe ends the program quietly.
pub(crate) fn line(text: std::fmt::Arguments<'_>) {
    if listener::is_heard() {
        listener::tell(Told::Line(text.to_string()));
    } else if let Err(error) = writeln!(anstream::stdout(), "{text}") {
        std::process::exit(if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 2 });
    }
}

/// Prints a line of data, see [`line`].
macro_rules! print_line {
    ($($argument:tt)*) => {
        $crate::report::line(format_args!($($argument)*))
    };
}
pub(crate) use print_line;

/// A number of bytes in B, KiB or MiB.
pub fn bytes(count: usize) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{:.1} KiB", count as f64 / 1024.0),
        _ => format!("{:.2} MiB", count as f64 / 1_048_576.0),
    }
}

/// A number with four significant digits; integers of more digits are shown in full.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    match 3 - value.abs().log10().floor() as i32 {
        places @ 0..=12 => format!("{value:.*}", places as usize),
        ..0 if value.abs() < 1e15 => format!("{value:.0}"),
        _ => format!("{value:.3e}"),
    }
}

/// The time since `then`, see [`age`].
pub fn age_since(then: SystemTime) -> String {
    age(then.elapsed().unwrap_or_default())
}

/// An age in seconds, in minutes from an hour on, in hours from a day on.
pub fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let unit = match seconds {
        0..3600 => 1,
        3600..86_400 => 60,
        _ => 3600,
    };
    humantime::format_duration(Duration::from_secs(seconds / unit * unit)).to_string()
}

/// Prints a JSON value on stdout, indented.
pub fn print_json(value: &serde_json::Value) {
    print_line!("{value:#}");
}

/// Seconds in us, ms or s.
pub fn seconds(value: f64) -> String {
    if value < 1e-3 {
        format!("{:.0} us", value * 1e6)
    } else if value < 1.0 {
        format!("{:.2} ms", value * 1e3)
    } else {
        format!("{value:.2} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        let shown: Vec<String> =
            [0.0, 152.3456, -1.5, 0.012346, 123456.7, 1e-30, 1e30].iter().map(|value| number(*value)).collect();
        assert_eq!(shown, ["0", "152.3", "-1.500", "0.01235", "123457", "1.000e-30", "1.000e30"]);
    }
}
