//! What a value is called: the left side, key, header, parameter or call that it belongs to.
//!
//! Languages are not parsed. A name is what stands before the value and its separator, and separators are few.
//!
//! Must not know: providers, rules.
//! Invariant: looks at the value's statement, the line before it, and the brackets around it; never at the value.

use crate::model::Span;

use super::document::Document;
use super::names::Name;
use super::structure::{head_before, innermost_bracket};

/// How a value stands in its statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// `name = value`, `name: value`, `<name>value</name>`, `--name value`, `?name=value`.
    Named,
    /// An argument or element without a name: its position among its siblings, from 0.
    Positional(usize),
    /// Alone on its line.
    Bare,
    /// In running text or in something that is not understood.
    Loose,
}

/// What a value is called.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    pub(crate) name: Name,
    /// Where the name stands.
    pub(crate) span: Option<Span>,
    pub(crate) standing: Standing,
    /// What is called with the value as argument, if it is one.
    pub(crate) callee: Option<Span>,
    /// Whether the value stands in quotes.
    pub(crate) quoted: bool,
}

impl Naming {
    /// The same in a text in which what stood at `from` stands at `to`.
    pub(crate) fn moved(&self, from: usize, to: usize) -> Self {
        let moved = |span: Option<Span>| span.map(|span| span.moved(from, to));
        Self { span: moved(self.span), callee: moved(self.callee), ..self.clone() }
    }
}

const LONGEST_NAME: usize = 80;
/// Keys whose value has its name beside it: `- name: API_KEY` / `value: …`.
const STAND_INS: &[&[u8]] = &[b"value", b"default", b"val", b"current", b"initialvalue", b"currentvalue"];
const NAME_KEYS: &[&[u8]] = &[b"name", b"key", b"variable", b"id"];

/// Names `value`.
pub(crate) fn name_of(document: &Document<'_>, value: Span) -> Naming {
    let text = document.text;
    let (before, quoted) = before_literal(text, value.start);
    let mut naming = named_from(document, value, before, quoted);
    if naming.span.is_some_and(|span| STAND_INS.iter().any(|word| span.of(text).eq_ignore_ascii_case(word)))
        && let Some(span) = sibling_name(document, value)
    {
        naming.name = Name::new(span.of(text));
        naming.span = Some(span);
    }
    naming
}

/// The call whose argument list encloses `value`, through an object literal at most.
pub(crate) fn callee(document: &Document<'_>, value: Span) -> Option<Span> {
    let text = document.text;
    let inner = innermost_bracket(document, value.start)?;
    let open = if text[inner] == b'(' {
        inner
    } else {
        innermost_bracket(document, inner).filter(|&outer| text[outer] == b'(')?
    };
    let name = last_path(text, head_before(document, open));
    (!name.is_empty()).then_some(name)
}

fn named_from(document: &Document<'_>, value: Span, before: usize, quoted: bool) -> Naming {
    let text = document.text;
    let line = document.line_around(value.start);
    let plain = |name: Option<Span>, standing| Naming {
        name: name.map(|span| Name::new(span.of(text))).unwrap_or_default(),
        span: name,
        standing,
        callee: None,
        quoted,
    };
    let at = skip_back(text, before, line.start, b" \t");
    if at == line.start {
        return bare(document, value, quoted, plain);
    }
    match text[at - 1] {
        b'=' | b':' | b'>' => plain(left_side(text, at - 1, line.start), Standing::Named),
        b'|' | b'?' => plain(default_of(text, at, line.start), Standing::Named),
        b'(' | b',' | b'[' | b'{' => positional(document, at, plain),
        _ if is_word_before(text, at, b"or") => plain(default_of(text, at - 2, line.start), Standing::Named),
        _ => {
            let option = option_before(text, at, line.start);
            let is_set = |span: Span| {
                let before = &text[line.start..span.start];
                (!quoted && before.ends_with(b"-")) || assigns(before)
            };
            let standing = if option.is_some_and(is_set) { Standing::Named } else { Standing::Loose };
            let words = (!quoted).then(|| Span::new(line.start.max(at.saturating_sub(40)), at));
            plain(option.or(words), standing)
        }
    }
}

