//! Dates as numbers.

/// Days since 1970-01-01 of `YYYY-MM-DD`, `YYYY/MM/DD` or `DD.MM.YYYY`, perhaps with a time `HH:MM[:SS[.fraction]]` after a
/// `T` or a space, and with a `Z` or an offset such as `+01:00`, which is taken away; `None` for anything else. Of
/// `3/4/2024` nobody knows which is the month.
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
    // A point stands between numbers where the day comes first.
    let day_first = date.contains('.');
    let mut parts = date.split(if day_first { &['.'][..] } else { &['-', '/'][..] });
    let mut next = |digits: std::ops::RangeInclusive<usize>| {
        let part = parts.next()?;
        let plain = digits.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<i64>().ok()).flatten()
    };
    let (year, month, day) = match day_first {
        false => (next(4..=4)?, next(1..=2)?, next(1..=2)?),
        true => {
            let (day, month) = (next(1..=2)?, next(1..=2)?);
            (next(4..=4)?, month, day)
        }
    };
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
    let (time, east) = match time.rfind(['+', '-']) {
        Some(at) => (&time[..at], offset(&time[at..])?),
        None => (time.strip_suffix('Z').unwrap_or(time), 0.0),
    };
    let mut parts = time.trim_end().split(':');
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
    Some(hours * 3600.0 + minutes * 60.0 + rest.unwrap_or(0.0) - east)
}

/// Seconds east of Greenwich of `+HH:MM`, `-HHMM` or `+HH`.
fn offset(text: &str) -> Option<f64> {
    let digits = text[1..].replace(':', "");
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: f64 = digits[..2].parse().ok()?;
    let minutes: f64 = digits.get(2..).filter(|rest| !rest.is_empty()).map_or(Some(0.0), |rest| rest.parse().ok())?;
    let seconds = hours * 3600.0 + minutes * 60.0;
    Some(if text.starts_with('-') { -seconds } else { seconds })
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
            ("26.11.2026", 20_783.0),
            ("2026-11-27 00:00:00+06:00", 20_783.75),
            ("2026-11-26T12:00-0600", 20_783.75),
            ("1.2.1970 06:00", 31.25),
        ] {
            assert_eq!(days_since_1970(text), Some(days), "{text}");
        }
        for text in [
            "",
            "2024",
            "2024-13-01",
            "2024-04-31",
            "24-01-01",
            "2024-01-01-01",
            "2024-01-01T25:00",
            "1 2 3",
            "3/4/2024",
            "1.2",
            "2024.01.02",
            "2024-01-01 10:00+1",
            "2024-01-01 10:00é",
        ] {
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
