//! Thrift's compact protocol, read without trust.
//!
//! The reader of Parquet takes a field by its number and does not look at its kind, nor at how often it comes. What is read
//! here to bound what that reader does is only of use where both see the same, so a structure that is not written as its
//! definition says is refused.

/// Beyond so many structures within structures nothing is read.
pub(super) const DEPTH: usize = 12;

pub(super) const BOOL: u8 = 1;
const FALSE: u8 = 2;
pub(super) const BYTE: u8 = 3;
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
pub(super) const STRUCT: u8 = 12;

/// The fields of a structure that a reader knows: number, kind, and what a structure holds in turn.
#[derive(Debug)]
pub(super) struct Shape(pub &'static [(i64, u8, Option<&'static Self>)]);

/// Bytes, and how far they are read.
#[derive(Debug, Clone)]
pub(super) struct Thrift<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    }

    /// A whole number of 32 bits; others would keep the lowest bits of a longer one.
    pub fn int32(&mut self) -> Option<i64> {
        self.int().filter(|value| i32::try_from(*value).is_ok())
    }

    fn int(&mut self) -> Option<i64> {
        self.varint().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(bytes).ok()?).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    /// The kind and number of the next field, which is greater than the one before; `Some(None)` at the end of the
    /// structure.
    fn field(&mut self, last: &mut i64) -> Option<Option<(u8, i64)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        let number = match byte >> 4 {
            0 => self.int()?,
            step => last.checked_add(i64::from(step))?,
        };
        // Others keep the lowest 16 bits alone, and the last of several.
        if number <= *last || number > i64::from(i16::MAX) {
            return None;
        }
        *last = number;
        Some(Some((byte & 15, *last)))
    }

    /// The kind of a list's items and how many there are, no more than there are bytes.
    pub fn list(&mut self) -> Option<(u8, u64)> {
        let byte = self.byte()?;
        let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
        (count <= (self.bytes.len() - self.at) as u64).then_some((byte & 15, count))
    }

    /// Passes over a structure; `None` where a field is of another kind than `shape` says.
    pub fn conforms(&mut self, shape: &Shape) -> Option<()> {
        self.fields(|this, kind, number| {
            let Some((_, wanted, inner)) = shape.0.iter().find(|field| field.0 == number) else {
                return this.skip(kind, DEPTH, false);
            };
            // Of a field that is true or false the kind is the value.
            if kind != *wanted && (kind, *wanted) != (FALSE, BOOL) {
                return None;
            }
            match inner {
                Some(inner) => this.conforms(inner),
                None => this.skip(kind, DEPTH, false),
            }
        })
    }

    pub fn skip(&mut self, kind: u8, depth: usize, in_list: bool) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // A field's kind is its value; an item has a byte.
            1 | 2 => self.pass(u64::from(in_list)),
            3 => self.pass(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(length)
            }
            9 | 10 => {
                let (kind, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip(kind, depth, true))
            }
            12 => self.fields(|this, kind, _| this.skip(kind, depth, false)),
            _ => None,
        }
    }

    /// Reads a structure; `visit` reads each field, of which it is told the kind and the number.
    pub fn fields(&mut self, mut visit: impl FnMut(&mut Self, u8, i64) -> Option<()>) -> Option<()> {
        let mut last = 0;
        while let Some((kind, number)) = self.field(&mut last)? {
            visit(self, kind, number)?;
        }
        Some(())
    }
}