/// Commands that give the name behind them the value behind it: `set -gx NAME value`, `#define NAME "value"`.
const ASSIGNMENTS: &[&[u8]] =
    &[b"set", b"setx", b"setenv", b"define", b"#define", b"env", b"ENV", b"ARG", b"put"];

/// Longer than any of them.
const LONGER: usize = 8;

/// Whether a line that begins with `before` goes on with a name and its value. What is no command is not read to its
/// end: a line may be long, and this is asked of each value in it.
fn assigns(before: &[u8]) -> bool {
    let before = before.trim_ascii_start();
    let end = before.iter().take(LONGER).position(u8::is_ascii_whitespace).unwrap_or(before.len());
    let (command, mut rest) = before.split_at(end);
    if !ASSIGNMENTS.contains(&command) {
        return false;
    }
    loop {
        rest = rest.trim_ascii_start();
        if !rest.starts_with(b"-") {
            return rest.is_empty();
        }
        rest = &rest[rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len())..];
    }
}

/// Steps over the opening quote and what a literal may have before it (`b"`, `f'`, `\"`, a `Bearer ` inside).
fn before_literal(text: &[u8], start: usize) -> (usize, bool) {
    let mut at = start;
    for scheme in
        [b"Bearer ".as_slice(), b"bearer ", b"Basic ", b"Token ", b"token ", b"Bot ", b"ApiKey ", b"Apikey "]
    {
        if text[..at].ends_with(scheme) {
            at -= scheme.len();
        }
    }
    let Some(quote) = at.checked_sub(1).filter(|&before| matches!(text[before], b'"' | b'\'' | b'`')) else {
        return (at, false);
    };
    at = quote;
    while at > 0 && matches!(text[at - 1], b'\\' | b'"' | b'\'') {
        at -= 1;
    }
    let prefix = at
        .checked_sub(1)
        .filter(|&before| matches!(text[before], b'b' | b'f' | b'r' | b'u' | b'@' | b'$' | b'L'));
    if let Some(prefix) = prefix.filter(|&prefix| prefix == 0 || !is_name_byte(text[prefix - 1])) {
        at = prefix;
    }
    (at, true)
}

fn skip_back(text: &[u8], mut at: usize, limit: usize, skipped: &[u8]) -> usize {
    while at > limit && skipped.contains(&text[at - 1]) {
        at -= 1;
    }
    at
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

fn is_word_before(text: &[u8], at: usize, word: &[u8]) -> bool {
    text[..at].ends_with(word) && !text[..at - word.len()].last().is_some_and(|&byte| is_name_byte(byte))
}

/// The name left of a separator that ends at `separator`.
fn left_side(text: &[u8], separator: usize, line_start: usize) -> Option<Span> {
    if text[separator] == b'>' && separator > line_start && !matches!(text[separator - 1], b'=' | b'-') {
        return tag_before(text, separator, line_start);
    }
    // Compound separators: `:=`, `=>`, `->`, `==`, `?=`, `+=`, `||=`.
    let end = skip_back(text, separator, line_start, b"=:>-?+!|~ \t");
    let end = skip_back(text, end, line_start, b" \t");
    let start = statement_start(text, end, line_start);
    let side = trim(text, Span::new(start, end));
    if is_label(text, side, line_start) && (text[separator] == b':' || is_bare(text, separator)) {
        return Some(side);
    }
    let declared = typed_name(text, side).unwrap_or(side);
    let name = last_path(text, declared);
    (!name.is_empty()).then_some(name)
}

/// Whether what stands behind the separator is no quoted literal, as in notes and INI files, whose keys have several words.
fn is_bare(text: &[u8], separator: usize) -> bool {
    let next = text[separator + 1..].iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    next.is_some_and(u8::is_ascii_alphanumeric)
}

/// The most words that a label of a note has.
const LONGEST_LABEL: usize = 5;

/// `Secret spend key: value`, `a Casascius coin, mini private key: value`: what stands before the colon, from the line's
/// beginning or a comma in running text, are words alone.
fn is_label(text: &[u8], side: Span, line_start: usize) -> bool {
    let before = &text[line_start..side.start];
    let is_mark = |byte: &u8| matches!(byte, b' ' | b'\t' | b'-' | b'*' | b'#' | b'/');
    let is_prose =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b',' | b'.' | b'-' | b'#');
    let opens = before.iter().all(is_mark)
        || (before.trim_ascii_end().ends_with(b",") && before.iter().all(is_prose));
    let is_word = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric);
    let words = || side.of(text).split(|&byte| byte == b' ');
    opens && (2..=LONGEST_LABEL).contains(&words().count()) && words().all(is_word)
}

