//! Reading the endpoint form's JSON in one pass.
//!
//! The message types' own `Deserialize` holds a tagged object in an intermediate tree, 32 bytes for every byte of a
//! key. Here the numbers go straight into bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::protocol::endpoint::{ByteClass, ByteList, EndpointRequest, JsonBytes};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use std::fmt;

/// Which of the two forms bytes had, and so will have in the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    List,
    Base64,
}

impl Form {
    /// The most bytes of JSON that so many bytes become: four characters a number with its comma, or four for three
    /// bytes, and a few around them.
    pub fn written_bytes(self, bytes: usize) -> usize {
        match self {
            Self::List => 4 * bytes + 64,
            Self::Base64 => bytes.div_ceil(3) * 4 + 64,
        }
    }

    /// Bytes in this form.
    pub fn write(self, bytes: Vec<u8>) -> JsonBytes {
        match self {
            Self::List => JsonBytes::List(ByteList { class: ByteClass::Bytes, value: bytes }),
            Self::Base64 => JsonBytes::Base64(STANDARD.encode(bytes)),
        }
    }
}

/// The bytes of either form.
///
/// # Errors
/// `json_invalid` where a string is not base64.
pub fn bytes_of(bytes: JsonBytes) -> Result<(Bytes, Form)> {
    match bytes {
        JsonBytes::List(list) => Ok((list.value.into(), Form::List)),
        JsonBytes::Base64(text) => match STANDARD.decode(text) {
            Ok(bytes) => Ok((bytes.into(), Form::Base64)),
            Err(error) => Err(invalid(format!("a string of bytes is not base64: {error}"))),
        },
    }
}

/// # Errors
/// `json_invalid`, saying where.
pub fn parse(body: &[u8]) -> Result<EndpointRequest> {
    let flat: Flat = serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
    fn need<T>(field: Option<T>, name: &str) -> Result<T> {
        field.ok_or_else(|| invalid(format!("the method needs the field `{name}`")))
    }
    let keys = flat.evaluation_keys.map(|bytes| bytes.0);
    Ok(match flat.method {
        Method::SaveKey => EndpointRequest::SaveKey { evaluation_keys: need(keys, "evaluation_keys")? },
        Method::AppendKey => {
            EndpointRequest::AppendKey { evaluation_keys: need(keys, "evaluation_keys")?, uid: need(flat.uid, "uid")? }
        }
        Method::Inference => EndpointRequest::Inference {
            encrypted_inputs: need(flat.encrypted_inputs, "encrypted_inputs")?.0,
            uid: need(flat.uid, "uid")?,
        },
    })
}

fn invalid(message: String) -> Error {
    Error::new(ErrorCode::JsonInvalid, message)
        .hint("send {\"method\": \"save_key\" | \"append_key\" | \"inference\", ...} as clients of hosted endpoints do")
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    SaveKey,
    AppendKey,
    Inference,
}

#[derive(serde::Deserialize)]
struct Flat {
    method: Method,
    evaluation_keys: Option<Direct>,
    encrypted_inputs: Option<Direct>,
    uid: Option<String>,
}

/// [`JsonBytes`], read without an intermediate tree.
struct Direct(JsonBytes);

impl<'de> Deserialize<'de> for Direct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Direct;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes: a base64 string or {\"__class__\": \"bytes\", \"__value__\": [...]}")
            }

            fn visit_str<E>(self, text: &str) -> Result<Direct, E> {
                Ok(Direct(JsonBytes::Base64(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Direct, A::Error> {
                let (mut class, mut value) = (None, None);
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "__class__" => class = Some(map.next_value::<ByteClass>()?),
                        "__value__" => value = Some(map.next_value::<Numbers>()?.0),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                let missing = serde::de::Error::missing_field;
                let class = class.ok_or_else(|| missing("__class__"))?;
                let value = value.ok_or_else(|| missing("__value__"))?;
                Ok(Direct(JsonBytes::List(ByteList { class, value })))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A list of bytes. In JSON's terms 7.0 is the integer 7, and some clients write it so.
struct Numbers(Vec<u8>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Numbers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers from 0 to 255")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Numbers, A::Error> {
                let mut bytes = Vec::new();
                while let Some(Number(byte)) = list.next_element()? {
                    bytes.push(byte);
                }
                Ok(Numbers(bytes))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

struct Number(u8);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Byte;
        impl Visitor<'_> for Byte {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0 to 255")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Number, E> {
                u8::try_from(number).map(Number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Number, E> {
                // Beyond either end it is another number.
                let byte = number as u8;
                let same = f64::from(byte) == number;
                same.then_some(Number(byte)).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
            }
        }
        deserializer.deserialize_u8(Byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_the_message_types_read() {
        for text in [
            r#"{"inputs":"fake","method":"save_key","evaluation_keys":{"__class__":"bytes","__value__":[0,255]}}"#,
            r#"{"uid":"u","evaluation_keys":"AP8=","method":"append_key","inputs":[1,{"a":null}]}"#,
            r#"{"method":"inference","encrypted_inputs":{"__value__":[],"__class__":"bytes"},"uid":"u"}"#,
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn a_whole_number_may_have_a_point() {
        let text = r#"{"method":"save_key","evaluation_keys":{"__class__":"bytes","__value__":[7.0,255.0,1e2]}}"#;
        let Ok(EndpointRequest::SaveKey { evaluation_keys }) = parse(text.as_bytes()) else { panic!("{text}") };
        assert_eq!(bytes_of(evaluation_keys).unwrap().0, &[7, 255, 100][..]);
    }

    #[test]
    fn what_is_not_a_request_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"method":"drop_tables"}"#,
            r#"{"method":"save_key"}"#,
            r#"{"method":"append_key","evaluation_keys":"AA=="}"#,
            r#"{"method":"save_key","evaluation_keys":[1]}"#,
            r#"{"method":"save_key","evaluation_keys":{"__class__":"bytes","__value__":[256]}}"#,
            r#"{"method":"save_key","evaluation_keys":{"__class__":"bytes","__value__":[-1]}}"#,
            r#"{"method":"save_key","evaluation_keys":{"__class__":"bytes","__value__":[1.5]}}"#,
            r#"{"method":"save_key","evaluation_keys":{"__class__":"bytes","__value__":[1e99]}}"#,
            r#"{"method":"save_key","evaluation_keys":{"__class__":"str","__value__":[1]}}"#,
            r#"{"method":"save_key","evaluation_keys":{"__value__":[1]}}"#,
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().code, ErrorCode::JsonInvalid, "{text}");
        }
        assert_eq!(bytes_of(JsonBytes::Base64("*".into())).unwrap_err().code, ErrorCode::JsonInvalid);
        assert_eq!(bytes_of(Form::Base64.write(vec![0, 255])).unwrap().0, &[0, 255][..]);
    }
}
