//! What the columns of an Arrow file hold, and how many buffers each takes.

use super::flat::{Table, Vector};
use super::{MAX_COLUMNS, damaged, too_large};
use fhectl_core::error::{Error, ErrorCode, Result};

/// The most fields in each other.
const MAX_DEPTH: usize = 16;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    /// Bytes of each number, and whether it has a sign.
    Int(usize, bool),
    Half,
    Float,
    Double,
    /// Bytes of each, and digits behind the point.
    Decimal(usize, i32),
    /// Bytes of each, and how many make a day.
    Date(usize, i64),
    Moment(i64),
    Time(usize, i64),
    /// Bytes of each offset.
    Text(usize),
    TextView,
    /// What no model takes, in a person's words.
    Other(&'static str),
}

impl Kind {
    /// Bytes of a value, where all have as many.
    pub fn width(self) -> Option<usize> {
        Some(match self {
            Self::Int(width, _) | Self::Decimal(width, _) | Self::Date(width, _) | Self::Time(width, _) => width,
            Self::Half => 2,
            Self::Float => 4,
            Self::Double | Self::Moment(_) => 8,
            Self::TextView => 16,
            Self::Null | Self::Bool | Self::Text(_) | Self::Other(_) => return None,
        })
    }
}

/// A column, or a part of one that is nested.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub name: String,
    pub kind: Kind,
    /// How many buffers it has of its own, without those of long views.
    pub buffers: usize,
    /// Whether its batches tell how many more buffers it has.
    pub variadic: bool,
    /// Where its values are numbers of entries: of which list, and as what kind of whole number.
    pub dictionary: Option<(i64, Kind)>,
    pub children: Vec<Self>,
}

/// The schema's columns, and pandas' note on them.
#[derive(Debug, Clone, Default)]
pub(super) struct Schema {
    pub fields: Vec<Field>,
    pub pandas: Option<String>,
}

impl Schema {
    /// # Errors
    /// `data_format`, `data_too_large`.
    pub fn read(table: Table<'_>) -> Result<Self> {
        if table.short(0, 0) != 0 {
            return Err(Error::new(ErrorCode::DataFormat, "this Arrow file has the highest byte of its numbers first")
                .hint("write it on another machine, or as CSV"));
        }
        let mut left = MAX_COLUMNS;
        let fields = fields(table.vector(1, 4), MAX_DEPTH, &mut left)?;
        let notes = table.vector(2, 4);
        let note = |at: usize| notes?.table(at).filter(|note| note.text(0) == Some("pandas"))?.text(1);
        let pandas = (0..notes.map_or(0, |notes| notes.len)).find_map(note).map(str::to_owned);
        Ok(Self { fields, pandas })
    }
}

fn fields(list: Option<Vector<'_>>, depth: usize, left: &mut usize) -> Result<Vec<Field>> {
    let Some(list) = list else { return Ok(Vec::new()) };
    // Several fields may lie at the same bytes, so that few bytes name many.
    *left = left.checked_sub(list.len).ok_or_else(|| too_large(format!("more than {MAX_COLUMNS} columns")))?;
    let depth = depth.checked_sub(1).ok_or_else(|| too_large("columns of records too deep"))?;
    (0..list.len).map(|at| field(list.table(at).ok_or_else(|| damaged("Arrow", "its schema"))?, depth, left)).collect()
}

fn field(table: Table<'_>, depth: usize, left: &mut usize) -> Result<Field> {
    let broken = |what: &str| damaged("Arrow", what);
    let type_table = table.table(3);
    let (kind, buffers) = kind(table.byte(2, 0), type_table)?;
    let mut field = Field {
        name: table.text(0).unwrap_or_default().to_owned(),
        kind,
        buffers,
        variadic: matches!(table.byte(2, 0), 23 | 24),
        dictionary: None,
        children: fields(table.vector(5, 4), depth, left)?,
    };
    if let Some(dictionary) = table.table(4) {
        let index = dictionary.table(1).map_or(Ok(Kind::Int(4, true)), int)?;
        field.dictionary = Some((dictionary.long(0, 0), index));
        // The entries' parts lie with them.
        (field.buffers, field.variadic) = (2, false);
        if !field.children.is_empty() {
            field.kind = Kind::Other("lists or records");
            field.children.clear();
        }
    }
    if field.dictionary.is_none() && !field.children.is_empty() && !matches!(field.kind, Kind::Other(_)) {
        return Err(broken("a number of several parts"));
    }
    Ok(field)
}

fn int(table: Table<'_>) -> Result<Kind> {
    let width = table.int(0, 0);
    if ![8, 16, 32, 64].contains(&width) {
        return Err(damaged("Arrow", format!("whole numbers of {width} bits")));
    }
    Ok(Kind::Int(width as usize / 8, table.byte(1, 0) != 0))
}

const UNITS: [i64; 4] = [1, 1000, 1_000_000, 1_000_000_000];

/// What a type is, and how many buffers it has.
fn kind(number: u8, table: Option<Table<'_>>) -> Result<(Kind, usize)> {
    let table = || table.ok_or_else(|| damaged("Arrow", "a type without its description"));
    let unit = |number: usize, absent: i16| -> Result<i64> {
        let unit = table()?.short(number, absent);
        usize::try_from(unit).ok().and_then(|unit| UNITS.get(unit)).copied().ok_or_else(|| damaged("Arrow", "a unit"))
    };
    let other = |what: &'static str, buffers: usize| Ok((Kind::Other(what), buffers));
    match number {
        1 => Ok((Kind::Null, 0)),
        2 => Ok((int(table()?)?, 2)),
        3 => match table()?.short(0, 0) {
            0 => Ok((Kind::Half, 2)),
            1 => Ok((Kind::Float, 2)),
            2 => Ok((Kind::Double, 2)),
            _ => Err(damaged("Arrow", "a precision")),
        },
        5 => Ok((Kind::Text(4), 3)),
        20 => Ok((Kind::Text(8), 3)),
        24 => Ok((Kind::TextView, 2)),
        6 => Ok((Kind::Bool, 2)),
        7 => {
            let table = table()?;
            match table.int(2, 128) {
                width @ (32 | 64 | 128 | 256) => Ok((Kind::Decimal(width as usize / 8, table.int(1, 0)), 2)),
                _ => Err(damaged("Arrow", "the width of a decimal")),
            }
        }
        8 => Ok(match table()?.short(0, 1) {
            0 => (Kind::Date(4, 1), 2),
            _ => (Kind::Date(8, 86_400_000), 2),
        }),
        9 => {
            let per_second = unit(0, 1)?;
            let width = if table()?.int(1, 32) == 64 { 8 } else { 4 };
            Ok((Kind::Time(width, per_second), 2))
        }
        10 => Ok((Kind::Moment(unit(0, 0)?), 2)),
        // A span of time counts in its unit.
        18 => Ok((Kind::Int(8, true), 2)),
        4 | 19 => other("bytes that are no text", 3),
        15 => other("bytes that are no text", 2),
        23 => other("bytes that are no text", 2),
        11 => other("spans of months and days", 2),
        12 | 21 | 17 => other("lists", 2),
        13 | 16 => other("lists or records", 1),
        // Values of several types, each with its number.
        14 => other("values of several types", if table()?.short(0, 0) == 1 { 2 } else { 1 }),
        22 => other("repeated values", 0),
        25 | 26 => other("lists", 3),
        _ => {
            Err(Error::new(ErrorCode::DataFormat, format!("this Arrow file has a type of the unknown number {number}"))
                .hint("write it as CSV or Parquet"))
        }
    }
}
