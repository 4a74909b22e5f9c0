//! What a Parquet file says of its own sizes, before the reader of Parquet believes it.
//!
//! It is written in Thrift's compact protocol: of a structure the fields that matter here are read and all others skipped.

/// Beyond so many structures within structures nothing is read.
const DEPTH: usize = 12;

struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
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

    fn int(&mut self) -> Option<i64> {
        self.varint().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(bytes).ok()?).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    /// The kind and number of the next field; `Some(None)` at the end of the structure.
    fn field(&mut self, last: &mut i64) -> Option<Option<(u8, i64)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *last = match byte >> 4 {
            0 => self.int()?,
            step => last.checked_add(i64::from(step))?,
        };
        Some(Some((byte & 15, *last)))
    }

    /// The kind of a list's items and how many there are, no more than there are bytes.
    fn list(&mut self) -> Option<(u8, u64)> {
        let byte = self.byte()?;
        let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
        (count <= (self.bytes.len() - self.at) as u64).then_some((byte & 15, count))
    }

    fn skip(&mut self, kind: u8, depth: usize, in_list: bool) -> Option<()> {
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

    fn fields(&mut self, mut visit: impl FnMut(&mut Self, u8, i64) -> Option<()>) -> Option<()> {
        let mut last = 0;
        while let Some((kind, number)) = self.field(&mut last)? {
            visit(self, kind, number)?;
        }
        Some(())
    }
}

/// The sizes in a page's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PageSizes {
    /// Bytes of the header itself.
    pub header: u64,
    pub packed: u64,
    pub unpacked: u64,
    pub values: u64,
    pub is_dictionary: bool,
}

/// The sizes in the header that `bytes` begin with; `None` where they are no header, or a part of one.
pub(super) fn page_sizes(bytes: &[u8]) -> Option<PageSizes> {
    let mut thrift = Thrift { bytes, at: 0 };
    let mut sizes = PageSizes::default();
    let mut page = None;
    thrift.fields(|thrift, kind, number| {
        match (kind, number) {
            (5, 1) => page = Some(thrift.int()?),
            (5, 2) => sizes.unpacked = thrift.int()?.try_into().ok()?,
            (5, 3) => sizes.packed = thrift.int()?.try_into().ok()?,
            // Data pages of both versions and dictionaries: the number of values comes first in each.
            (12, 5 | 7 | 8) => thrift.fields(|thrift, kind, number| match (kind, number) {
                (5, 1) => {
                    sizes.values = thrift.int()?.try_into().ok()?;
                    Some(())
                }
                _ => thrift.skip(kind, DEPTH, false),
            })?,
            _ => thrift.skip(kind, DEPTH, false)?,
        }
        Some(())
    })?;
    sizes.header = thrift.at as u64;
    sizes.is_dictionary = page? == 2;
    Some(sizes)
}

/// How many structures of the schema lie in each other at most; `None` where `footer` is no description of a file.
pub(super) fn schema_depth(footer: &[u8]) -> Option<usize> {
    let mut thrift = Thrift { bytes: footer, at: 0 };
    let mut deepest = None;
    thrift.fields(|thrift, kind, number| {
        if (kind, number) != (9, 2) {
            return thrift.skip(kind, DEPTH, false);
        }
        let (item, count) = thrift.list()?;
        // How many children are still to come, of each structure around.
        let mut open: Vec<i64> = Vec::new();
        let mut most = 0;
        for _ in 0..count {
            let mut children = 0;
            if item != 12 {
                return None;
            }
            thrift.fields(|thrift, kind, number| match (kind, number) {
                (5, 5) => {
                    children = thrift.int()?;
                    Some(())
                }
                _ => thrift.skip(kind, DEPTH, false),
            })?;
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                open.push(children);
            }
            most = most.max(open.len());
        }
        deepest = Some(most);
        Some(())
    })?;
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_past_other_fields() {
        // A data page of 10 bytes, 7 packed, a checksum, 3 values in encoding 0.
        let header = [0x15, 0, 0x15, 20, 0x15, 14, 0x15, 5, 0x1c, 0x15, 6, 0x15, 0, 0, 0];
        let sizes = page_sizes(&header).unwrap();
        assert_eq!((sizes.header, sizes.unpacked, sizes.packed, sizes.values), (15, 10, 7, 3));
        assert!(!sizes.is_dictionary);
        for end in 0..header.len() {
            assert_eq!(page_sizes(&header[..end]), None);
        }
    }

    #[test]
    fn nesting_is_counted_and_never_followed() {
        let group = [0x48, 1, b'g', 0x15, 2, 0];
        let footer = |count: usize| {
            let mut bytes = vec![0x15, 2, 0x19, 0xfc];
            let mut left = count;
            while left >= 128 {
                bytes.push(left as u8 | 128);
                left >>= 7;
            }
            bytes.push(left as u8);
            bytes.extend(group.repeat(count));
            bytes.push(0);
            bytes
        };
        assert_eq!(schema_depth(&footer(300)), Some(300));
        assert_eq!(schema_depth(&footer(100_000)), Some(100_000));
        // Lists in lists end where the depth does.
        assert_eq!(page_sizes(&[0x19].repeat(1 << 20)), None);
    }
}
