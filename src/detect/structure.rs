//! What a value stands in: the calls, objects, tables, sections and blocks around it, from the inside out.
//!
//! Languages are not parsed: brackets, indentation and section headers say enough, and say it for all of them.
//!
//! Must not know: names' meaning, rules.
//! Invariant: looks at most [`BRACKET_REACH`] bytes and [`LINE_REACH`] lines away.

use crate::model::Span;

use super::document::Document;

/// How far an opening or closing bracket is searched, in bytes.
pub(crate) const BRACKET_REACH: usize = 4096;
/// How far the line that owns a block or section is searched, in lines.
pub(crate) const LINE_REACH: usize = 200;
const DEEPEST: usize = 6;
const LONGEST_HEAD: usize = 120;

/// Something that encloses a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// What it is called: the text before its opening bracket, its owner's line, its section header.
    pub(crate) head: Span,
    /// What it holds, as far as it was read.
    pub(crate) body: Span,
    /// Its opening bracket, if it has one.
    pub(crate) bracket: Option<u8>,
    /// The indentation of its direct members, if it is a block.
    pub(crate) indentation: Option<usize>,
}

/// The scopes around `value`, innermost first: brackets, then indented blocks, then the section.
pub(crate) fn scopes(document: &Document<'_>, value: Span) -> Vec<Scope> {
    let mut scopes = brackets(document, value);
    scopes.extend(item(document, value));
    scopes.extend(blocks(document, value));
    scopes.extend(section(document, value));
    scopes
}

/// The innermost bracket around `at`.
pub(crate) fn innermost_bracket(document: &Document<'_>, at: usize) -> Option<usize> {
    opener_before(document, at, at.saturating_sub(BRACKET_REACH))
}

fn opener_before(document: &Document<'_>, at: usize, limit: usize) -> Option<usize> {
    let opener = last_opener(document.text, at, limit);
    document.note(Span::new(opener.unwrap_or(limit).min(at), at));
    opener
}

fn last_opener(text: &[u8], at: usize, limit: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for index in (limit..at).rev() {
        match text[index] {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' if depth == 0 => return Some(index),
            b'(' | b'[' | b'{' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn brackets(document: &Document<'_>, value: Span) -> Vec<Scope> {
    let text = document.text;
    let limit = value.start.saturating_sub(BRACKET_REACH);
    let last = text.len().min(value.end + BRACKET_REACH);
    let mut scopes = Vec::new();
    let (mut before, mut after) = (value.start, value.end);
    while scopes.len() < DEEPEST {
        let Some(open) = opener_before(document, before, limit) else { break };
        let close = closer_after(text, after, last);
        document.note(Span::new(after, close + 1));
        scopes.push(Scope {
            head: head_before(document, open),
            body: Span::new(open + 1, close),
            bracket: Some(text[open]),
            indentation: None,
        });
        before = open;
        after = last.min(close + 1);
    }
    scopes
}

/// Where the innermost bracket around `at` closes, or `limit`.
fn closer_after(text: &[u8], at: usize, limit: usize) -> usize {
    let mut open = 0_usize;
    for (index, byte) in text[at..limit].iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' if open == 0 => return at + index,
            b')' | b']' | b'}' => open -= 1,
            _ => {}
        }
    }
    limit
}

/// The text before an opening bracket, back to where its statement or member begins.
pub(crate) fn head_before(document: &Document<'_>, open: usize) -> Span {
    let limit = open.saturating_sub(LONGEST_HEAD);
    document.note(Span::new(limit, open));
    let ends = |byte: &u8| matches!(byte, b'\n' | b';' | b',' | b'{' | b'}' | b'(' | b'[');
    let start = document.text[limit..open].iter().rposition(ends).map_or(limit, |at| limit + at + 1);
    Span::new(start, open)
}

/// How far a line is indented; a list dash counts as indentation. `None` for blank lines.
fn indentation(line: &[u8]) -> Option<usize> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let spaces = line.iter().position(|byte| !blank(byte))?;
    let after_dash =
        line[spaces..].strip_prefix(b"- ").map(|rest| 2 + rest.iter().take_while(|byte| blank(byte)).count());
    Some(spaces + after_dash.unwrap_or(0))
}

/// Shorter items of a list hold nothing but their value: `- API_KEY=…`, `- name: …` with its `value: …`.
const SHORTEST_ITEM: usize = 3;

