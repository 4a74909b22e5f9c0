//! Tensors of an ONNX file, their shapes checked against their data.

use super::errors::{invalid, unsupported};
use super::external::is_external;
use super::proto::TensorProto;
use fhectl_core::error::Result;

/// The most dimensions of a tensor.
const MAX_RANK: usize = 8;

/// Numbers or texts in row-major order. The product of `shape` is the number of elements; a scalar has no dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub data: TensorData,
}

/// The elements of a [`Tensor`].
#[derive(Debug, Clone, PartialEq)]
pub enum TensorData {
    /// Floats of any size. `double` where the file holds 64 bits each: then nothing was or is to be rounded to 32.
    Floats {
        values: Vec<f64>,
        double: bool,
    },
    /// Integers of any size, and booleans as 0 and 1.
    Ints(Vec<i64>),
    Texts(Vec<String>),
}

impl Tensor {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match &self.data {
            TensorData::Floats { values, .. } => values.len(),
            TensorData::Ints(values) => values.len(),
            TensorData::Texts(values) => values.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as floats, be they floats or integers.
    ///
    /// # Errors
    /// `onnx_unsupported` for texts, `onnx_invalid` for a float that is not finite.
    pub fn floats(&self) -> Result<Vec<f64>> {
        let values = match &self.data {
            TensorData::Floats { values, .. } => values.clone(),
            TensorData::Ints(values) => values.iter().map(|value| *value as f64).collect(),
            TensorData::Texts(_) => return Err(unsupported("a tensor of texts where numbers are needed")),
        };
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(invalid(format!("element {at} of a tensor is {}", values[at]))),
            None => Ok(values),
        }
    }

    /// The elements as integers.
    ///
    /// # Errors
    /// `onnx_unsupported` where they are none.
    pub fn ints(&self) -> Result<&[i64]> {
        match &self.data {
            TensorData::Ints(values) => Ok(values),
            _ => Err(unsupported("a tensor of other elements where integers are needed")),
        }
    }

    /// Reads a tensor of the file.
    ///
    /// # Errors
    /// `onnx_invalid` where shape and data differ; `onnx_unsupported` for external data and element types that no model
    /// here has.
    pub(super) fn read(proto: &TensorProto) -> Result<Self> {
        read(proto).map_err(|error| error.context(format!("tensor `{}`", proto.name.escape_debug())))
    }

    /// One float that an attribute gives directly.
    pub(super) fn of_floats(values: &[f32], shape: Vec<usize>) -> Self {
        let values = values.iter().map(|value| f64::from(*value)).collect();
        Self { shape, data: TensorData::Floats { values, double: false } }
    }
}

fn read(proto: &TensorProto) -> Result<Tensor> {
    if is_external(proto) {
        return Err(unsupported("its data lies in another file")
            .hint("read the model from its folder, where that file is, or save it with its weights inside"));
    }
    let (shape, count) = shape(&proto.dims)?;
    let raw = &proto.raw_data;
    let data = match proto.data_type {
        1 if raw.is_empty() => floats(proto.float_data.iter().map(|value| f64::from(*value)).collect(), false),
        1 => floats(words(raw, |bytes| f64::from(f32::from_le_bytes(bytes)))?, false),
        11 if raw.is_empty() => floats(proto.double_data.clone(), true),
        11 => floats(words(raw, f64::from_le_bytes)?, true),
        10 if raw.is_empty() => floats(proto.int32_data.iter().map(|bits| half(*bits as u16)).collect(), false),
        10 => floats(words(raw, |bytes| half(u16::from_le_bytes(bytes)))?, false),
        7 if raw.is_empty() => TensorData::Ints(proto.int64_data.clone()),
        7 => TensorData::Ints(words(raw, i64::from_le_bytes)?),
        2..=6 | 9 if raw.is_empty() => TensorData::Ints(proto.int32_data.iter().map(|v| i64::from(*v)).collect()),
        6 => TensorData::Ints(words(raw, |bytes| i64::from(i32::from_le_bytes(bytes)))?),
        3 => TensorData::Ints(words(raw, |bytes| i64::from(i8::from_le_bytes(bytes)))?),
        4 => TensorData::Ints(words(raw, |bytes| i64::from(u16::from_le_bytes(bytes)))?),
        5 => TensorData::Ints(words(raw, |bytes| i64::from(i16::from_le_bytes(bytes)))?),
        21 | 22 => TensorData::Ints(nibbles(proto, count)?),
        2 | 9 => TensorData::Ints(raw.iter().map(|byte| i64::from(*byte)).collect()),
        8 => {
            let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).map_err(|_| invalid("a text is not UTF-8"));
            TensorData::Texts(proto.string_data.iter().map(text).collect::<Result<_>>()?)
        }
        other => {
            return Err(unsupported(format!("elements of ONNX type {other}"))
                .hint("floats of 16, 32 and 64 bits, integers and texts are read; convert the model to float32"));
        }
    };
    let tensor = Tensor { shape, data };
    if tensor.len() as u64 != count {
        return Err(invalid(format!("{} elements for the shape {:?}", tensor.len(), tensor.shape)));
    }
    Ok(tensor)
}

fn floats(values: Vec<f64>, double: bool) -> TensorData {
    TensorData::Floats { values, double }
}

