//! Texts in paths, headers, files and flags: ids, owners, model names, stores, tokens, units.
//!
//! Promises: no panic; a name that is taken is the one way to write it and cannot climb out of its folder; errors never
//! quote a token.
#![no_main]

use fhectl_core::error::ErrorCode;
use fhectl_core::bundle::{ModelId, check_name};
use fhectl::commands::units::{
    parse_bandwidth, parse_duration, parse_origin, parse_probability, parse_rate, parse_size,
};
use fhectl_core::protocol::api::is_key_id;
use fhectl_server::server::{TokenSet, hash_line};
use fhectl_server::store::{KeyId, Owner, Uid, UploadId, check_location};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    names(text);
    flags(text);
    let text = text.trim();
    match TokenSet::parse(text) {
        Ok(tokens) => {
            let (all, plain) = tokens.counts();
            assert!(plain <= all && all > 0);
            let header = format!("Bearer {}", text.lines().next().unwrap_or_default());
            let _ = tokens.check(Some(header.as_bytes()));
            let _ = tokens.check(Some(bytes));
        }
        Err(error) => assert!(error.code == ErrorCode::TokenFile && error.message.len() < 80, "{error:?}"),
    }
    if let Ok(line) = hash_line(text) {
        let tokens = TokenSet::parse(&line).unwrap();
        assert_eq!(tokens.check(Some(format!("Bearer {text}").as_bytes())), Ok(Owner::of_token(text)));
        assert!(!line.contains(text));
    }
});

fn names(text: &str) {
    let plain =
        |name: &str| name == text && !name.is_empty() && !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
    if let Ok(id) = KeyId::parse(text) {
        assert!(plain(id.as_str()) && is_key_id(text));
        let _ = UploadId::from(&id);
    }
    if let Some(uid) = Uid::parse(text) {
        assert!(plain(uid.as_str()));
        let _ = UploadId::from(&uid);
    }
    assert!(Owner::parse(text).is_none_or(|owner| plain(owner.as_str())));
    assert!(
        text.parse::<ModelId>().is_ok_and(|id| id.to_string() == text.to_lowercase())
            || text.parse::<ModelId>().is_err()
    );
    assert!(check_name(text).is_err() || plain(text));
    if let Err(error) = check_location(text) {
        assert_eq!(error.code, ErrorCode::StoreUnsupported);
    }
}

fn flags(text: &str) {
    assert!(
        parse_probability(text).is_ok_and(|log2| (-1024.0..=-10.0).contains(&log2)) || parse_probability(text).is_err()
    );
    assert!(parse_bandwidth(text).map_or(true, |bits| (1e3..=1e13).contains(&bits)));
    assert!(parse_rate(text).map_or(true, |rate| !rate.every.is_zero()));
    assert!(parse_origin(text).map_or(true, |origin| origin.eq_ignore_ascii_case(text)));
    let _ = (parse_duration(text), parse_size(text));
}
