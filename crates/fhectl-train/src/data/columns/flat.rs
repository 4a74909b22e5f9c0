//! FlatBuffers, in which Arrow describes its bytes, read without trust in any offset.

/// A table: fields by number, each of which may be absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: usize,
    fields_length: usize,
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

impl<'a> Table<'a> {
    /// The table that a buffer begins with.
    pub fn root(bytes: &'a [u8]) -> Option<Self> {
        Self::at(bytes, u32::from_le_bytes(array(bytes, 0)?) as usize)
    }

    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        let back = i64::from(i32::from_le_bytes(array(bytes, at)?));
        let fields = usize::try_from(i64::try_from(at).ok()? - back).ok()?;
        let fields_length = usize::from(u16::from_le_bytes(array(bytes, fields)?));
        bytes.get(fields..fields.checked_add(fields_length)?)?;
        Some(Self { bytes, at, fields, fields_length })
    }

    /// Where the field lies, if it is there.
    fn field(&self, number: usize) -> Option<usize> {
        let entry = 4 + 2 * number;
        if entry + 2 > self.fields_length {
            return None;
        }
        match u16::from_le_bytes(array(self.bytes, self.fields + entry)?) {
            0 => None,
            offset => self.at.checked_add(usize::from(offset)),
        }
    }

    pub fn byte(&self, number: usize, absent: u8) -> u8 {
        self.field(number).and_then(|at| array::<1>(self.bytes, at)).map_or(absent, |[byte]| byte)
    }

    pub fn short(&self, number: usize, absent: i16) -> i16 {
        self.field(number).and_then(|at| array(self.bytes, at)).map_or(absent, i16::from_le_bytes)
    }

    pub fn int(&self, number: usize, absent: i32) -> i32 {
        self.field(number).and_then(|at| array(self.bytes, at)).map_or(absent, i32::from_le_bytes)
    }

    pub fn long(&self, number: usize, absent: i64) -> i64 {
        self.field(number).and_then(|at| array(self.bytes, at)).map_or(absent, i64::from_le_bytes)
    }

    /// What an offset at `at` leads to.
    fn follow(bytes: &[u8], at: usize) -> Option<usize> {
        at.checked_add(u32::from_le_bytes(array(bytes, at)?) as usize)
    }

    pub fn table(&self, number: usize) -> Option<Self> {
        Self::at(self.bytes, Self::follow(self.bytes, self.field(number)?)?)
    }

    pub fn text(&self, number: usize) -> Option<&'a str> {
        let vector = self.vector(number, 1)?;
        std::str::from_utf8(self.bytes.get(vector.start..vector.start + vector.len)?).ok()
    }

    /// A list of items of `width` bytes each, all of which lie in the buffer.
    pub fn vector(&self, number: usize, width: usize) -> Option<Vector<'a>> {
        let at = Self::follow(self.bytes, self.field(number)?)?;
        let len = u32::from_le_bytes(array(self.bytes, at)?) as usize;
        let start = at.checked_add(4)?;
        self.bytes.get(start..start.checked_add(len.checked_mul(width)?)?)?;
        Some(Vector { bytes: self.bytes, start, len, width })
    }
}

/// A list of items of one width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vector<'a> {
    bytes: &'a [u8],
    start: usize,
    pub len: usize,
    width: usize,
}

impl<'a> Vector<'a> {
    /// The table that the item at `index` leads to.
    pub fn table(&self, index: usize) -> Option<Table<'a>> {
        let at = Table::follow(self.bytes, self.start.checked_add(index.checked_mul(self.width)?)?)?;
        Table::at(self.bytes, at)
    }

    /// The word at byte `offset` of the item at `index`.
    pub fn long(&self, index: usize, offset: usize) -> Option<i64> {
        if index >= self.len || offset + 8 > self.width {
            return None;
        }
        array(self.bytes, self.start + index * self.width + offset).map(i64::from_le_bytes)
    }
}