/// A shape and the number of its elements.
fn shape(dims: &[i64]) -> Result<(Vec<usize>, u64)> {
    if dims.len() > MAX_RANK {
        return Err(unsupported(format!("{} dimensions, at most {MAX_RANK} are read", dims.len())));
    }
    let mut shape = Vec::with_capacity(dims.len());
    let mut count = 1u64;
    for dim in dims {
        let size = u32::try_from(*dim).map_err(|_| invalid(format!("a dimension of {dim}")))?;
        // Whatever does not fit is no file's: data must come with the shape.
        count = count.saturating_mul(u64::from(size));
        shape.push(size as usize);
    }
    Ok((shape, count))
}

fn words<const N: usize, T>(raw: &[u8], word: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
    let (words, rest) = raw.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(invalid(format!("{} bytes for elements of {N}", raw.len())));
    }
    Ok(words.iter().map(|bytes| word(*bytes)).collect())
}

/// Integers of four bits, two a byte, the lower first; signed where the type is 22.
fn nibbles(proto: &TensorProto, count: u64) -> Result<Vec<i64>> {
    let listed = || proto.int32_data.iter().map(|word| *word as u8).collect();
    let bytes: Vec<u8> = if proto.raw_data.is_empty() { listed() } else { proto.raw_data.clone() };
    if bytes.len() as u64 != count.div_ceil(2) {
        return Err(invalid(format!("{} bytes for {count} elements of four bits", bytes.len())));
    }
    let value =
        |nibble: u8| if proto.data_type == 22 && nibble > 7 { i64::from(nibble) - 16 } else { i64::from(nibble) };
    let values = bytes.iter().flat_map(|byte| [byte & 15, byte >> 4]).map(value);
    Ok(values.take(usize::try_from(count).unwrap_or(usize::MAX)).collect())
}

/// The value of an IEEE 754 half-precision float.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::error::ErrorCode;

    fn proto(dims: Vec<i64>, data_type: i32, raw_data: Vec<u8>) -> TensorProto {
        TensorProto { dims, data_type, raw_data, name: "w".into(), ..TensorProto::default() }
    }

    #[test]
    fn every_element_type_is_read() {
        let read = |data_type, raw: &[u8]| Tensor::read(&proto(vec![1], data_type, raw.to_vec())).unwrap();
        assert_eq!(read(1, &1.5f32.to_le_bytes()).floats().unwrap(), [1.5]);
        assert_eq!(read(11, &0.1f64.to_le_bytes()).floats().unwrap(), [0.1]);
        assert_eq!(read(10, &0xC100u16.to_le_bytes()).floats().unwrap(), [-2.5]);
        assert_eq!(read(10, &1u16.to_le_bytes()).floats().unwrap(), [2f64.powi(-24)]);
        assert_eq!(read(7, &(-3i64).to_le_bytes()).ints().unwrap(), [-3]);
        assert_eq!(read(6, &(-3i32).to_le_bytes()).ints().unwrap(), [-3]);
        assert_eq!(read(3, &[0xFF]).ints().unwrap(), [-1]);
        assert_eq!(read(9, &[1]).ints().unwrap(), [1]);
        assert_eq!(read(5, &(-300i16).to_le_bytes()).ints().unwrap(), [-300]);
        let four = |data_type| Tensor::read(&proto(vec![3], data_type, vec![0xF7, 0x08])).unwrap();
        assert_eq!(four(21).ints().unwrap(), [7, 15, 8]);
        assert_eq!(four(22).ints().unwrap(), [7, -1, -8]);
        let lists = TensorProto { float_data: vec![2.0, 3.0], ..proto(vec![2], 1, vec![]) };
        assert_eq!(Tensor::read(&lists).unwrap().floats().unwrap(), [2.0, 3.0]);
    }

    #[test]
    fn shapes_that_lie_are_refused() {
        let code = |proto: TensorProto| Tensor::read(&proto).unwrap_err().code;
        assert_eq!(code(proto(vec![-1], 1, vec![0; 4])), ErrorCode::OnnxInvalid);
        assert_eq!(code(proto(vec![50_000, 50_000], 1, vec![0; 4])), ErrorCode::OnnxInvalid);
        assert_eq!(code(proto(vec![u32::MAX.into(); 8], 1, vec![0; 4])), ErrorCode::OnnxInvalid);
        assert_eq!(code(proto(vec![1], 1, vec![0; 3])), ErrorCode::OnnxInvalid);
        assert_eq!(code(proto(vec![1; 9], 1, vec![0; 4])), ErrorCode::OnnxUnsupported);
        assert_eq!(code(proto(vec![1], 16, vec![0; 2])), ErrorCode::OnnxUnsupported);
        assert_eq!(code(TensorProto { data_location: 1, ..proto(vec![1], 1, vec![]) }), ErrorCode::OnnxUnsupported);
    }

    #[test]
    fn a_number_that_is_none_is_refused_where_numbers_are_needed() {
        let nan = Tensor::read(&proto(vec![1], 1, f32::NAN.to_le_bytes().to_vec())).unwrap();
        assert_eq!(nan.floats().unwrap_err().code, ErrorCode::OnnxInvalid);
    }
}
