//! Dates as numbers.

/// Days since 1970-01-01 of `YYYY-MM-DD` or `YYYY/MM/DD`, perhaps with a time `THH:MM[:SS[.fraction]]` after a `T` or a
/// space and a `Z`; `None` for anything else. Time zones are not known: a time counts as written.
///
/// ```
/// use fhectl_core::model::days_since_1970;
///
/// assert_eq!(days_since_1970("2000-03-01"), Some(11_017.0));
/// assert_eq!(days_since_1970("1970-01-02 06:00"), Some(1.25));
/// assert_eq!(days_since_1970("2023-02-29"), None);
/// ```
pub fn days_since_1970(text: &str) -> Option<f64> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split(['-', '/']);
    let mut next = |digits: std::ops::RangeInclusive<usize>| {
        let part = parts.next()?;
        let plain = digits.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<i64>().ok()).flatten()
    };
    let (year, month, day) = (next(4..=4)?, next(1..=2)?, next(1..=2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1..=longest).contains(&day) {
        return None;
    }
    let seconds = time.map_or(Some(0.0), seconds)?;
    Some(civil_days(year, month, day) as f64 + seconds / 86_400.0)
}

/// Seconds since midnight.
fn seconds(time: &str) -> Option<f64> {
    let mut parts = time.trim_end_matches('Z').split(':');
    let mut next = |most: f64| {
        let part = parts.next()?;
        let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        plain.then(|| part.parse::<f64>().ok()).flatten().filter(|value| *value < most)
    };
    let (hours, minutes) = (next(24.0)?, next(60.0)?);
    // A leap second counts as the next minute's first.
    let rest = next(61.0);
    if parts.next().is_some() {
        return None;
    }
    Some(hours * 3600.0 + minutes * 60.0 + rest.unwrap_or(0.0))
}

/// Days from 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day is the last; then a
/// month begins `(153 m + 2) / 5` days after that.
fn civil_days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between March 1 of year 0 and 1970.
    year * 365 + leap_days + (153 * from_march + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_and_others_refused() {
        for (text, days) in [
            ("1970-01-01", 0.0),
            ("1969-12-31", -1.0),
            ("2024/2/29", 19_782.0),
            ("1900-03-01", -25_508.0),
            ("2026-11-26T18:00:00Z", 20_783.75),
        ] {
            assert_eq!(days_since_1970(text), Some(days), "{text}");
        }
        for text in ["", "2024", "2024-13-01", "2024-04-31", "24-01-01", "2024-01-01-01", "2024-01-01T25:00", "1 2 3"] {
            assert_eq!(days_since_1970(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_is_one_more_than_the_one_before() {
        let mut last = days_since_1970("1599-12-31").unwrap();
        for year in 1600..2401 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(days) = days_since_1970(&format!("{year}-{month:02}-{day:02}")) {
                        assert_eq!(days, last + 1.0, "{year}-{month}-{day}");
                        last = days;
                    }
                }
            }
        }
    }
}
