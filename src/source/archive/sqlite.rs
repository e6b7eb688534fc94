//! The rows of a SQLite database as text: each value behind the name of its column.
//!
//! In the file the values of a row stand side by side without anything between them, so that neither their ends nor their
//! names can be seen. Deleted rows stay in the file: what no table tells is scanned as it stands.
//!
//! Must not know: limits of archives, where text goes.
//! Invariants: each page is read once at most, whatever pages say of each other, and no byte outside the file is touched;
//! all rows together are no longer than the file, however many of them point to the same bytes.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::fmt::Write;
use std::hash::BuildHasher;

use crate::model::Span;

/// What a database begins with.
pub(super) const MARK: &[u8] = b"SQLite format 3\0";
/// Of larger databases only the strings are looked at.
pub(super) const LARGEST: usize = 8 << 20;
const HEADER: usize = 100;
const SMALLEST_PAGE: usize = 512;
/// Kinds of page.
const INNER_INDEX: u8 = 2;
const INNER_TABLE: u8 = 5;
const LEAF_INDEX: u8 = 10;
const LEAF_TABLE: u8 = 13;
/// What a cell takes beside its payload at least: the pointer to it, and the payload's length.
const CELL: usize = 3;
/// How many columns SQLite allows by default.
const MOST_COLUMNS: usize = 2000;
/// How much text is made of one table; the rows after that are scanned as they stand.
const MOST_TEXT: usize = 16 << 20;

/// Calls `hand_out` with the name and the text of each table of the database in `bytes`, and gives back the rest: the file
/// without what was told. `None` if it is no database, or one of more than [`LARGEST`] bytes.
pub(super) fn read(bytes: &[u8], hand_out: &mut dyn FnMut(&str, &str)) -> Option<Vec<u8>> {
    let mut file = File::open(bytes)?;
    let mut schema = Table::new("schema", SCHEMA.map(str::to_owned).into());
    let (mut tables, mut indexes) = (Vec::new(), Vec::new());
    file.rows(1, &mut |row| {
        if let Some((kind, root, table)) = described(row) {
            if kind == "table" { tables.push((root, table)) } else { indexes.push(root) }
        }
        schema.add(row)
    });
    hand_out(&schema.name, &schema.text);
    for (root, mut table) in tables {
        file.rows(root, &mut |row| table.add(row));
        hand_out(&table.name, &table.text);
    }
    // An index repeats what a table tells; what it holds beyond that stays in the rest.
    for root in indexes {
        file.rows(root, &mut |_| false);
    }
    Some(file.rest)
}

/// What the columns of the table of tables are called.
const SCHEMA: [&str; 5] = ["type", "name", "table", "page", "sql"];

/// What a row of the table of tables describes: its kind, its first page, and a table to be filled.
fn described(row: &[Value]) -> Option<(&str, usize, Table)> {
    let [kind, name, _, root, definition, ..] = row else { return None };
    let columns = columns(definition.as_text().unwrap_or_default());
    Some((kind.as_text()?, root.as_page(), Table::new(name.as_text()?, columns)))
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Number(i64),
    Other,
}

impl Value {
    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a page; there is no page 0.
    fn as_page(&self) -> usize {
        match self {
            Self::Number(number) => usize::try_from(*number).unwrap_or(0),
            _ => 0,
        }
    }
}

/// A table as text: a list in YAML, which keeps rows apart.
struct Table {
    name: String,
    columns: Vec<String>,
    text: String,
}

impl Table {
    fn new(name: &str, columns: Vec<String>) -> Self {
        Self { name: name.to_owned(), columns, text: format!("{name}:\n") }
    }

    /// Adds a row; `false` if there is no room for it.
    fn add(&mut self, row: &[Value]) -> bool {
        let before = self.text.len();
        let mut margin = "  - ";
        for (number, value) in row.iter().enumerate() {
            let column = self.columns.get(number).map_or("value", String::as_str);
            let written = match value {
                Value::Text(value) => writeln!(self.text, "{margin}{column}: {value}"),
                Value::Number(value) => writeln!(self.text, "{margin}{column}: {value}"),
                Value::Other => continue,
            };
            debug_assert!(written.is_ok(), "a string takes everything");
            if self.text.len() > MOST_TEXT {
                self.text.truncate(before);
                return false;
            }
            margin = "    ";
        }
        true
    }
}

