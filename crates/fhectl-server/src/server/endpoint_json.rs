//! Reading the endpoint form's JSON in one pass.
//!
//! The message types' own `Deserialize` holds a tagged object in an intermediate tree, 32 bytes for every byte of a
//! key. Here the numbers go straight into bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fhectl_core::error::{Error, Result};
use fhectl_core::protocol::endpoint::{ByteClass, ByteList, EndpointRequest, JsonBytes};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
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
    Error::user("json_invalid", message)
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
                        "__value__" => value = Some(map.next_value::<Vec<u8>>()?),
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
            r#"{"method":"save_key","evaluation_keys":{"__class__":"str","__value__":[1]}}"#,
            r#"{"method":"save_key","evaluation_keys":{"__value__":[1]}}"#,
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().code, "json_invalid", "{text}");
        }
        assert_eq!(bytes_of(JsonBytes::Base64("*".into())).unwrap_err().code, "json_invalid");
        assert_eq!(bytes_of(Form::Base64.write(vec![0, 255])).unwrap().0, &[0, 255][..]);
    }
}
