//! The rows of a SQLite database as text: each value behind the name of its column.
//!
//! In the file the values of a row stand side by side without anything between them, so that neither their ends nor their
//! names can be seen. Deleted rows stay in the file: what no table holds is scanned as it stands.
//!
//! Must not know: limits, where text goes.
//! Invariant: each page is read once at most, whatever pages say of each other, and no byte outside the file is touched.

use std::collections::HashSet;
use std::fmt::Write;

use crate::model::Span;

/// What a database begins with.
pub(super) const MARK: &[u8] = b"SQLite format 3\0";
const HEADER: usize = 100;
const SMALLEST_PAGE: usize = 512;
/// Kinds of page.
const INNER_INDEX: u8 = 2;
const INNER_TABLE: u8 = 5;
const LEAF_INDEX: u8 = 10;
const LEAF_TABLE: u8 = 13;

/// A table as text, and what it is called.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) text: String,
    values: Vec<String>,
}

/// What a database holds.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) tables: Vec<Table>,
    /// The file without what stands in the tables.
    pub(super) rest: Vec<u8>,
}

/// Reads `bytes`, unless more than so many bytes of text would come out.
pub(super) fn read(bytes: &[u8], most: usize) -> Option<Database> {
    let mut file = File::open(bytes)?;
    let schema = file.rows(1);
    let mut left = most;
    let mut tables = vec![table("schema", &SCHEMA.map(str::to_owned), &schema, &mut left)?];
    for row in schema.iter().filter(|row| is_of_table(row)) {
        let [_, Value::Text(name), _, root, definition, ..] = row.as_slice() else { continue };
        let rows = file.rows(root.as_page());
        tables.push(table(name, &columns(definition.as_text().unwrap_or_default()), &rows, &mut left)?);
    }
    // An index repeats what a table holds; what it holds beyond that stays in the rest.
    file.told = Some(tables.iter().flat_map(|table| table.values.iter().cloned()).collect());
    for row in schema.iter().filter(|row| !is_of_table(row)) {
        file.rows(row.get(ROOT).map_or(0, Value::as_page));
    }
    Some(Database { tables, rest: file.rest })
}

/// What the columns of the table of tables are called.
const SCHEMA: [&str; 5] = ["type", "name", "table", "page", "sql"];
const ROOT: usize = 3;

fn is_of_table(row: &[Value]) -> bool {
    row.first().and_then(Value::as_text) == Some("table")
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

/// Rows as a list in YAML has them, which keeps them apart; `None` if there is more than `left`.
fn table(name: &str, columns: &[String], rows: &[Vec<Value>], left: &mut usize) -> Option<Table> {
    let mut text = format!("{name}:\n");
    let mut values = Vec::new();
    for row in rows {
        let before = text.len();
        let mut margin = "  - ";
        for (number, value) in row.iter().enumerate() {
            let column = columns.get(number).map_or("value", String::as_str);
            let written = match value {
                Value::Text(value) => {
                    values.push(value.clone());
                    writeln!(text, "{margin}{column}: {value}")
                }
                Value::Number(value) => writeln!(text, "{margin}{column}: {value}"),
                Value::Other => continue,
            };
            debug_assert!(written.is_ok(), "a string takes everything");
            margin = "    ";
        }
        *left = left.checked_sub(text.len() - before)?;
    }
    Some(Table { name: name.to_owned(), text, values })
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
    /// What was told already, once only that is to leave the rest.
    told: Option<HashSet<String>>,
    rest: Vec<u8>,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        if !bytes.starts_with(MARK) || bytes.len() < HEADER {
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
            told: None,
            rest: bytes.to_vec(),
        })
    }

    /// Where the page stands, the first time it is asked for.
    fn take(&mut self, number: usize) -> Option<usize> {
        let seen = self.seen.get_mut(number).filter(|_| number > 0)?;
        (!std::mem::replace(seen, true)).then(|| (number - 1) * self.page)
    }

    /// All rows of the tree at page `root`, which leave the rest.
    fn rows(&mut self, root: usize) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        let mut waiting = vec![root];
        while let Some(number) = waiting.pop() {
            let Some(start) = self.take(number) else { continue };
            self.page_rows(start, &mut waiting, &mut rows);
        }
        rows
    }

    fn page_rows(&mut self, start: usize, waiting: &mut Vec<usize>, rows: &mut Vec<Vec<Value>>) {
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
            if kind != INNER_TABLE
                && let Some(row) = self.row(at, end, kind == LEAF_TABLE)
            {
                rows.push(row);
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

    /// The row whose cell stands at `at`.
    fn row(&mut self, mut at: usize, end: usize, is_table: bool) -> Option<Vec<Value>> {
        let length = usize::try_from(variable(self.bytes, &mut at)?).ok()?;
        if is_table {
            variable(self.bytes, &mut at)?;
        }
        let pieces = self.pieces(at, end, length, is_table)?;
        let payload: Vec<u8> = pieces.iter().flat_map(|piece| piece.of(self.bytes)).copied().collect();
        let mut kinds = 0;
        let header =
            usize::try_from(variable(&payload, &mut kinds)?).ok().filter(|&header| header <= length)?;
        let mut values = Vec::new();
        let mut value = header;
        while kinds < header {
            let kind = variable(&payload, &mut kinds)?;
            let size = size_of(kind)?;
            let bytes = payload.get(value..value.checked_add(size)?)?;
            let read = self.value(kind, bytes);
            let is_told = |text: &str| self.told.as_ref().is_none_or(|told| told.contains(text));
            if read.as_text().is_some_and(is_told) {
                self.leave_out(&pieces, Span::new(value, value + size));
            }
            values.push(read);
            value += size;
        }
        Some(values)
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
    use super::{MARK, columns, read};

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
            if let Some(database) = read(&bytes, 1 << 20) {
                assert_eq!(database.rest, bytes);
            }
        }
    }
}
