//! What a Parquet file says of its own sizes, before the reader of Parquet believes it.
//!
//! Of each structure the fields that matter here are read and all others skipped.

use super::thrift::{BINARY, BOOL, BYTE, DEPTH, I32, I64, LIST, STRUCT, Shape, Thrift};

const EMPTY: Shape = Shape(&[]);

const STATISTICS: Shape = Shape(&[
    (1, BINARY, None),
    (2, BINARY, None),
    (3, I64, None),
    (4, I64, None),
    (5, BINARY, None),
    (6, BINARY, None),
    (7, BOOL, None),
    (8, BOOL, None),
    (9, I64, None),
]);

const PAGE: Shape = Shape(&[
    (1, I32, None),
    (2, I32, None),
    (3, I32, None),
    (4, I32, None),
    (
        5,
        STRUCT,
        Some(&Shape(&[(1, I32, None), (2, I32, None), (3, I32, None), (4, I32, None), (5, STRUCT, Some(&STATISTICS))])),
    ),
    (6, STRUCT, Some(&EMPTY)),
    (7, STRUCT, Some(&Shape(&[(1, I32, None), (2, I32, None), (3, BOOL, None)]))),
    (
        8,
        STRUCT,
        Some(&Shape(&[
            (1, I32, None),
            (2, I32, None),
            (3, I32, None),
            (4, I32, None),
            (5, I32, None),
            (6, I32, None),
            (7, BOOL, None),
            (8, STRUCT, Some(&STATISTICS)),
        ])),
    ),
]);

const UNIT: Shape = Shape(&[(1, STRUCT, Some(&EMPTY)), (2, STRUCT, Some(&EMPTY)), (3, STRUCT, Some(&EMPTY))]);
const MOMENT: Shape = Shape(&[(1, BOOL, None), (2, STRUCT, Some(&UNIT))]);

/// What the values of a column mean.
const MEANING: Shape = Shape(&[
    (1, STRUCT, Some(&EMPTY)),
    (2, STRUCT, Some(&EMPTY)),
    (3, STRUCT, Some(&EMPTY)),
    (4, STRUCT, Some(&EMPTY)),
    (5, STRUCT, Some(&Shape(&[(1, I32, None), (2, I32, None)]))),
    (6, STRUCT, Some(&EMPTY)),
    (7, STRUCT, Some(&MOMENT)),
    (8, STRUCT, Some(&MOMENT)),
    (10, STRUCT, Some(&Shape(&[(1, BYTE, None), (2, BOOL, None)]))),
    (11, STRUCT, Some(&EMPTY)),
    (12, STRUCT, Some(&EMPTY)),
    (13, STRUCT, Some(&EMPTY)),
    (14, STRUCT, Some(&EMPTY)),
    (15, STRUCT, Some(&EMPTY)),
    (16, STRUCT, Some(&Shape(&[(1, BYTE, None)]))),
    (17, STRUCT, Some(&Shape(&[(1, BINARY, None)]))),
    (18, STRUCT, Some(&Shape(&[(1, BINARY, None), (2, I32, None)]))),
    (19, STRUCT, Some(&EMPTY)),
]);

/// A column, or a record of several.
const ELEMENT: Shape = Shape(&[
    (1, I32, None),
    (2, I32, None),
    (3, I32, None),
    (4, BINARY, None),
    (5, I32, None),
    (6, I32, None),
    (7, I32, None),
    (8, I32, None),
    (9, I32, None),
    (10, STRUCT, Some(&MEANING)),
]);

/// The sizes in a page's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PageSizes {
    /// Bytes of the header itself.
    pub header: u64,
    pub packed: u64,
    pub unpacked: u64,
    pub values: u64,
    pub is_dictionary: bool,
    /// Bytes before the values that are never packed, and whether the values are not, either.
    pub levels: u64,
    pub is_plain: bool,
}

/// The sizes in the header that `bytes` begin with; `None` where they are no header, or a part of one.
pub(super) fn page_sizes(bytes: &[u8]) -> Option<PageSizes> {
    let mut thrift = Thrift { bytes, at: 0 };
    thrift.clone().conforms(&PAGE)?;
    let mut sizes = PageSizes::default();
    let mut page = None;
    let mut headers = 0;
    thrift.fields(|thrift, kind, number| {
        match (kind, number) {
            (I32, 1) => page = Some(thrift.int32()?),
            (I32, 2) => sizes.unpacked = thrift.int32()?.try_into().ok()?,
            (I32, 3) => sizes.packed = thrift.int32()?.try_into().ok()?,
            // Data pages of both versions and dictionaries: the number of values comes first in each.
            (STRUCT, 5 | 7 | 8) => {
                headers += 1;
                thrift.fields(|thrift, kind, inner| {
                    match (kind, inner) {
                        (I32, 1) => sizes.values = thrift.int32()?.try_into().ok()?,
                        (I32, 5 | 6) if number == 8 => sizes.levels += u64::try_from(thrift.int32()?).ok()?,
                        (_, 7) if number == 8 => sizes.is_plain = kind != BOOL,
                        _ => thrift.skip(kind, DEPTH, false)?,
                    }
                    Some(())
                })?;
            }
            _ => thrift.skip(kind, DEPTH, false)?,
        }
        Some(())
    })?;
    sizes.header = thrift.at as u64;
    sizes.is_dictionary = page? == 2;
    // Of several the reader of Parquet takes the one that the page's kind says.
    (headers <= 1).then_some(sizes)
}