/// `<name attr="x">value`: the tag's name.
fn tag_before(text: &[u8], close: usize, line_start: usize) -> Option<Span> {
    let open = memchr::memrchr(b'<', &text[line_start..close])? + line_start + 1;
    let length = text[open..close]
        .iter()
        .take_while(|&&byte| is_name_byte(byte) || matches!(byte, b'-' | b'.' | b':'))
        .count();
    (length > 0).then(|| Span::new(open, open + length))
}

/// Back to where the statement or member begins that ends at `end`.
fn statement_start(text: &[u8], end: usize, line_start: usize) -> usize {
    let limit = line_start.max(end.saturating_sub(LONGEST_NAME));
    let mut depth = 0_usize;
    let mut quote = None;
    for at in (limit..end).rev() {
        let byte = text[at];
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b')' | b']') => depth += 1,
            (None, b'(' | b'[') if depth > 0 => depth -= 1,
            // `NAME: &str` is a reference, `?a=1&name=` is not.
            (None, b'&') if at > limit && matches!(text[at - 1], b' ' | b':' | b'<') => {}
            (None, b'(' | b'[' | b'{' | b'}' | b',' | b';' | b'&' | b'?' | b'#') if depth == 0 => {
                return at + 1;
            }
            _ => {}
        }
    }
    limit
}

/// `name: Type` before a `=`: the part before the colon.
fn typed_name(text: &[u8], side: Span) -> Option<Span> {
    let bytes = side.of(text);
    let colon = memchr::memchr(b':', bytes)?;
    let name = bytes[..colon].trim_ascii();
    let kind = bytes[colon + 1..].trim_ascii();
    // `std::string name`, a time of day, `https://…`, `level: user=me token`, a header before this one: no types.
    let is_type = kind.first().is_some_and(|&byte| !matches!(byte, b':' | b'/' | b'0'..=b'9'))
        && !kind.iter().any(|byte| matches!(byte, b'=' | b'"'))
        && memchr::memmem::find(kind, b"' ").is_none();
    // `bot: sign=` is a log's subject and then a name.
    let second = Name::new(kind);
    let is_name = Name::new(name).role().is_none() && (second.role().is_some() || second.vetoes());
    if !is_type || is_name {
        return None;
    }
    let is_variable =
        name.last().is_some_and(|&byte| is_name_byte(byte) || byte == b'?') && !name.ends_with(b"$env");
    is_variable.then(|| Span::new(side.start, side.start + colon))
}

/// The last name in `span`: a quoted key, or a path such as `config["exchange"].apiKey`.
fn last_path(text: &[u8], span: Span) -> Span {
    let span = trim(text, span);
    let bytes = span.of(text);
    if let Some(quote) = bytes.last().filter(|byte| matches!(byte, b'"' | b'\'' | b'`')) {
        let inner =
            memchr::memrchr(*quote, &bytes[..bytes.len() - 1]).map_or(span.start, |at| span.start + at + 1);
        return unescaped(text, Span::new(inner, (span.end - 1).max(inner)));
    }
    let mut start = span.end;
    let mut depth = 0_usize;
    while start > span.start {
        let byte = text[start - 1];
        match byte {
            b']' | b')' => depth += 1,
            b'[' | b'(' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            _ if is_name_byte(byte)
                || matches!(byte, b'.' | b'-' | b':' | b'>' | b'@' | b'!' | b'*' | b'?') => {}
            _ => break,
        }
        start -= 1;
    }
    Span::new(start, span.end)
}

