//! Universal Binary JSON (ubjson.org, draft 12) as XGBoost writes it, for serde.
//!
//! The crates there are for it have not been kept for years. Numbers are big-endian. Nothing is allocated here: lists
//! are walked as serde asks for their elements, and every element takes at least a byte of the file.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The most containers inside one another.
const MAX_DEPTH: usize = 64;

/// Why bytes are no UBJSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads a whole file.
///
/// # Errors
/// Where the bytes are no UBJSON, do not hold a `T` or hold more than that.
pub(super) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut reader = Reader { left: bytes, length: bytes.len(), depth: 0 };
    let value = T::deserialize(Item { reader: &mut reader, marker: None })?;
    match reader.left.iter().find(|byte| **byte != b'N') {
        None => Ok(value),
        Some(_) => Err(reader.wrong("bytes after the end")),
    }
}

struct Reader<'a> {
    left: &'a [u8],
    length: usize,
    depth: usize,
}

/// One value; its marker is given where its container says it for all.
struct Item<'r, 'a> {
    reader: &'r mut Reader<'a>,
    marker: Option<u8>,
}

/// How a list or an object goes on.
struct Container<'r, 'a> {
    reader: &'r mut Reader<'a>,
    /// The marker of every element, where the container says it.
    marker: Option<u8>,
    /// How many elements are left; `None` where `end` ends it.
    count: Option<u64>,
    end: u8,
}

impl<'a> Reader<'a> {
    fn wrong(&self, what: impl fmt::Display) -> Error {
        Error(format!("{what} at byte {}", self.length - self.left.len()))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        if count > self.left.len() {
            return Err(self.wrong("the file ends inside a value"));
        }
        let (head, rest) = self.left.split_at(count);
        self.left = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
    }

    /// The next marker, after those that say nothing.
    fn marker(&mut self) -> Result<u8, Error> {
        loop {
            match self.byte()? {
                b'N' => {}
                marker => return Ok(marker),
            }
        }
    }

    /// The next byte if it is `wanted`.
    fn skip(&mut self, wanted: u8) -> bool {
        let found = self.left.first() == Some(&wanted);
        self.left = &self.left[usize::from(found)..];
        found
    }

    fn integer(&mut self, marker: u8) -> Result<i64, Error> {
        Ok(match marker {
            b'i' => i64::from(i8::from_be_bytes(self.array()?)),
            b'U' => i64::from(self.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.array()?)),
            b'l' => i64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?),
            other => return Err(self.wrong(format!("a length with the marker {other:#04x}"))),
        })
    }

    fn length(&mut self) -> Result<u64, Error> {
        let marker = self.byte()?;
        let length = self.integer(marker)?;
        u64::try_from(length).map_err(|_| self.wrong(format!("a length of {length}")))
    }

    fn text(&mut self) -> Result<&'a str, Error> {
        let length = usize::try_from(self.length()?).unwrap_or(usize::MAX);
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.wrong("a text that is not UTF-8"))
    }

    /// What stands between a container's marker and its first element.
    fn container(&mut self) -> Result<(Option<u8>, Option<u64>), Error> {
        let marker = if self.skip(b'$') { Some(self.byte()?) } else { None };
        if marker.is_some_and(|marker| !b"iUIlLdDSHC[{".contains(&marker)) {
            return Err(self.wrong("a list of elements that take no bytes"));
        }
        let count = if self.skip(b'#') { Some(self.length()?) } else { None };
        match (marker, count) {
            (Some(_), None) => Err(self.wrong("a container with a type and no length")),
            // Every element takes a byte at least, a key's length two more.
            (_, Some(count)) if count > self.left.len() as u64 => Err(self.wrong("a container longer than the file")),
            _ => Ok((marker, count)),
        }
    }
}

