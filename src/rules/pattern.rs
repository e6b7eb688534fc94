//! The small pattern language of `shape`, parsed into tables.
//!
//! Literals, `[classes]`, `{n}`, `{m,n}`, `?`, and `(?:one|other)`: what token shapes need and what can be searched
//! for without a regular expression. Every pattern is also a valid regular expression with the same meaning.
//!
//! Must not know: detection, files. The build script includes this module.
//! Invariant: a [`Pattern`] accepts exactly the strings its source accepts as an anchored regular expression.

/// Tokens shorter than this are not searched for (see detection: nearly all text is gone after the run test).
pub const SHORTEST_RUN: usize = 16;

/// At most this many alternatives after expansion.
const MAX_ALTERNATIVES: usize = 64;

/// A set of ASCII characters, one bit each.
pub type AsciiSet = u128;

/// Some characters of a set in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which characters.
    pub set: AsciiSet,
    /// At least this many.
    pub min: u16,
    /// At most this many.
    pub max: u16,
}

/// The alphabets in which runs are cut out of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alphabet {
    /// `A-Z a-z 0-9`
    Alphanumeric,
    /// `A-Z a-z 0-9 + /`
    Base64,
    /// `A-Z a-z 0-9 _ -`
    Base64Url,
}

impl Alphabet {
    /// All of them, from narrow to wide.
    pub const ALL: [Self; 3] = [Self::Alphanumeric, Self::Base64, Self::Base64Url];

    /// Its characters.
    pub const fn set(self) -> AsciiSet {
        let letters_and_digits = range(b'A', b'Z') | range(b'a', b'z') | range(b'0', b'9');
        match self {
            Self::Alphanumeric => letters_and_digits,
            Self::Base64 => letters_and_digits | 1 << b'+' | 1 << b'/',
            Self::Base64Url => letters_and_digits | 1 << b'_' | 1 << b'-',
        }
    }
}

/// One alternative of a shape, and the run in it that is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Everything from left to right.
    pub items: Vec<Item>,
    /// The run searched for: items `core.0 .. core.1`.
    pub core: (usize, usize),
    /// The alphabet the run is cut in.
    pub alphabet: Alphabet,
}

impl Pattern {
    /// Shortest and longest length of the searched run.
    pub fn core_lengths(&self) -> (usize, usize) {
        lengths(&self.items[self.core.0..self.core.1])
    }

    /// Shortest and longest length of the whole.
    pub fn lengths(&self) -> (usize, usize) {
        lengths(&self.items)
    }
}

fn lengths(items: &[Item]) -> (usize, usize) {
    items.iter().fold((0, 0), |(min, max), item| (min + usize::from(item.min), max + usize::from(item.max)))
}

const fn range(first: u8, last: u8) -> AsciiSet {
    let mut set = 0;
    let mut byte = first;
    while byte <= last {
        set |= 1 << byte;
        byte += 1;
    }
    set
}

/// Parses a shape into its alternatives.
///
/// # Errors
/// What is wrong, in words, without quoting the pattern.
pub fn parse(source: &str) -> Result<Vec<Pattern>, String> {
    alternatives_of(source)?.into_iter().map(with_core).collect()
}

fn alternatives_of(source: &str) -> Result<Vec<Vec<Item>>, String> {
    if !source.is_ascii() {
        return Err("a shape is ASCII".into());
    }
    let mut parser = Parser { bytes: source.as_bytes(), at: 0 };
    let alternatives = parser.alternatives(0)?;
    if parser.at != source.len() {
        return Err("a shape has an unmatched `)`".into());
    }
    Ok(alternatives)
}

/// Parses a shape that is searched for by one of `anchors`, literals in it, because no run of it is long enough.
///
/// # Errors
/// As [`parse`], and when an alternative holds none of the literals.
pub fn parse_around(source: &str, anchors: &[String]) -> Result<Vec<Pattern>, String> {
    let around = |items: Vec<Item>| {
        let spelled = |start: usize, anchor: &str| {
            let literal = items[start..].iter().map(|item| (item.set, item.min, item.max));
            anchor.len() <= items.len() - start
                && literal.zip(anchor.bytes()).all(|(item, byte)| item == (1 << byte, 1, 1))
        };
        let found = (0..items.len()).find_map(|start| {
            anchors.iter().find(|anchor| spelled(start, anchor)).map(|anchor| (start, anchor.len()))
        });
        let (start, length) = found.ok_or("an alternative of a shape holds none of its anchors")?;
        Ok(Pattern { core: (start, start + length), alphabet: Alphabet::Base64Url, items })
    };
    alternatives_of(source)?.into_iter().map(around).collect()
}