fn trim(text: &[u8], span: Span) -> Span {
    let bytes = span.of(text);
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(start, |at| at + 1);
    Span::new(span.start + start, span.start + end)
}

/// Without the backslash of an escaped closing quote.
fn unescaped(text: &[u8], span: Span) -> Span {
    let backslash = !span.is_empty() && text[span.end - 1] == b'\\';
    Span::new(span.start, span.end - usize::from(backslash))
}

/// `name || value`, `name ?? value`, `name or value`, `cond ? a : value`: the name before the operator.
fn default_of(text: &[u8], operator_end: usize, line_start: usize) -> Option<Span> {
    let end = skip_back(text, operator_end, line_start, b"|? \t");
    let name = last_path(text, Span::new(statement_start(text, end, line_start), end));
    (!name.is_empty()).then_some(name)
}

/// `--name value` or `NAME value`: the word before a space.
fn option_before(text: &[u8], end: usize, line_start: usize) -> Option<Span> {
    let length = text[line_start..end]
        .iter()
        .rev()
        .take(LONGEST_NAME)
        .take_while(|&&byte| is_name_byte(byte) || byte == b'-')
        .count();
    let name = Span::new(end - length, end);
    let trimmed = name.of(text).iter().take_while(|&&byte| byte == b'-').count();
    (trimmed < length).then(|| Span::new(name.start + trimmed, name.end))
}

/// Alone on its line: named by the line before, if that one waits for a value.
fn bare(
    document: &Document<'_>,
    value: Span,
    quoted: bool,
    plain: impl Fn(Option<Span>, Standing) -> Naming,
) -> Naming {
    let text = document.text;
    let line = document.line_around(value.start);
    let number = document.line_of(value.start);
    if number > 0 {
        let previous = document.line(number - 1);
        let end = trim(text, previous).end;
        let waiting = skip_back(text, end, previous.start, b">-|\\ \t");
        if waiting > previous.start && matches!(text[waiting - 1], b':' | b'=') {
            return plain(left_side(text, waiting - 1, previous.start), Standing::Named);
        }
    }
    if quoted && innermost_bracket(document, line.start).is_some() {
        return positional(document, line.start, plain);
    }
    let rest = Span::new(value.end, line.end.max(value.end)).of(text);
    let alone = rest.iter().all(|byte| !byte.is_ascii_alphanumeric());
    plain(None, if alone { Standing::Bare } else { Standing::Loose })
}

fn positional(
    document: &Document<'_>,
    at: usize,
    plain: impl Fn(Option<Span>, Standing) -> Naming,
) -> Naming {
    let text = document.text;
    let Some(open) = innermost_bracket(document, at) else {
        return match column_of(document, at, document.line_around(at)) {
            Some(column) => {
                document.reads().note_elsewhere();
                plain(Some(column), Standing::Named)
            }
            None => plain(None, Standing::Loose),
        };
    };
    let opens = text[..at].last().is_some_and(|byte| matches!(byte, b'(' | b'[' | b'{'));
    let own = if opens { at - 1 } else { open };
    if let Some(name) = named_by_sibling(text, own + 1, at) {
        return plain(Some(name), Standing::Named);
    }
    let index = position(text, own + 1, at);
    let owner = list_owner(text, head_before(document, own));
    // `ADDRESSES = ["…", "…"]`: that its elements are public, or made up, is said by the name of a list alone.
    let is_list = text[owner.end..own].iter().any(|byte| matches!(byte, b'=' | b':'));
    let list = Name::new(if is_list { owner.of(text) } else { b"" });
    if list.vetoes() || list.says_invented() {
        return plain(Some(owner), Standing::Named);
    }
    // `seed = bytes.fromhex("…")`, `fromSeed(Buffer.from("…"))`: what is only read from another form is called as its
    // result is.
    if index == 0 && is_conversion(owner.of(text)) {
        match result_of(document, owner) {
            Outcome::Assigned(name) => return plain(Some(name), Standing::Named),
            Outcome::Argument(at) => return positional(document, at, plain),
            Outcome::Other => {}
        }
    }
    // `setApiKey("…")`, `"secret": ["…"]`: the call or list names its only element.
    if index == 0 && names_its_argument(owner.of(text)) {
        return plain(Some(owner), Standing::Named);
    }
    let mut naming = plain(None, Standing::Positional(index));
    naming.callee = (!owner.is_empty()).then_some(owner);
    naming
}

