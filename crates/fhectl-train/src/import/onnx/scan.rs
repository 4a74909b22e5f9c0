//! A look at a file's fields before it is decoded.
//!
//! An empty message of two bytes becomes a struct of some two hundred, so a file could ask for a hundred times its size
//! in memory. Counting first keeps what is decoded near the size of the file.

use super::errors::invalid;
use fhectl_core::error::Result;
use prost::DecodeError;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// The most messages and texts in a file: nodes, attributes, tensors, names.
const MAX_ITEMS: usize = 1 << 22;

/// The messages that hold lists of others.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Body,
    BodyNode,
    /// Holds no list that is decoded.
    Leaf,
}

impl Kind {
    /// What a field of this message holds; `None` where it takes no memory beyond its bytes.
    fn field(self, tag: u32) -> Option<Self> {
        Some(match (self, tag) {
            (Self::Model, 7) => Self::Graph,
            (Self::Model, 8 | 14 | 25) => Self::Leaf,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5) => Self::Tensor,
            (Self::Graph, 11 | 12) => Self::ValueInfo,
            (Self::Graph, 15) => Self::Leaf,
            (Self::Node, 1 | 2) | (Self::Attribute, 9) | (Self::Tensor, 6 | 13) => Self::Leaf,
            (Self::Node, 5) => Self::Attribute,
            (Self::Attribute, 6) => Self::Body,
            (Self::Body, 1) => Self::BodyNode,
            (Self::BodyNode, 4) => Self::Leaf,
            (Self::ValueInfo, 2) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Shape, 1) => Self::Leaf,
            _ => return None,
        })
    }
}

/// # Errors
/// `onnx_invalid` where the bytes are no protocol buffer or hold more than [`MAX_ITEMS`] messages and texts.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let mut left = MAX_ITEMS;
    match walk(bytes, Kind::Model, &mut left) {
        Ok(()) => Ok(()),
        Err(_) if left == 0 => Err(invalid(format!("more than {MAX_ITEMS} nodes, attributes, tensors and names"))),
        Err(error) => Err(not_a_model(&error)),
    }
}

pub(super) fn not_a_model(error: &DecodeError) -> fhectl_core::error::Error {
    invalid(format!("not an ONNX model: {error}"))
}

fn walk(mut bytes: &[u8], kind: Kind, left: &mut usize) -> Result<(), DecodeError> {
    while !bytes.is_empty() {
        let (tag, wire) = decode_key(&mut bytes)?;
        match kind.field(tag).filter(|_| wire == WireType::LengthDelimited) {
            None => skip_field(wire, tag, &mut bytes, DecodeContext::default())?,
            Some(inner) => {
                let length = usize::try_from(decode_varint(&mut bytes)?).unwrap_or(usize::MAX);
                let Some(part) = bytes.get(..length).filter(|_| *left > 0) else {
                    // Either way there is nothing to go on with; the decoder finds the words for a short buffer.
                    return skip_field(wire, tag, &mut &[0xFFu8, 0x7F][..], DecodeContext::default());
                };
                *left -= 1;
                if !matches!(inner, Kind::Leaf) {
                    walk(part, inner, left)?;
                }
                bytes.advance(length);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::error::ErrorCode;

    #[test]
    fn many_empty_nodes_are_refused_before_they_are_decoded() {
        let graph = [0x0A, 0x00].repeat(MAX_ITEMS + 1);
        let mut model = vec![0x3A];
        let mut length = graph.len();
        while length > 127 {
            model.push((length & 127) as u8 | 128);
            length >>= 7;
        }
        model.push(length as u8);
        model.extend(graph);
        assert!(check(&model).unwrap_err().message.contains("more than"));
        assert_eq!(check(&model[..model.len() / 2]).unwrap_err().code, ErrorCode::OnnxInvalid);
        check(&[0x3A, 2, 0x0A, 0]).unwrap();
    }
}