fn with_core(items: Vec<Item>) -> Result<Pattern, String> {
    let mut best: Option<(usize, (usize, usize), Alphabet)> = None;
    for alphabet in Alphabet::ALL {
        let mut first = 0;
        while first < items.len() {
            let inside = items[first..].iter().take_while(|item| item.set & !alphabet.set() == 0).count();
            let shortest = lengths(&items[first..first + inside]).0;
            if best.is_none_or(|(length, ..)| shortest > length) {
                best = Some((shortest, (first, first + inside), alphabet));
            }
            first += inside.max(1);
        }
    }
    match best {
        Some((length, core, alphabet)) if length >= SHORTEST_RUN => {
            let neighbours = [core.0.checked_sub(1), Some(core.1)];
            let clear = neighbours
                .into_iter()
                .flatten()
                .filter_map(|index| items.get(index))
                .all(|item| item.set & alphabet.set() == 0);
            if clear {
                Ok(Pattern { items, core, alphabet })
            } else {
                Err("a shape's longest run has no clear end".into())
            }
        }
        _ => Err(format!(
            "a shape needs a run of {SHORTEST_RUN} characters of one alphabet; shorter values are `chosen`"
        )),
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn alternatives(&mut self, depth: usize) -> Result<Vec<Vec<Item>>, String> {
        if depth > 8 {
            return Err("a shape nests groups too deep".into());
        }
        let mut all = self.sequence(depth)?;
        while self.eat(b'|') {
            all.extend(self.sequence(depth)?);
        }
        if all.len() > MAX_ALTERNATIVES {
            Err(format!("a shape has more than {MAX_ALTERNATIVES} alternatives"))
        } else {
            Ok(all)
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Vec<Item>>, String> {
        let mut all: Vec<Vec<Item>> = vec![Vec::new()];
        while let Some(byte) = self.peek() {
            if byte == b'|' || byte == b')' {
                break;
            }
            let pieces = self.piece(depth)?;
            all = all
                .iter()
                .flat_map(|head| pieces.iter().map(move |tail| head.iter().chain(tail).copied().collect()))
                .collect();
            if all.len() > MAX_ALTERNATIVES {
                return Err(format!("a shape has more than {MAX_ALTERNATIVES} alternatives"));
            }
        }
        Ok(all)
    }

    fn piece(&mut self, depth: usize) -> Result<Vec<Vec<Item>>, String> {
        if self.eat(b'(') {
            if !(self.eat(b'?') && self.eat(b':')) {
                return Err("a shape's groups are written `(?:…)`".into());
            }
            let mut inner = self.alternatives(depth + 1)?;
            if !self.eat(b')') {
                return Err("a shape has an unmatched `(`".into());
            }
            if self.eat(b'?') {
                inner.push(Vec::new());
            }
            return Ok(inner);
        }
        let set = self.set()?;
        let (min, max) = self.count()?;
        Ok(vec![vec![Item { set, min, max }]])
    }

    fn set(&mut self) -> Result<AsciiSet, String> {
        match self.next() {
            Some(b'[') => self.class(),
            Some(b'\\') => {
                self.next().map(|byte| 1 << byte).ok_or_else(|| "a shape ends in a backslash".into())
            }
            Some(byte) if b".*+?{}^$]".contains(&byte) => {
                Err(format!("`{}` has no meaning in a shape; escape it", char::from(byte)))
            }
            Some(byte) => Ok(1 << byte),
            None => Err("a shape ends early".into()),
        }
    }

    fn class(&mut self) -> Result<AsciiSet, String> {
        let mut set: AsciiSet = 0;
        loop {
            let first = match self.next() {
                Some(b']') if set != 0 => return Ok(set),
                Some(b'\\') => self.next().ok_or("a shape's class has no end")?,
                Some(b'^') if set == 0 => return Err("a shape's class lists what it admits".into()),
                Some(byte) => byte,
                None => return Err("a shape's class has no end".into()),
            };
            let is_range =
                self.peek() == Some(b'-') && self.bytes.get(self.at + 1).is_some_and(|&byte| byte != b']');
            if is_range {
                self.at += 1;
                let last = self.next().ok_or("a shape's class has no end")?;
                if last < first {
                    return Err("a shape's class has a range that runs backwards".into());
                }
                set |= range(first, last);
            } else {
                set |= 1 << first;
            }
        }
    }

    fn count(&mut self) -> Result<(u16, u16), String> {
        if self.eat(b'?') {
            return Ok((0, 1));
        }
        if !self.eat(b'{') {
            return Ok((1, 1));
        }
        let min = self.number()?;
        let max = if self.eat(b',') { self.number()? } else { min };
        if !self.eat(b'}') || max < min || max == 0 {
            return Err("a shape's count is `{n}` or `{m,n}`".into());
        }
        Ok((min, max))
    }

    fn number(&mut self) -> Result<u16, String> {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(&self.bytes[self.at..self.at + digits]).unwrap_or_default();
        self.at += digits;
        text.parse()
            .ok()
            .filter(|&count| count <= 8192)
            .ok_or_else(|| "a shape's count is a number up to 8192".into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Alphabet, parse};

    #[test]
    fn the_searched_run_is_the_longest_of_one_alphabet() {
        for (source, alternatives, alphabet, core, whole) in [
            ("[A-Za-z0-9]{64}", 1, Alphabet::Alphanumeric, (64, 64), (64, 64)),
            ("bg_[0-9a-f]{32}", 1, Alphabet::Base64Url, (35, 35), (35, 35)),
            ("[A-Za-z0-9+/]{85}[AQgw]==", 1, Alphabet::Base64, (86, 86), (88, 88)),
            ("(?:master-|account-)[0-9A-Za-z]{20}", 2, Alphabet::Base64Url, (27, 27), (27, 27)),
            ("id/[0-9a-f]{8}-[0-9a-f]{12}", 1, Alphabet::Base64Url, (21, 21), (24, 24)),
            ("[0-9a-f]{16,20}", 1, Alphabet::Alphanumeric, (16, 20), (16, 20)),
        ] {
            let patterns = parse(source).expect("the pattern is of the grammar");
            assert_eq!(patterns.len(), alternatives, "{source}");
            assert_eq!(patterns[0].alphabet, alphabet, "{source}");
            assert_eq!(patterns[0].core_lengths(), core, "{source}");
            assert_eq!(patterns[0].lengths(), whole, "{source}");
        }
    }

    #[test]
    fn what_is_not_of_the_grammar_is_refused_in_words() {
        for source in [
            "[a-z]{3}",
            "[a-z",
            "a+",
            "(a|b)",
            "(?:[a-z]{20}",
            "[a-z]{20})",
            "[z-a]{20}",
            "[a-z]{0}",
            "é{20}",
            "[^a]{20}",
            "a{99999}",
        ] {
            assert!(parse(source).is_err(), "{source}");
        }
    }
}