/// The item of a dashed list that `value` is in: `- name: okx` and the members below it.
fn item(document: &Document<'_>, value: Span) -> Option<Scope> {
    let indented = |number: usize| indentation(document.line(number).of(document.text));
    let own = document.line_of(value.start);
    let depth = indented(own)?;
    let begins = |number: &usize| {
        indented(*number) == Some(depth)
            && document.line(*number).of(document.text).trim_ascii_start().starts_with(b"- ")
    };
    let inside = |number: &usize| indented(*number).is_none_or(|other| other >= depth);
    let first = (own.saturating_sub(LINE_REACH)..=own).rev().take_while(inside).find(begins)?;
    let last = document.line_count().min(own + LINE_REACH);
    let end = (own + 1..last).find(|number| begins(number) || !inside(number)).unwrap_or(last);
    let start = document.line(first).start;
    (end - first >= SHORTEST_ITEM).then(|| Scope {
        head: Span::new(start, start),
        body: Span::new(start, document.line(end - 1).end),
        bracket: None,
        indentation: Some(depth),
    })
}

fn blocks(document: &Document<'_>, value: Span) -> Vec<Scope> {
    let own = document.line_of(value.start);
    let Some(mut depth) = indentation(document.line(own).of(document.text)) else { return Vec::new() };
    let mut scopes = Vec::new();
    let mut number = own;
    let mut end = own + 1;
    while depth > 0 && number > own.saturating_sub(LINE_REACH) && scopes.len() < DEEPEST {
        number -= 1;
        let line = document.line(number);
        let Some(outer) = indentation(line.of(document.text)).filter(|&outer| outer < depth) else {
            continue;
        };
        if line.len() <= LONGEST_HEAD * 2 && line.of(document.text).iter().any(u8::is_ascii_alphanumeric) {
            let last = document.line_count().min(own + LINE_REACH);
            // An outer block ends where an inner one does, or later.
            end = block_end(document, end..last, outer);
            let body_end = if end < last { document.line(end).start } else { document.line(last - 1).end };
            let body = Span::new(line.end, body_end);
            scopes.push(Scope { head: line, body, bracket: None, indentation: Some(depth) });
        }
        depth = outer;
    }
    scopes
}

/// The line among `lines` that ends a block whose owner is indented by `outer`, or the end of `lines`.
fn block_end(document: &Document<'_>, mut lines: std::ops::Range<usize>, outer: usize) -> usize {
    let last = lines.end;
    let ends = |&number: &usize| {
        indentation(document.line(number).of(document.text)).is_some_and(|depth| depth <= outer)
    };
    lines.find(ends).unwrap_or(last)
}

/// The `[section]` of an INI or TOML file.
fn section(document: &Document<'_>, value: Span) -> Option<Scope> {
    let own = document.line_of(value.start);
    let is_header = |number: usize| {
        let line = document.line(number).of(document.text).trim_ascii();
        line.len() < LONGEST_HEAD
            && line.starts_with(b"[")
            && line.ends_with(b"]")
            && !line.contains(&b',')
            && line.len() > 2
    };
    let head = (own.saturating_sub(LINE_REACH)..own).rev().find(|&number| is_header(number))?;
    let last = document.line_count().min(own + LINE_REACH);
    let end = (own + 1..last)
        .find(|&number| is_header(number))
        .map_or_else(|| document.line(last - 1).end, |number| document.line(number).start);
    Some(Scope {
        head: document.line(head),
        body: Span::new(document.line(head).end, end),
        bracket: None,
        indentation: Some(0),
    })
}

impl Scope {
    /// The same in a text in which what stood at `from` stands at `to`.
    pub(crate) fn moved(&self, from: usize, to: usize) -> Self {
        Self { head: self.head.moved(from, to), body: self.body.moved(from, to), ..*self }
    }

    /// Whether `at`, inside the body, is a direct member and not inside something nested.
    pub(crate) fn holds_directly(&self, document: &Document<'_>, at: usize) -> bool {
        if at < self.body.start || at >= self.body.end {
            return false;
        }
        match (self.bracket, self.indentation) {
            (Some(_), _) => opener_before(document, at, self.body.start).is_none(),
            (None, Some(depth)) => {
                let line = document.line_around(at);
                indentation(line.of(document.text)) == Some(depth)
            }
            (None, None) => true,
        }
    }
}
