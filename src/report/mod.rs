//! What a person sees: messages, progress, figures, model cards.

pub mod card;
pub mod facts;
pub mod plan_table;
pub mod progress;
pub mod stats;

use fhectl_core::error::Error;

/// Prints an error and its hint on stderr and returns the exit code: 1 for the user's mistake, 2 for a fault.
pub fn fail(error: &Error) -> u8 {
    let red = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    let dim = anstyle::Style::new().bold();
    anstream::eprintln!("{red}error[{}]{red:#}: {}", error.code, error.message);
    if let Some(hint) = &error.hint {
        anstream::eprintln!("  {dim}hint{dim:#}: {hint}");
    }
    error.code.exit_code()
}

/// Tells on stderr what is no error but should be known.
pub fn note(text: &str) {
    anstream::eprintln!("note: {text}");
}

/// Bytes as a person reads them.
pub fn bytes(count: usize) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{:.1} KiB", count as f64 / 1024.0),
        _ => format!("{:.2} MiB", count as f64 / 1_048_576.0),
    }
}

/// A number to four significant digits, as a person reads it; one of no digits after the point is whole.
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

/// Seconds as a person reads them.
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