/// The names of the columns in `CREATE TABLE name (…)`.
fn columns(definition: &str) -> Vec<String> {
    let Some((_, inside)) = definition.split_once('(') else { return Vec::new() };
    let mut names = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, letter) in inside.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ',' | ')' if depth == 0 => {
                names.extend(column(&inside[start..at]));
                start = at + 1;
                if letter == ')' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

/// The name at the front of a column's definition; conditions of the table have none.
fn column(definition: &str) -> Option<String> {
    const CONDITIONS: [&str; 5] = ["primary", "unique", "check", "foreign", "constraint"];
    let word = definition.split_whitespace().next()?;
    let name = word.trim_matches(['"', '`', '[', ']', '\'']);
    (!CONDITIONS.contains(&word.to_ascii_lowercase().as_str())).then(|| name.to_owned())
}

/// How texts are encoded.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

struct File<'a> {
    bytes: &'a [u8],
    page: usize,
    /// How much of a page is used.
    usable: usize,
    encoding: Encoding,
    seen: Vec<bool>,
    /// How long the rows that are still to come can be together.
    left: usize,
    /// Hashes of the texts that were told.
    told: HashSet<u64>,
    hashes: RandomState,
    rest: Vec<u8>,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        if !bytes.starts_with(MARK) || !(HEADER..=LARGEST).contains(&bytes.len()) {
            return None;
        }
        let page = match u16::from_be_bytes([bytes[16], bytes[17]]) {
            1 => 1 << 16,
            size => usize::from(size),
        };
        let usable = page.checked_sub(usize::from(bytes[20]))?;
        if !page.is_power_of_two() || page < SMALLEST_PAGE || usable < SMALLEST_PAGE - 32 {
            return None;
        }
        let encoding = match bytes[59] {
            2 => Encoding::Utf16Le,
            3 => Encoding::Utf16Be,
            _ => Encoding::Utf8,
        };
        let pages = bytes.len() / page;
        Some(Self {
            bytes,
            page,
            usable,
            encoding,
            seen: vec![false; pages + 1],
            left: bytes.len(),
            told: HashSet::new(),
            hashes: RandomState::new(),
            rest: bytes.to_vec(),
        })
    }

    /// Where the page stands, the first time it is asked for.
    fn take(&mut self, number: usize) -> Option<usize> {
        let seen = self.seen.get_mut(number).filter(|_| number > 0)?;
        (!std::mem::replace(seen, true)).then(|| (number - 1) * self.page)
    }

    /// Calls `tell` with all rows of the tree at page `root`. The texts of a row that it tells leave the rest, and so do
    /// those that were told before.
    fn rows(&mut self, root: usize, tell: &mut dyn FnMut(&[Value]) -> bool) {
        let mut waiting = vec![root];
        while let Some(number) = waiting.pop() {
            let Some(start) = self.take(number) else { continue };
            self.page_rows(start, &mut waiting, tell);
        }
    }

    fn page_rows(&mut self, start: usize, waiting: &mut Vec<usize>, tell: &mut dyn FnMut(&[Value]) -> bool) {
        // The first page has the file's header before its own.
        let header = start + if start == 0 { HEADER } else { 0 };
        let kind = self.bytes[header];
        let inner = matches!(kind, INNER_INDEX | INNER_TABLE);
        if !inner && !matches!(kind, LEAF_INDEX | LEAF_TABLE) {
            return;
        }
        let cells = self.number(header + 3, 2).unwrap_or(0);
        let pointers = header + if inner { 12 } else { 8 };
        let end = start + self.usable;
        let mut children = Vec::new();
        for cell in (0..cells).map(|cell| pointers + 2 * cell) {
            let Some(at) = self.number(cell, 2).map(|offset| start + offset).filter(|&at| at < end) else {
                break;
            };
            let at = if inner {
                children.extend(self.number(at, 4));
                at + 4
            } else {
                at
            };
            if kind != INNER_TABLE {
                // A row that cannot be read stays in the rest.
                let _ = self.row(at, end, kind == LEAF_TABLE, tell);
            }
        }
        if inner {
            children.extend(self.number(header + 8, 4));
        }
        // The first one is to be read next.
        waiting.extend(children.into_iter().rev());
    }

    fn number(&self, at: usize, length: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at + length)?;
        Some(bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte)))
    }

    /// Reads the row whose cell stands at `at`.
    fn row(
        &mut self,
        mut at: usize,
        end: usize,
        is_table: bool,
        tell: &mut dyn FnMut(&[Value]) -> bool,
    ) -> Option<()> {
        let length = usize::try_from(variable(self.bytes, &mut at)?).ok()?;
        self.left = self.left.checked_sub(length.checked_add(CELL)?)?;
        if is_table {
            variable(self.bytes, &mut at)?;
        }
        let pieces = self.pieces(at, end, length, is_table)?;
        let payload: Vec<u8> = pieces.iter().flat_map(|piece| piece.of(self.bytes)).copied().collect();
        let (values, places) = self.values(&payload)?;
        let is_told = tell(&values);
        for (value, place) in values.iter().zip(places) {
            let Some(text) = value.as_text() else { continue };
            let hash = self.hashes.hash_one(text);
            if is_told {
                self.told.insert(hash);
            }
            if self.told.contains(&hash) {
                self.leave_out(&pieces, place);
            }
        }
        Some(())
    }

    /// The values of a payload, and where in it they stand.
    fn values(&self, payload: &[u8]) -> Option<(Vec<Value>, Vec<Span>)> {
        let mut kinds = 0;
        let header =
            usize::try_from(variable(payload, &mut kinds)?).ok().filter(|&header| header <= payload.len())?;
        let (mut values, mut places) = (Vec::new(), Vec::new());
        let mut start = header;
        while kinds < header && values.len() < MOST_COLUMNS {
            let kind = variable(payload, &mut kinds)?;
            let place = Span::new(start, start.checked_add(size_of(kind)?)?);
            values.push(self.value(kind, payload.get(place.start..place.end)?));
            places.push(place);
            start = place.end;
        }
        Some((values, places))
    }

    /// Where the payload of a cell stands: in its page, and in pages of its own where it is long.
    fn pieces(&mut self, at: usize, end: usize, length: usize, is_table: bool) -> Option<Vec<Span>> {
        let usable = self.usable;
        let most = if is_table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        if length <= most {
            return (at + length <= end).then(|| vec![Span::new(at, at + length)]);
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (usable - 4);
        let local = if fitting <= most { fitting } else { least };
        if length > self.bytes.len() || at + local + 4 > end {
            return None;
        }
        let mut pieces = vec![Span::new(at, at + local)];
        let mut left = length - local;
        let mut next = self.number(at + local, 4)?;
        while left > 0 {
            let start = self.take(next)?;
            let count = left.min(usable - 4);
            pieces.push(Span::new(start + 4, start + 4 + count));
            left -= count;
            next = self.number(start, 4)?;
        }
        Some(pieces)
    }

    fn value(&self, kind: u64, bytes: &[u8]) -> Value {
        match kind {
            1..=6 => {
                let negative = bytes.first().is_some_and(|&first| first >= 0x80);
                let start = if negative { -1 } else { 0 };
                Value::Number(bytes.iter().fold(start, |number, &byte| number << 8 | i64::from(byte)))
            }
            8 | 9 => Value::Number(i64::from(kind == 9)),
            kind if kind >= 13 && kind % 2 == 1 => self.text(bytes).map_or(Value::Other, Value::Text),
            // Much that is text is kept as bytes.
            kind if kind >= 12 => match std::str::from_utf8(bytes) {
                Ok(text) if !text.contains('\0') => Value::Text(text.to_owned()),
                _ => Value::Other,
            },
            _ => Value::Other,
        }
    }

    fn text(&self, bytes: &[u8]) -> Option<String> {
        let wide = |unit: fn([u8; 2]) -> u16| {
            let units = bytes.as_chunks::<2>().0.iter().map(|&pair| unit(pair));
            char::decode_utf16(units).collect::<Result<String, _>>().ok()
        };
        match self.encoding {
            Encoding::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Encoding::Utf16Le => wide(u16::from_le_bytes),
            Encoding::Utf16Be => wide(u16::from_be_bytes),
        }
    }

    /// Takes what stands at `range` of the payload out of the rest.
    fn leave_out(&mut self, pieces: &[Span], range: Span) {
        let mut before = 0;
        for piece in pieces {
            let start = range.start.clamp(before, before + piece.len()) - before;
            let end = range.end.clamp(before, before + piece.len()) - before;
            self.rest[piece.start + start..piece.start + end].fill(0);
            before += piece.len();
        }
    }
}

