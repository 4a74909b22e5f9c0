//! Values of flags: probabilities, sizes, choices.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use fhectl_core::circuit::{CircuitKind, Reveal};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::LazyLock;
use std::time::Duration;

/// `2^-128`, `1e-9` or `0.001`, as its log2.
pub fn parse_probability(text: &str) -> Result<f64, String> {
    let log2 = match text.strip_prefix("2^") {
        Some(exponent) => exponent.parse::<f64>().map_err(|_| "want 2^-128 or 1e-9")?,
        None => text.parse::<f64>().map_err(|_| "want 2^-128 or 1e-9")?.log2(),
    };
    if (-1024.0..=-10.0).contains(&log2) { Ok(log2) } else { Err("want a probability from 2^-1024 to 2^-10".into()) }
}

/// `100M`, `2.5M`, `1G`, `64k` or bits a second, with or without `bit/s`.
pub fn parse_bandwidth(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is not a bandwidth; want 100M, 2.5M or 1G bits a second");
    let bare = text.trim_end_matches("bit/s").trim_end();
    let (number, scale) = match bare.chars().last() {
        Some('k' | 'K') => (&bare[..bare.len() - 1], 1e3),
        Some('M') => (&bare[..bare.len() - 1], 1e6),
        Some('G') => (&bare[..bare.len() - 1], 1e9),
        _ => (bare, 1.0),
    };
    let bits = number.trim_end().parse::<f64>().map_err(|_| wrong())? * scale;
    if (1e3..=1e13).contains(&bits) { Ok(bits) } else { Err("want a bandwidth from 1k to 10000G bits a second".into()) }
}

/// `4GiB`, `512MiB`, `64KiB`, or bytes.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size; want 4GiB, 512MiB or a number of bytes");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let shift = match unit {
        "" | "B" => 0,
        "KiB" | "K" => 10,
        "MiB" | "M" => 20,
        "GiB" | "G" => 30,
        "TiB" | "T" => 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// `0.0.0.0:8000`, `localhost:8000`, or `8000` for that port of 127.0.0.1. A name is resolved, to IPv4 where it can be.
pub fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !host.contains(':') && port.parse::<u16>().is_ok() => {
            let found =
                text.to_socket_addrs().map_err(|error| format!("`{host}` is no address and no name: {error}"))?;
            found.min_by_key(SocketAddr::is_ipv6).ok_or_else(|| format!("`{host}` has no address"))
        }
        _ => {
            Err("want an address and a port, such as 127.0.0.1:8000, localhost:8000 or [::1]:8000, or a port alone"
                .into())
        }
    }
}

/// `10s`, `15m`, `24h`, `30days`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; want 10s, 15m, 24h or 30days"))
}

/// `--rate-limit`: the time after which one more request is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub every: Duration,
}

/// `10/s` or `100/m`.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    let wrong = || format!("`{text}` is not a rate; want 10/s or 100/m");
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let number: u32 = number.trim().parse().map_err(|_| wrong())?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err(wrong()),
    };
    if !(1..=1_000_000).contains(&number) {
        return Err("want a rate from 1 to 1000000".into());
    }
    Ok(Rate { every: Duration::from_secs_f64(seconds / f64::from(number)) })
}

/// `https://app.example.com` or `*`: an origin as browsers send it.
pub fn parse_origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain =
        |host: &str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    if text == "*" || host.is_some_and(plain) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(format!("`{text}` is not an origin; want https://host or https://host:port, without a path"))
}

/// `--circuit`: `None` stands for `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitChoice(pub Option<CircuitKind>);

impl ValueEnum for CircuitChoice {
    fn value_variants<'a>() -> &'a [Self] {
        static CHOICES: LazyLock<Vec<CircuitChoice>> = LazyLock::new(|| {
            let kinds = CircuitKind::ALL.iter().map(|kind| CircuitChoice(Some(*kind)));
            [CircuitChoice(None)].into_iter().chain(kinds).collect()
        });
        &CHOICES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0 {
            None => PossibleValue::new("auto").help("The cheapest that reveals no more than --reveal allows"),
            Some(kind) => PossibleValue::new(kind.name()),
        })
    }
}

/// `--reveal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RevealChoice {
    /// Nothing beyond the answers and the public parameters
    Nothing,
    /// A rounded count of leaves too
    Size,
    /// The model is public: answers are not re-randomized
    Model,
    /// The model is public, and with it the rows it was trained on: for nearest neighbors
    TrainingRows,
}

impl From<RevealChoice> for Reveal {
    fn from(choice: RevealChoice) -> Self {
        match choice {
            RevealChoice::Nothing => Self::Nothing,
            RevealChoice::Size => Self::Size,
            RevealChoice::Model | RevealChoice::TrainingRows => Self::Model,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_and_sizes() {
        assert_eq!(parse_probability("2^-128"), Ok(-128.0));
        assert!((parse_probability("1e-9").unwrap() + 29.9).abs() < 0.01);
        for bad in ["2", "0", "-1", "2^3", "2^-5", "half", "nan"] {
            assert!(parse_probability(bad).is_err(), "{bad}");
        }
        for (text, bits) in [("100M", 100e6), ("2.5 Mbit/s", 2.5e6), ("1G", 1e9), ("64kbit/s", 64e3), ("5000", 5e3)] {
            assert_eq!(parse_bandwidth(text), Ok(bits), "{text}");
        }
        for bad in ["", "M", "fast", "-1M", "nan", "inf", "1", "100MB/s"] {
            assert!(parse_bandwidth(bad).is_err(), "{bad}");
        }
        for (text, seconds) in [("10s", 10), ("15m", 900), ("24h", 86_400), ("30days", 2_592_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "10", "-1s", "soon", "99999999999999999999h"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_rate("10/s").map(|rate| rate.every), Ok(Duration::from_millis(100)));
        assert_eq!(parse_rate("60/m").map(|rate| rate.every), Ok(Duration::from_secs(1)));
        for bad in ["", "10", "/s", "0/s", "10/h", "-1/s", "9999999/s"] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_origin("https://App.example:8443").as_deref(), Ok("https://app.example:8443"));
        assert!(parse_origin("*").is_ok());
        for bad in ["", "example.com", "https://", "https://a/b", "https://a b", "null"] {
            assert!(parse_origin(bad).is_err(), "{bad}");
        }
        for (text, address) in [
            ("8000", "127.0.0.1:8000"),
            ("localhost:8000", "127.0.0.1:8000"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(parse_listen(text).map(|address| address.to_string()).as_deref(), Ok(address), "{text}");
        }
        for bad in
            ["", "host", ":8000", "127.0.0.1", "localhost:http", "127.0.0.1:70000", "::1:80", "no.such.name.invalid:1"]
        {
            assert!(parse_listen(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_size("4GiB"), Ok(4 << 30));
        assert_eq!(parse_size("12"), Ok(12));
        for bad in ["", "GiB", "4XB", "-1", "99999999999999999999", "99999999999TiB"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
