//! Step two: a run is offered only to the shapes whose alphabet, length and characters admit it.
//!
//! Must not know: names, files, what a rule means.
//! Invariant: a shape is reported for a run exactly if its pattern, as a regular expression between its boundaries,
//! matches there (the equivalence test compares both).

use crate::model::Span;
use crate::rules::pattern::{Alphabet, AsciiSet, Item, SHORTEST_RUN};
use crate::rules::{Classes, Kind, Rule, RuleSet, Shape};

/// Runs up to this length are found by one look into a table.
const TABLE_LENGTH: usize = 256;

/// All shapes of a rule set, by alphabet and length of their run.
pub(crate) struct ShapeTable {
    entries: Vec<Entry>,
    by_length: [Vec<Vec<u16>>; 3],
    long: [Vec<u16>; 3],
    random: Vec<(u16, usize, usize)>,
}

struct Entry {
    rule: u16,
    shape: usize,
    /// The kinds of character that the run may hold.
    kinds: u16,
    /// The characters that the run may begin with: most shapes begin alike in all their values.
    first: AsciiSet,
    /// Kinds of which one must occur, for each class that the rule requires.
    required: [u16; 3],
    /// Whether the kinds and the length say all about the run.
    plain: bool,
    shortest: usize,
    longest: usize,
}

/// A run cut in one alphabet, with the kinds of character that occur in it.
#[derive(Clone, Copy)]
struct Run {
    span: Span,
    alphabet: Alphabet,
    kinds: u16,
}

/// Kinds of character, fine enough to tell hexadecimal from letters: one bit each, for one byte of text.
static KINDS: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => 1,
            b'a'..=b'f' => 2,
            b'g'..=b'z' => 4,
            b'A'..=b'F' => 8,
            b'G'..=b'Z' => 16,
            b'+' | b'/' => BASE64_MARKS,
            b'_' | b'-' => URL_MARKS,
            _ => 0,
        };
        byte += 1;
    }
    table
};
const BASE64_MARKS: u16 = 32;
const URL_MARKS: u16 = 64;
const HEX_WITH_DASHES: u16 = 1 | 2 | 8 | URL_MARKS;

const LOWER: u16 = 2 | 4;
const UPPER: u16 = 8 | 16;
const DIGIT: u16 = 1;

/// For each class that must occur its kinds; all kinds where nothing is asked.
fn required_kinds(required: Classes) -> [u16; 3] {
    let asked = |class: u8, kinds: u16| if required.contains(Classes(class)) { kinds } else { u16::MAX };
    [asked(Classes::LOWER, LOWER), asked(Classes::UPPER, UPPER), asked(Classes::DIGIT, DIGIT)]
}

fn set_of_kinds(kinds: u16) -> AsciiSet {
    (0..128_u8).filter(|&byte| KINDS[usize::from(byte)] & kinds != 0).fold(0, |set, byte| set | 1 << byte)
}

fn kinds_of_set(set: AsciiSet) -> u16 {
    (0..128_u8).filter(|&byte| set >> byte & 1 == 1).fold(0, |kinds, byte| kinds | KINDS[usize::from(byte)])
}

fn kinds_of(text: &[u8]) -> u16 {
    text.iter().fold(0, |kinds, &byte| kinds | KINDS[usize::from(byte)])
}

