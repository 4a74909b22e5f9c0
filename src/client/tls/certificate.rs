//! What of an X.509 certificate TLS in Rust does not tell: its dates and its subject's name.

/// Parts of a certificate. The library that checks signatures has parsed the whole before or does so after.
#[derive(Debug, PartialEq)]
pub(super) struct Certificate<'a> {
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
    pub common_name: Option<&'a str>,
    pub has_alternative_names: bool,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// UTF8String, PrintableString, IA5String.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

impl<'a> Certificate<'a> {
    /// `None` where the bytes are no certificate.
    pub fn parse(der: &'a [u8]) -> Option<Self> {
        let mut certificate = Der(Der(der).expect(SEQUENCE)?);
        let mut fields = Der(certificate.expect(SEQUENCE)?);
        // The version, where it is not the first, then serial, algorithm and issuer.
        let (tag, _) = fields.next()?;
        let before_validity = if tag == 0xa0 { 3 } else { 2 };
        for _ in 0..before_validity {
            fields.next()?;
        }
        let mut validity = Der(fields.expect(SEQUENCE)?);
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        let common_name = common_name(fields.expect(SEQUENCE)?);
        fields.expect(SEQUENCE)?;
        let mut has_alternative_names = false;
        while let Some((tag, value)) = fields.next() {
            if tag == 0xa3 {
                let mut extensions = Der(Der(value).expect(SEQUENCE)?);
                while let Some((_, extension)) = extensions.next() {
                    has_alternative_names |= Der(extension).expect(OID)? == SUBJECT_ALT_NAME;
                }
            }
        }
        Some(Self { not_before, not_after, common_name, has_alternative_names })
    }
}

/// The last common name of a subject: that is the most specific one.
fn common_name(subject: &[u8]) -> Option<&str> {
    let (mut sets, mut found) = (Der(subject), None);
    while let Some(set) = sets.expect(SET) {
        let mut attributes = Der(set);
        while let Some(attribute) = attributes.expect(SEQUENCE) {
            let mut pair = Der(attribute);
            if pair.expect(OID)? == COMMON_NAME
                && let (tag, text) = pair.next()?
                && TEXTS.contains(&tag)
            {
                found = std::str::from_utf8(text).ok();
            }
        }
    }
    found
}

/// Elements one after the other, each a tag, a length and a value.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, short], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match short {
            0..=0x7f => (usize::from(short), rest),
            // A certificate that a handshake carries is shorter than 2^24 bytes.
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(short - 0x80))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }

    fn expect(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next().and_then(|(tag, value)| (tag == wanted).then_some(value))
    }

    /// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`, in seconds since 1970.
    fn time(&mut self) -> Option<i64> {
        let (tag, text) = self.next()?;
        let digits = text.strip_suffix(b"Z")?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = |digits: &[u8]| digits.iter().fold(0, |number, digit| 10 * number + i64::from(digit - b'0'));
        let (year, rest) = match (tag, digits.len()) {
            (UTC_TIME, 12) => {
                let year = number(&digits[..2]);
                (if year < 50 { 2000 + year } else { 1900 + year }, &digits[2..])
            }
            (GENERALIZED_TIME, 14) => (number(&digits[..4]), &digits[4..]),
            _ => return None,
        };
        let parts: Vec<i64> = rest.chunks(2).map(number).collect();
        let (days, [hours, minutes, seconds]) =
            (days_since_1970(year, parts[0], parts[1]), [parts[2], parts[3], parts[4]]);
        Some(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, by counting from a March: leap days come last in such a year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};

    fn made(names: &[&str], common: &str) -> Vec<u8> {
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, "an organization");
        params.distinguished_name.push(DnType::CommonName, common);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.not_before, params.not_after) = (date_time_ymd(2024, 2, 29), date_time_ymd(2061, 1, 1));
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn dates_and_names_are_read() {
        for names in [&[][..], &["localhost", "127.0.0.1"]] {
            let der = made(names, "a.example");
            let expected = Certificate {
                not_before: 1_709_164_800,
                not_after: 2_871_763_200,
                common_name: Some("a.example"),
                has_alternative_names: !names.is_empty(),
            };
            assert_eq!(Certificate::parse(&der), Some(expected));
            // What is cut off or changed is read in another way or not at all, and never past its end.
            for at in 0..der.len() {
                let _ = Certificate::parse(&der[..at]);
                for value in [0, 0x7f, 0x80, 0x83, 0xff] {
                    let mut changed = der.clone();
                    changed[at] = value;
                    let _ = Certificate::parse(&changed);
                }
            }
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (date, days) in [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((2000, 3, 1), 11_017), ((1969, 12, 31), -1)] {
            assert_eq!(days_since_1970(date.0, date.1, date.2), days, "{date:?}");
        }
    }
}