/// Whether a call or list says what its only element is; `KrakenAPI("…")` says whose it is and not what.
fn names_its_argument(owner: &[u8]) -> bool {
    let is_api = owner.len() >= 3 && owner[owner.len() - 3..].eq_ignore_ascii_case(b"api");
    is_setter(owner) || (!is_api && Name::new(owner).role().is_some())
}

/// Calls that give back what they are given, in another form.
const CONVERSIONS: &[&[u8]] = &[
    b"fromhex",
    b"unhexlify",
    b"a2b_hex",
    b"b64decode",
    b"a2b_base64",
    b"b58decode",
    b"buffer.from",
    b"uint8array.from",
    b"hex.decodestring",
    b"stdencoding.decodestring",
    b"hex.decode",
    b"hex::decode",
    b"base64.decode",
    b"bs58.decode",
    b"hextobytes",
    b"hextouint8array",
    b"fromhexstring",
    b"hexstringtobytearray",
    b"common.fromhex",
    b"frombase64string",
    b"hex2bin",
    b"base64_decode",
    b"atob",
    b"arrayify",
    b"secretstr",
    b"string::from",
    b"bytes",
    b"str",
    b"string",
];

/// Whether a call only reads its argument from another form: `bytes.fromhex`, `Buffer.from`, `SecretStr`.
fn is_conversion(callee: &[u8]) -> bool {
    let lower = callee.to_ascii_lowercase();
    let is_end = |name: &&[u8]| {
        lower.strip_suffix(*name).is_some_and(|before| before.last().is_none_or(|&byte| !is_name_byte(byte)))
    };
    CONVERSIONS.iter().any(is_end)
}

/// What becomes of what a call gives back.
enum Outcome {
    /// This is what it is called.
    Assigned(Span),
    /// It is an argument or element, which begins here.
    Argument(usize),
    Other,
}

/// What becomes of the result of the call of `callee`, on its line.
fn result_of(document: &Document<'_>, callee: Span) -> Outcome {
    let text = document.text;
    let line = document.line_around(callee.start);
    let mut at = skip_back(text, callee.start, line.start, b" \t");
    for word in [b"new".as_slice(), b"await"] {
        if at - line.start >= word.len() && is_word_before(text, at, word) {
            at = skip_back(text, at - word.len(), line.start, b" \t");
        }
    }
    if at == line.start {
        return Outcome::Other;
    }
    match text[at - 1] {
        b'=' | b':' => left_side(text, at - 1, line.start).map_or(Outcome::Other, Outcome::Assigned),
        b'(' | b',' | b'[' => Outcome::Argument(at),
        _ => Outcome::Other,
    }
}

/// `setMemo`, `withAccount`: what follows is the name of the value.
fn is_setter(name: &[u8]) -> bool {
    let method = name.rsplit(|&byte| byte == b'.' || byte == b'>').next().unwrap_or_default();
    [b"set".as_slice(), b"with", b"Set", b"With"].iter().any(|verb| {
        method
            .strip_prefix(*verb)
            .and_then(<[u8]>::first)
            .is_some_and(|&first| first.is_ascii_uppercase() || first == b'_')
    })
}