impl ShapeTable {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut table = Self {
            entries: Vec::new(),
            by_length: std::array::from_fn(|_| vec![Vec::new(); TABLE_LENGTH]),
            long: Default::default(),
            random: Vec::new(),
        };
        for (index, rule) in rules.rules.iter().enumerate() {
            let index = u16::try_from(index).expect("compiling rules refuses more than 65,535 of them");
            match &rule.kind {
                // What is searched for in the same way is searched for once.
                Kind::Shape(_) if rule.like != index => {}
                Kind::Shape(shapes) => (0..shapes.len())
                    .for_each(|shape| table.add((index, shape), &shapes[shape], rule.require)),
                Kind::Random(shortest, longest) => {
                    table.random.push((index, usize::from(*shortest), usize::from(*longest)))
                }
                _ => {}
            }
        }
        table
    }

    fn add(&mut self, (rule, shape): (u16, usize), pattern: &Shape, required: Classes) {
        let (shortest, longest) = pattern.core_lengths();
        let entry = u16::try_from(self.entries.len()).expect("there are fewer than 65,536 shapes");
        let core = &pattern.items[pattern.core_start..pattern.core_end];
        self.entries.push(Entry {
            rule,
            shape,
            kinds: kinds_of_set(pattern.core_set()),
            first: first_of(core),
            required: required_kinds(required),
            plain: pattern.items.len() == core.len()
                && core.len() == 1
                && pattern.core_set() == set_of_kinds(kinds_of_set(pattern.core_set())),
            shortest,
            longest,
        });
        let slot = pattern.alphabet as usize;
        let lengths = shortest.min(TABLE_LENGTH)..(longest + 1).min(TABLE_LENGTH);
        self.by_length[slot][lengths].iter_mut().for_each(|entries| entries.push(entry));
        if longest >= TABLE_LENGTH {
            self.long[slot].push(entry);
        }
    }

    /// Calls `found` with each rule and the span of each token of `run` that it admits.
    pub(crate) fn matches(&self, rules: &RuleSet, text: &[u8], run: Span, found: &mut impl FnMut(u16, Span)) {
        let kinds = kinds_of(run.of(text));
        for alphabet in Alphabet::ALL {
            if kinds & foreign(alphabet) == 0 {
                self.offer(rules, text, Run { span: run, alphabet, kinds }, found);
            } else {
                cut(text, run, alphabet, &mut |span| {
                    if self.admits_length(alphabet, span.len()) {
                        self.offer(
                            rules,
                            text,
                            Run { span, alphabet, kinds: kinds_of(span.of(text)) },
                            found,
                        );
                    }
                });
            }
        }
        self.offer_random(text, run, found);
    }

    fn admits_length(&self, alphabet: Alphabet, length: usize) -> bool {
        !self.by_length[alphabet as usize].get(length).unwrap_or(&self.long[alphabet as usize]).is_empty()
    }

    fn offer(&self, rules: &RuleSet, text: &[u8], run: Run, found: &mut impl FnMut(u16, Span)) {
        let slot = run.alphabet as usize;
        let entries = self.by_length[slot].get(run.span.len()).unwrap_or(&self.long[slot]);
        let first = bit(text[run.span.start]);
        for &index in entries {
            let entry = &self.entries[usize::from(index)];
            let fits = entry.first & first != 0
                && run.kinds & !entry.kinds == 0
                && (entry.shortest..=entry.longest).contains(&run.span.len());
            // A plain run is nearly always the whole token: its classes are asked before anything is matched.
            let classes = entry.required.iter().all(|&kinds| run.kinds & kinds != 0);
            if fits && (classes || !entry.plain) {
                let rule = &rules.rules[usize::from(entry.rule)];
                found_at(entry, rule, text, run.span).into_iter().for_each(|span| found(entry.rule, span));
            }
        }
    }

    /// The generic detector takes a run whole, in the narrowest alphabet that holds it, with a digit in it.
    fn offer_random(&self, text: &[u8], run: Span, found: &mut impl FnMut(u16, Span)) {
        for &(rule, shortest, longest) in &self.random {
            let value = run.of(text);
            if (shortest..=longest).contains(&run.len())
                && has_digit(value)
                && !is_number(value)
                && !is_path(value)
            {
                found(rule, run);
            }
        }
    }
}

fn has_digit(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit)
}

/// Words joined by marks: a path, a flag, a long name. Random text has a mark in 32 characters.
fn is_path(value: &[u8]) -> bool {
    let marks =
        value.iter().filter(|&&byte| KINDS[usize::from(byte)] & (BASE64_MARKS | URL_MARKS) != 0).count();
    marks * 6 > value.len() && kinds_of(value) & !HEX_WITH_DASHES != 0
}

/// A number as programs write it. Keys that are written with `0x` have rules of their own.
fn is_number(value: &[u8]) -> bool {
    value.starts_with(b"0x") || value.starts_with(b"0X")
}

/// What a run of `items` can begin with: the first item, and those behind it as long as they may be missing.
fn first_of(items: &[Item]) -> AsciiSet {
    let optional = items.iter().take_while(|item| item.min == 0).count();
    items.iter().take(optional + 1).fold(0, |set, item| set | item.set)
}

/// The marks that no token of the alphabet holds.
fn foreign(alphabet: Alphabet) -> u16 {
    match alphabet {
        Alphabet::Alphanumeric => BASE64_MARKS | URL_MARKS,
        Alphabet::Base64 => URL_MARKS,
        Alphabet::Base64Url => BASE64_MARKS,
    }
}