/// A number of one to nine bytes, seven bits in each.
fn variable(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0;
    for count in 1..=9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if count == 9 {
            return Some(number << 8 | u64::from(byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
    }
    Some(number)
}

/// How many bytes a value of that kind has.
fn size_of(kind: u64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(kind).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        kind => usize::try_from((kind - 12) / 2).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::{LEAF_TABLE, MARK, columns, read};

    #[test]
    fn columns_are_read_from_definitions() {
        let definition = "CREATE TABLE \"a\" (id INTEGER PRIMARY KEY, `api key` TEXT DEFAULT (x(1, 2)), [s] TEXT, UNIQUE (id, s))";
        assert_eq!(columns(definition), ["id", "api", "s"]);
        assert!(columns("CREATE VIRTUAL TABLE x").is_empty());
    }

    #[test]
    fn what_is_no_database_is_not_read() {
        for length in [0, 16, 99, 100, 512, 4096] {
            let mut bytes = MARK.to_vec();
            bytes.resize(length.max(MARK.len()), 0xff);
            if let Some(rest) = read(&bytes, &mut |_, _| {}) {
                assert_eq!(rest, bytes);
            }
        }
    }

    /// One page whose cells are all the same one.
    #[test]
    fn many_pointers_to_one_row_make_no_bomb() {
        let mut bytes = MARK.to_vec();
        bytes.resize(1 << 16, b'x');
        bytes[16..18].copy_from_slice(&1_u16.to_be_bytes());
        bytes[20] = 0;
        let (cells, cell) = (15_000_u16, 32_000_u16);
        bytes[100..108].fill(0);
        bytes[100] = LEAF_TABLE;
        bytes[103..105].copy_from_slice(&cells.to_be_bytes());
        bytes[108..108 + 2 * usize::from(cells)].as_chunks_mut::<2>().0.fill(cell.to_be_bytes());
        // 30,004 bytes of payload, row 1, a header of four bytes, and a text of 30,000.
        let start = usize::from(cell);
        bytes[start..start + 8].copy_from_slice(&[0x81, 0xea, 0x34, 1, 4, 0x83, 0xd4, 0x6d]);
        let mut told = 0;
        assert!(read(&bytes, &mut |_, text| told += text.len()).is_some());
        assert!((30_000..2 * bytes.len()).contains(&told), "{told} bytes");
    }
}
