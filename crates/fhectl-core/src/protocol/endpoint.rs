//! The endpoint form: `POST /` with a JSON object, as clients of hosted Concrete ML endpoints send it.
//!
//! Bytes travel as `{"__class__": "bytes", "__value__": [0..255, ...]}` or, at a third of the size, as a base64
//! string. Replies hold them in the form that the request used.

use serde::{Deserialize, Serialize};

/// A request. Unknown fields (`inputs` among them) are ignored, as hosted endpoints require one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum EndpointRequest {
    /// Begins an evaluation key; the reply names its uid.
    SaveKey { evaluation_keys: JsonBytes },
    /// Appends to it; the reply is `null`.
    AppendKey { evaluation_keys: JsonBytes, uid: String },
    /// Computes one encrypted input (a batch of one or more); the reply is the encrypted result.
    Inference { encrypted_inputs: JsonBytes, uid: String },
}

/// The reply to `save_key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedKey {
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{32}$", min_length = 32, max_length = 32))]
    pub uid: String,
}

/// Bytes in either JSON form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JsonBytes {
    List(ByteList),
    Base64(String),
}

/// `{"__class__": "bytes", "__value__": [...]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ByteList {
    #[serde(rename = "__class__")]
    pub class: ByteClass,
    #[serde(rename = "__value__")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::numbers))]
    pub value: Vec<u8>,
}

/// The only class there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ByteClass {
    #[serde(rename = "bytes")]
    Bytes,
}

/// Schemas of what derived ones do not say: which numbers are bytes, and what is base64.
#[cfg(feature = "openapi")]
mod schemas {
    use super::{ByteList, JsonBytes};
    use std::borrow::Cow;
    use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
    use utoipa::openapi::{Ref, RefOr};
    use utoipa::{PartialSchema, ToSchema};

    /// Whole groups of four, then a last one with padding, whose unused bits are zero.
    const BASE64: &str =
        "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)$";

    pub fn numbers() -> Array {
        let byte = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(255));
        ArrayBuilder::new().items(byte).min_items(Some(1)).build()
    }

    impl PartialSchema for JsonBytes {
        fn schema() -> RefOr<Schema> {
            let text = ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some("Base64 with padding"))
                .content_encoding("base64")
                .min_length(Some(4))
                .pattern(Some(BASE64));
            let list = Ref::from_schema_name(ByteList::name());
            OneOfBuilder::new().item(list).item(text).description(Some("Bytes in either JSON form.")).into()
        }
    }

    impl ToSchema for JsonBytes {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("JsonBytes")
        }

        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            schemas.push((ByteList::name().into_owned(), ByteList::schema()));
            ByteList::schemas(schemas);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_bytes_are_read() {
        let list =
            r#"{"inputs":"fake","method":"save_key","evaluation_keys":{"__class__":"bytes","__value__":[0,255]}}"#;
        let expected = JsonBytes::List(ByteList { class: ByteClass::Bytes, value: vec![0, 255] });
        assert_eq!(
            serde_json::from_str::<EndpointRequest>(list).unwrap(),
            EndpointRequest::SaveKey { evaluation_keys: expected }
        );
        let text = r#"{"method":"inference","encrypted_inputs":"AP8=","uid":"u"}"#;
        assert_eq!(
            serde_json::from_str::<EndpointRequest>(text).unwrap(),
            EndpointRequest::Inference { encrypted_inputs: JsonBytes::Base64("AP8=".into()), uid: "u".into() }
        );
        for bad in [
            r#"{"method":"save_key","evaluation_keys":{"__class__":"bytes","__value__":[256]}}"#,
            r#"{"method":"save_key","evaluation_keys":{"__class__":"str","__value__":[1]}}"#,
            r#"{"method":"drop_tables"}"#,
        ] {
            assert!(serde_json::from_str::<EndpointRequest>(bad).is_err(), "{bad}");
        }
    }
}