/// Cuts `run` into its maximal runs of `alphabet`.
fn cut(text: &[u8], run: Span, alphabet: Alphabet, visit: &mut impl FnMut(Span)) {
    let foreign = foreign(alphabet);
    let mut start = run.start;
    for piece in run.of(text).split(|&byte| KINDS[usize::from(byte)] & foreign != 0) {
        if piece.len() >= SHORTEST_RUN {
            visit(Span::new(start, start + piece.len()));
        }
        start += piece.len() + 1;
    }
}

fn bit(byte: u8) -> AsciiSet {
    if byte < 128 { 1 << byte } else { 0 }
}

/// The whole token around the run `core`, if the entry's shape admits it there.
fn found_at(entry: &Entry, rule: &Rule, text: &[u8], core: Span) -> Option<Span> {
    let Kind::Shape(shapes) = &rule.kind else { return None };
    let shape = &shapes[entry.shape];
    let (left, rest) = shape.items.split_at(shape.core_start);
    let (middle, right) = rest.split_at(shape.core_end - shape.core_start);
    if !entry.plain && !matches_exactly(middle, core.of(text)) {
        return None;
    }
    let start = core.start - match_backward(left, &text[..core.start])?;
    let end = core.end + match_forward(right, &text[core.end..])?;
    let token = Span::new(start, end);
    (has_boundaries(shape.alphabet, text, token) && Classes::of(token.of(text)).contains(rule.require))
        .then_some(token)
}

/// The whole value around the literal `core`, if `shape` admits it there.
pub(crate) fn around(shape: &Shape, text: &[u8], core: Span) -> Option<Span> {
    let (left, rest) = shape.items.split_at(shape.core_start);
    let (middle, right) = rest.split_at(shape.core_end - shape.core_start);
    if !matches_exactly(middle, core.of(text)) {
        return None;
    }
    let start = core.start - match_backward(left, &text[..core.start])?;
    let value = Span::new(start, core.end + match_forward(right, &text[core.end..])?);
    has_boundaries(shape.alphabet, text, value).then_some(value)
}

/// Whether nothing beside the token could be a part of it.
pub(crate) fn has_boundaries(alphabet: Alphabet, text: &[u8], token: Span) -> bool {
    let before = token.start.checked_sub(1).map(|at| text[at]);
    let after = text.get(token.end).copied();
    let joins = |byte: u8, extra: &[u8]| byte.is_ascii_alphanumeric() || extra.contains(&byte);
    let (left, right): (&[u8], &[u8]) = match alphabet {
        Alphabet::Alphanumeric => (b"+", b"+"),
        Alphabet::Base64 => (b"+/", b"+/="),
        Alphabet::Base64Url => (b"_-", b"_-"),
    };
    !before.is_some_and(|byte| joins(byte, left)) && !after.is_some_and(|byte| joins(byte, right))
}

/// Whether `items` match all of `text`.
fn matches_exactly(items: &[Item], text: &[u8]) -> bool {
    let Some((item, rest)) = items.split_first() else { return text.is_empty() };
    let most = text.iter().take(usize::from(item.max)).take_while(|&&byte| bit(byte) & item.set != 0).count();
    let least = usize::from(item.min);
    if most < least {
        return false;
    }
    (least..=most).rev().any(|taken| matches_exactly(rest, &text[taken..]))
}

/// How many bytes at the front of `text` the items take, at most; `None` if they do not match.
fn match_forward(items: &[Item], text: &[u8]) -> Option<usize> {
    let Some((item, rest)) = items.split_first() else { return Some(0) };
    let most = text.iter().take(usize::from(item.max)).take_while(|&&byte| bit(byte) & item.set != 0).count();
    (usize::from(item.min)..=most).rev().find_map(|taken| Some(taken + match_forward(rest, &text[taken..])?))
}

/// The same from the end of `text`.
fn match_backward(items: &[Item], text: &[u8]) -> Option<usize> {
    let Some((item, rest)) = items.split_last() else { return Some(0) };
    let most =
        text.iter().rev().take(usize::from(item.max)).take_while(|&&byte| bit(byte) & item.set != 0).count();
    (usize::from(item.min)..=most)
        .rev()
        .find_map(|taken| Some(taken + match_backward(rest, &text[..text.len() - taken])?))
}
