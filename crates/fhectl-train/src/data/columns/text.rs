//! Values as the text that pandas writes to a CSV file.

/// A number of 64 bits; nothing where it is not one.
pub(super) fn float(value: f64) -> String {
    // With a point even where it is whole: what a person names as a category is spelled so.
    if value.is_nan() { String::new() } else { format!("{value:?}") }
}

/// A number of 32 bits, by the shortest text that means it.
pub(super) fn float32(value: f32) -> String {
    if value.is_nan() { String::new() } else { format!("{value:?}") }
}

/// A number of 16 bits.
pub(super) fn float16(bits: u16) -> String {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    };
    float32(sign * size)
}

/// As pandas spells it.
pub(super) fn boolean(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// A whole number of at most 32 bytes, the highest first and signed, with its point moved left by `scale` digits.
pub(super) fn decimal(bytes: &[u8], scale: i32) -> String {
    let negative = bytes.first().is_some_and(|first| first >> 7 == 1);
    let mut rest = bytes.to_vec();
    if negative {
        let mut carry = true;
        for byte in rest.iter_mut().rev() {
            let (value, over) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (value, over);
        }
    }
    let mut digits = Vec::new();
    while rest.iter().any(|byte| *byte != 0) {
        let mut left = 0u16;
        for byte in &mut rest {
            let value = left << 8 | u16::from(*byte);
            (*byte, left) = ((value / 10) as u8, value % 10);
        }
        digits.push(b'0' + left as u8);
    }
    // Beyond what any decimal has, and short of what would fill the memory.
    let scale = scale.clamp(-100, 100);
    if scale < 0 {
        digits.splice(0..0, vec![b'0'; scale.unsigned_abs() as usize]);
    }
    let places = scale.max(0) as usize;
    while digits.len() <= places {
        digits.push(b'0');
    }
    let mut text: String = if negative { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.iter().enumerate().rev() {
        text.push(char::from(*digit));
        if at == places && places > 0 {
            text.push('.');
        }
    }
    text
}

/// The date that is so many days after 1970-01-01.
pub(super) fn date(days: i64) -> String {
    // Years from March, in cycles of 400, as `days_since_1970` counts.
    let days = days + 719_468;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * in_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year + cycle * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", in_year - (153 * from_march + 2) / 5 + 1)
}

/// A moment, `value` counts of which there are `per_second` in a second, after 1970-01-01; only its date at midnight.
pub(super) fn moment(value: i64, per_second: i64) -> String {
    let (seconds, part) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    if second == 0 && part == 0 {
        return date(days);
    }
    format!("{} {}", date(days), clock(second, part, per_second))
}

/// A time of day.
pub(super) fn time(value: i64, per_second: i64) -> String {
    clock(value.div_euclid(per_second), value.rem_euclid(per_second), per_second)
}

fn clock(second: i64, part: i64, per_second: i64) -> String {
    let text = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let places = per_second.ilog10() as usize;
    if part == 0 { text } else { format!("{text}.{part:0places$}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::model::days_since_1970;

    #[test]
    fn values_are_spelled_as_in_a_csv_file() {
        assert_eq!((float(1.0), float(0.1), float(f64::NAN)), ("1.0".into(), "0.1".into(), String::new()));
        assert_eq!(float32(0.1), "0.1");
        for (bits, text) in
            [(0x3c00, "1.0"), (0xc000, "-2.0"), (0x3555, "0.33325195"), (1, "5.9604645e-8"), (0x7e00, "")]
        {
            assert_eq!(float16(bits), text);
        }
        for (value, scale, text) in [
            (12_345i64, 2, "123.45"),
            (-5, 2, "-0.05"),
            (0, 3, "0.000"),
            (7, 0, "7"),
            (-128, 0, "-128"),
            (3, -2, "300"),
        ] {
            assert_eq!(decimal(&value.to_be_bytes(), scale), text);
        }
        assert_eq!(decimal(&[0x80], 0), "-128");
        assert_eq!(moment(1_577_836_800_000_000, 1_000_000), "2020-01-01");
        assert_eq!(moment(-1, 1000), "1969-12-31 23:59:59.999");
        assert_eq!(time(45_296, 1), "12:34:56");
        date(i64::MIN / 86_400);
        moment(i64::MIN, 1);
        moment(i64::MAX, 1_000_000_000);
    }

    #[test]
    fn dates_are_read_back() {
        for days in (-200_000..200_000).step_by(97) {
            assert_eq!(days_since_1970(&date(days)), Some(days as f64), "{days}");
        }
    }
}