/// How many structures of the schema lie in each other at most; `None` where `footer` is no description of a file.
///
/// The schema is a list of structures, each of which says how many of the next ones are its parts.
pub(super) fn schema_depth(footer: &[u8]) -> Option<usize> {
    let mut thrift = Thrift { bytes: footer, at: 0 };
    let mut deepest = None;
    let mut before = 0;
    thrift.fields(|thrift, kind, number| {
        if number != 2 {
            // Only the version comes before it.
            let known = before > 0 || (kind, number) == (I32, 1);
            before = number;
            return known.then_some(()).and_then(|()| thrift.skip(kind, DEPTH, false));
        }
        before = number;
        let (STRUCT, count) = (kind == LIST).then(|| thrift.list())?? else { return None };
        deepest = Some(deepest_of(thrift, count)?);
        Some(())
    })?;
    deepest
}

/// The same of a list of `count` structures.
fn deepest_of(thrift: &mut Thrift<'_>, count: u64) -> Option<usize> {
    // How many parts are still to come, of each structure around.
    let mut open: Vec<u64> = Vec::new();
    let (mut most, mut parts) = (0, 0u64);
    for _ in 0..count {
        thrift.clone().conforms(&ELEMENT)?;
        let mut own = 0;
        thrift.fields(|thrift, kind, number| match number {
            5 => {
                own = u64::try_from(thrift.int32()?).ok()?;
                Some(())
            }
            _ => thrift.skip(kind, DEPTH, false),
        })?;
        // Every structure but the first is a part of one other.
        parts = parts.checked_add(own).filter(|parts| *parts < count)?;
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if own > 0 {
            open.push(own);
        }
        most = most.max(open.len());
    }
    Some(most)
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
        assert!(!sizes.is_dictionary && !sizes.is_plain && sizes.levels == 0);
        // One of the second version, with 4 and 2 bytes of levels, and nothing packed.
        let header =
            [0x15, 6, 0x15, 20, 0x15, 14, 0x5c, 0x15, 6, 0x15, 0, 0x15, 6, 0x15, 0, 0x15, 8, 0x15, 4, 0x12, 0, 0];
        let sizes = page_sizes(&header).unwrap();
        assert_eq!((sizes.values, sizes.levels, sizes.is_plain), (3, 6, true));
        let header = [0x15, 0, 0x15, 20, 0x15, 14, 0x15, 5, 0x1c, 0x15, 6, 0x15, 0, 0, 0];
        for end in 0..header.len() {
            assert_eq!(page_sizes(&header[..end]), None);
        }
    }

    #[test]
    fn nesting_is_counted_and_never_followed() {
        let group = [0x48, 1, b'g', 0x15, 2, 0];
        let last = [0x48, 1, b'g', 0];
        let footer = |count: usize| {
            let mut bytes = vec![0x15, 2, 0x19, 0xfc];
            let mut left = count;
            while left >= 128 {
                bytes.push(left as u8 | 128);
                left >>= 7;
            }
            bytes.push(left as u8);
            bytes.extend(group.repeat(count - 1));
            bytes.extend(last);
            bytes.push(0);
            bytes
        };
        assert_eq!(schema_depth(&footer(300)), Some(299));
        assert_eq!(schema_depth(&footer(100_000)), Some(99_999));
        // Lists in lists end where the depth does.
        assert_eq!(page_sizes(&[0x19].repeat(1 << 20)), None);
    }

    #[test]
    fn a_record_of_more_parts_than_there_are_is_refused() {
        let schema = |parts: u8| [0x15, 2, 0x19, 0x2c, 0x48, 1, b'r', 0x15, 2 * parts, 0, 0x48, 1, b'a', 0, 0];
        assert_eq!(schema_depth(&schema(1)), Some(1));
        // The reader of Parquet makes room for as many as are named.
        for parts in [2, 60] {
            assert_eq!(schema_depth(&schema(parts)), None);
        }
        let minus_one = [0x15, 2, 0x19, 0x2c, 0x48, 1, b'r', 0x15, 1, 0, 0x48, 1, b'a', 0, 0];
        assert_eq!(schema_depth(&minus_one), None);
    }

    #[test]
    fn what_readers_may_take_for_something_else_is_refused() {
        let page = [0x15, 0, 0x15, 20, 0x15, 14, 0x15, 5, 0x1c, 0x15, 6, 0x15, 0, 0, 0];
        assert!(page_sizes(&page).is_some());
        // The size once more: again under its number, as a longer whole number, and under 65538.
        for twice in [&[0x05, 4, 99][..], &[0x06, 4, 99], &[0x05, 0x84, 0x80, 0x08, 99]] {
            let bytes: Vec<u8> = [&page[..8], twice, &page[8..]].concat();
            assert_eq!(page_sizes(&bytes), None, "{twice:02x?}");
        }
        let longer = [0x15, 0, 0x16, 20, 0x15, 14, 0x15, 5, 0x1c, 0x15, 6, 0x15, 0, 0, 0];
        assert_eq!(page_sizes(&longer), None);
        // The schema in a text, and one that is called a set.
        assert_eq!(schema_depth(&[0x18, 2, 0x19, 0x0c, 0x19, 0x0c, 0]), None);
        assert_eq!(schema_depth(&[0x15, 2, 0x1a, 0x0c, 0]), None);
        assert_eq!(schema_depth(&[0x15, 2, 0x19, 0x0c, 0]), Some(0));
    }
}