/// The heading of the column that `at` stands in, if the first line heads a table that `line` is a row of.
fn column_of(document: &Document<'_>, at: usize, line: Span) -> Option<Span> {
    let text = document.text;
    let head = document.first_line();
    let is_heading = |cell: &[u8]| {
        let cell = cell.trim_ascii();
        cell.first().is_some_and(u8::is_ascii_alphabetic)
            && cell.iter().all(|&byte| is_name_byte(byte) || matches!(byte, b'-' | b' '))
    };
    let mut cells = head.of(text).split(|&byte| byte == b',');
    let columns = position(text, head.start, head.end);
    if head == line || columns != position(text, line.start, line.end) || !cells.clone().all(is_heading) {
        return None;
    }
    let index = position(text, line.start, at);
    let start = head.start + cells.by_ref().take(index).map(|cell| cell.len() + 1).sum::<usize>();
    Some(trim(text, Span::new(start, start + cells.next()?.len())))
}

/// What a bracket belongs to: the call, or the key of a list.
fn list_owner(text: &[u8], head: Span) -> Span {
    let end = skip_back(text, head.end, head.start, b":= \t");
    last_path(text, Span::new(head.start, end))
}

/// How many commas at this level stand between `start` and `at`.
fn position(text: &[u8], start: usize, at: usize) -> usize {
    let mut depth = 0_isize;
    let mut quote = None;
    let mut commas = 0;
    for &byte in &text[start.min(at)..at] {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth -= 1,
            (None, b',') if depth == 0 => commas += 1,
            _ => {}
        }
    }
    commas
}

/// `getenv("NAME", "value")`, `("X-API-KEY", "value")`: the argument before, if it is a name.
fn named_by_sibling(text: &[u8], start: usize, at: usize) -> Option<Span> {
    let end = skip_back(text, at, start, b" \t\r\n");
    let end = end.checked_sub(1).filter(|&comma| comma > start && text[comma] == b',')?;
    let end = skip_back(text, end, start, b" \t\r\n");
    let quote = *text[start..end].last()?;
    if !matches!(quote, b'"' | b'\'' | b'`') {
        return None;
    }
    let open = memchr::memrchr(quote, &text[start..end - 1])? + start + 1;
    let name = unescaped(text, Span::new(open, end - 1));
    let is_name = name.len() <= LONGEST_NAME
        && name.of(text).iter().all(|&byte| is_name_byte(byte) || matches!(byte, b'-' | b'.' | b' '));
    let bytes = name.of(text);
    // `DATABASE_X`: nothing but a variable of the environment is written so.
    let is_variable = bytes.contains(&b'_') && !bytes.iter().any(u8::is_ascii_lowercase);
    (is_name && (is_variable || Name::new(bytes).role().is_some())).then_some(name)
}

/// The `name:` beside a `value:`, on its line, one of the two before or the one after.
fn sibling_name(document: &Document<'_>, value: Span) -> Option<Span> {
    let text = document.text;
    let own = document.line_of(value.start);
    let near = [Some(own), own.checked_sub(1), own.checked_sub(2), Some(own + 1)];
    near.into_iter().flatten().filter(|&number| number < document.line_count()).find_map(|number| {
        let line = document.line(number);
        let colon = line.of(text).iter().position(|&byte| byte == b':' || byte == b'=')? + line.start;
        let key = last_path(text, Span::new(line.start, colon));
        if !NAME_KEYS.iter().any(|word| key.of(text).eq_ignore_ascii_case(word)) {
            return None;
        }
        let rest = Span::new(colon + 1, line.end);
        let bytes = rest.of(text);
        let start = bytes.iter().position(|&byte| is_name_byte(byte))?;
        let length = bytes[start..]
            .iter()
            .take_while(|&&byte| is_name_byte(byte) || matches!(byte, b'-' | b'.'))
            .count();
        Some(Span::new(rest.start + start, rest.start + start + length))
    })
}