impl<'de, 'a> Deserializer<'de> for Item<'_, 'a> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let reader = self.reader;
        let marker = match self.marker {
            Some(marker) => marker,
            None => reader.marker()?,
        };
        match marker {
            b'Z' => visitor.visit_unit(),
            b'T' => visitor.visit_bool(true),
            b'F' => visitor.visit_bool(false),
            b'i' | b'U' | b'I' | b'l' | b'L' => visitor.visit_i64(reader.integer(marker)?),
            b'd' => visitor.visit_f32(f32::from_be_bytes(reader.array()?)),
            b'D' => visitor.visit_f64(f64::from_be_bytes(reader.array()?)),
            b'S' | b'H' => visitor.visit_str(reader.text()?),
            b'C' => visitor.visit_char(char::from(reader.byte()?)),
            b'[' | b'{' => {
                if reader.depth == MAX_DEPTH {
                    return Err(reader.wrong(format!("more than {MAX_DEPTH} containers inside one another")));
                }
                reader.depth += 1;
                let end = if marker == b'[' { b']' } else { b'}' };
                let (element, count) = reader.container()?;
                let mut container = Container { reader, marker: element, count, end };
                let value = if marker == b'[' {
                    visitor.visit_seq(&mut container)?
                } else {
                    visitor.visit_map(&mut container)?
                };
                if !container.at_end()? {
                    return Err(container.reader.wrong("a container that was not read to its end"));
                }
                container.reader.depth -= 1;
                Ok(value)
            }
            other => Err(reader.wrong(format!("no value has the marker {other:#04x}"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.marker.is_none() && self.reader.skip(b'Z') { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl Container<'_, '_> {
    /// Whether there is no further element; steps over what ends the container.
    fn at_end(&mut self) -> Result<bool, Error> {
        match self.count {
            Some(count) => Ok(count == 0),
            None => {
                while self.reader.skip(b'N') {}
                if !self.reader.skip(self.end) {
                    return Ok(false);
                }
                // Asked again, the end is still the end.
                self.count = Some(0);
                Ok(true)
            }
        }
    }

    fn take_one(&mut self) {
        if let Some(count) = &mut self.count {
            *count -= 1;
        }
    }
}

impl<'de> SeqAccess<'de> for Container<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.at_end()? {
            return Ok(None);
        }
        self.take_one();
        seed.deserialize(Item { reader: self.reader, marker: self.marker }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.count.and_then(|count| usize::try_from(count).ok())
    }
}

impl<'de> MapAccess<'de> for Container<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if self.at_end()? {
            return Ok(None);
        }
        self.take_one();
        let key: StrDeserializer<Error> = de::IntoDeserializer::into_deserializer(self.reader.text()?);
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(Item { reader: self.reader, marker: self.marker })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(bytes: &[u8]) -> Result<Value, Error> {
        from_slice(bytes)
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let object = b"{i\x01aZi\x01bTi\x01cU\xC8i\x01dI\x01\x00i\x01el\xFF\xFF\xFF\xFFi\x01fL\0\0\0\0\0\0\0\x05i\x01gd\x3F\x80\0\0i\x01hSi\x02hii\x01iCx}";
        let wanted = json!({"a": null, "b": true, "c": 200, "d": 256, "e": -1, "f": 5, "g": 1.0, "h": "hi", "i": "x"});
        assert_eq!(read(object).unwrap(), wanted);
        assert_eq!(read(b"[[i\x01]N[]{}N]N").unwrap(), json!([[1], [], {}]));
        assert_eq!(read(b"[$d#i\x02\x3F\x80\0\0\xC0\0\0\0").unwrap(), json!([1.0, -2.0]));
        assert_eq!(read(b"[$U#U\x03\x01\x02\x03").unwrap(), json!([1, 2, 3]));
        assert_eq!(read(b"[#i\x02i\x01T").unwrap(), json!([1, true]));
        assert_eq!(read(b"{$i#i\x01i\x01k\x07").unwrap(), json!({"k": 7}));
        assert_eq!(read(b"[$[#i\x02i\x01]]").unwrap(), json!([[1], []]));
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for bytes in [
            &b"[$T#l\x7F\xFF\xFF\xFF"[..],
            b"[$Z#l\x7F\xFF\xFF\xFF",
            b"[$N#l\x7F\xFF\xFF\xFF",
            b"[$d#L\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            b"[#l\x7F\xFF\xFF\xFFi\x01",
            b"SL\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            b"SL\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFx",
            b"[$d",
            b"[i\x01",
            b"{i\x01a",
            b"i",
            b"",
            b"i\x01i\x01",
            b"?",
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        assert!(read(&[b'['; 1 << 16]).unwrap_err().to_string().contains("inside one another"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(b"[]{}$#NZTFiUIlLdDSHC\x00\x01\x02\xFF".to_vec()), 0..64)) {
            let _ = read(&bytes);
        }
    }
}
