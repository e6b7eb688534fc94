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

/// So many characters at the front of a run are looked up; prefixes differ in them.
const PROBED: usize = 4;

/// All shapes of a rule set, by alphabet.
pub(crate) struct ShapeTable {
    sieves: [Sieve; 3],
    random: Vec<(u16, usize, usize)>,
}

/// The shapes whose runs are cut in one alphabet. One fact about a run selects a row in each table, with one bit for each
/// shape that the fact admits; what all rows admit is few, and is matched.
#[derive(Default)]
struct Sieve {
    entries: Vec<Entry>,
    /// By length of the run; the last row is for all longer ones.
    lengths: Rows,
    /// By the kinds of character in it.
    kinds: Rows,
    /// By its first characters.
    front: [Rows; PROBED],
    /// By the character before it and after it; the last row is for none, and for those outside ASCII.
    before: Rows,
    after: Rows,
}

/// Sets of shapes.
#[derive(Default)]
struct Rows {
    width: usize,
    bits: Vec<u64>,
}

struct Entry {
    rule: u16,
    shape: usize,
    /// Whether the kinds and the length say all about the run.
    plain: bool,
    shortest: usize,
    longest: usize,
}

/// A run cut in one alphabet, with the kinds of character that occur in it.
#[derive(Clone, Copy)]
struct Run {
    span: Span,
    kinds: u16,
}

/// Kinds of character, fine enough to tell hexadecimal from letters: one bit each, for one byte of text.
static KINDS: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
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

/// How many sets of kinds there are.
const ALL_KINDS: usize = 128;
/// How many characters there are, and one row for what is none of them.
const ALL_BESIDE: usize = 129;

fn set_of_kinds(kinds: u16) -> AsciiSet {
    (0..128_u8).filter(|&byte| KINDS[usize::from(byte)] & kinds != 0).fold(0, |set, byte| set | 1 << byte)
}

fn kinds_of_set(set: AsciiSet) -> u16 {
    (0..128_u8).filter(|&byte| set >> byte & 1 == 1).fold(0, |kinds, byte| kinds | KINDS[usize::from(byte)])
}

/// The kinds of character in `text`.
fn kinds_of(text: &[u8]) -> u16 {
    let (blocks, rest) = text.as_chunks::<SHORTEST_RUN>();
    // A run is never shorter than a block, and what overlaps is counted twice without harm.
    let last = text.last_chunk::<SHORTEST_RUN>();
    let all = blocks.iter().chain(last).fold([0; SHORTEST_RUN], |mut kinds, block| {
        kinds.iter_mut().zip(block).for_each(|(kinds, &byte)| *kinds |= kind_of(byte));
        kinds
    });
    let rest = if last.is_some() { &[] } else { rest };
    u16::from(
        all.iter().copied().chain(rest.iter().map(|&byte| kind_of(byte))).fold(0, |all, kinds| all | kinds),
    )
}

/// The kind of a character, without branches, so that many are told at once.
#[inline(always)]
fn kind_of(byte: u8) -> u8 {
    let within = |first: u8, last: u8| u8::from(byte.wrapping_sub(first) <= last - first).wrapping_neg();
    let is = |mark: u8| u8::from(byte == mark).wrapping_neg();
    let digit = within(b'0', b'9') & DIGIT as u8;
    let lower = (within(b'a', b'f') & 2) | (within(b'g', b'z') & 4);
    let upper = (within(b'A', b'F') & 8) | (within(b'G', b'Z') & 16);
    let marks = ((is(b'+') | is(b'/')) & BASE64_MARKS as u8) | ((is(b'_') | is(b'-')) & URL_MARKS as u8);
    digit | lower | upper | marks
}

impl Rows {
    fn row(&self, row: usize) -> &[u64] {
        &self.bits[row * self.width..][..self.width]
    }
}

/// Rows in the making. Most shapes say the same of most facts, so they are put together before they are written out.
struct RowsBuilder<Fact> {
    width: usize,
    told: Vec<(Fact, Vec<u64>)>,
}

impl<Fact: Copy + PartialEq> RowsBuilder<Fact> {
    fn new(entries: usize) -> Self {
        Self { width: entries.div_ceil(64), told: Vec::new() }
    }

    /// Notes what the shape `entry` asks for.
    fn tell(&mut self, fact: Fact, entry: usize) {
        let known = self.told.iter().position(|(known, _)| *known == fact);
        let place = known.unwrap_or_else(|| {
            self.told.push((fact, vec![0; self.width]));
            self.told.len() - 1
        });
        self.told[place].1[entry / 64] |= 1 << (entry % 64);
    }

    /// The rows, where `rows_of` calls its second argument with every row that a fact admits.
    fn build(self, rows: usize, rows_of: impl Fn(Fact, &mut dyn FnMut(usize))) -> Rows {
        let width = self.width;
        let mut bits = vec![0; rows * width];
        for (fact, shapes) in &self.told {
            rows_of(*fact, &mut |row| {
                bits[row * width..][..width]
                    .iter_mut()
                    .zip(shapes)
                    .for_each(|(bits, shapes)| *bits |= shapes);
            });
        }
        Rows { width, bits }
    }
}

fn each_in_set(set: AsciiSet, visit: &mut dyn FnMut(usize)) {
    let mut rest = set;
    while rest != 0 {
        visit(rest.trailing_zeros() as usize);
        rest &= rest - 1;
    }
}

/// The rows for what may stand beside a run: one of a set, or anything and nothing.
fn each_beside(set: Option<AsciiSet>, visit: &mut dyn FnMut(usize)) {
    match set {
        Some(set) => each_in_set(set, visit),
        None => (0..ALL_BESIDE).for_each(visit),
    }
}

impl ShapeTable {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut shapes: [Vec<(u16, usize)>; 3] = Default::default();
        let mut random = Vec::new();
        for (index, rule) in (0_u16..).zip(rules.rules.iter()) {
            match &rule.kind {
                // What is searched for in the same way is searched for once.
                Kind::Shape(_) if rule.like != index => {}
                Kind::Shape(alternatives) => alternatives
                    .iter()
                    .enumerate()
                    .for_each(|(number, shape)| shapes[shape.alphabet as usize].push((index, number))),
                Kind::Random(shortest, longest) => {
                    random.push((index, usize::from(*shortest), usize::from(*longest)))
                }
                _ => {}
            }
        }
        Self { sieves: shapes.map(|shapes| Sieve::new(rules, &shapes)), random }
    }

    /// Calls `found` with each rule and the span of each token of `run` that it admits.
    pub(crate) fn matches(&self, rules: &RuleSet, text: &[u8], run: Span, found: &mut impl FnMut(u16, Span)) {
        let kinds = kinds_of(run.of(text));
        for (alphabet, sieve) in Alphabet::ALL.into_iter().zip(&self.sieves) {
            if kinds & foreign(alphabet) == 0 {
                sieve.offer(rules, text, Run { span: run, kinds }, found);
            } else {
                cut(text, run, alphabet, &mut |span| {
                    sieve.offer(rules, text, Run { span, kinds: kinds_of(span.of(text)) }, found);
                });
            }
        }
        if kinds & DIGIT != 0 {
            self.offer_random(text, run, found);
        }
    }

    /// The generic detector takes a run whole, in the narrowest alphabet that holds it, with a digit in it.
    fn offer_random(&self, text: &[u8], run: Span, found: &mut impl FnMut(u16, Span)) {
        for &(rule, shortest, longest) in &self.random {
            let value = run.of(text);
            if (shortest..=longest).contains(&run.len()) && !is_number(value) && !is_path(value) {
                found(rule, run);
            }
        }
    }
}

impl Sieve {
    fn new(rules: &RuleSet, shapes: &[(u16, usize)]) -> Self {
        let count = shapes.len();
        let mut entries = Vec::with_capacity(count);
        let mut lengths = RowsBuilder::new(count);
        let mut kinds = RowsBuilder::new(count);
        let mut front: [_; PROBED] = std::array::from_fn(|_| RowsBuilder::new(count));
        let mut before = RowsBuilder::new(count);
        let mut after = RowsBuilder::new(count);
        for (index, &(rule, number)) in shapes.iter().enumerate() {
            let owner = &rules.rules[usize::from(rule)];
            let Kind::Shape(shapes) = &owner.kind else { continue };
            let pattern = &shapes[number];
            let (left, core, right) = split(pattern);
            let (shortest, longest) = pattern.core_lengths();
            let core_set = pattern.core_set();
            let core_kinds = kinds_of_set(core_set);
            // Where the run is the whole token, the classes that the rule requires must occur in it.
            let is_whole = left.is_empty() && right.is_empty();
            let required = if is_whole { required_kinds(owner.require) } else { [u16::MAX; 3] };
            let needed = |item: Option<&Item>| item.filter(|item| item.min > 0).map(|item| item.set);
            lengths.tell((shortest, longest), index);
            kinds.tell((core_kinds, required), index);
            front.iter_mut().enumerate().for_each(|(place, rows)| rows.tell(set_at(core, place), index));
            before.tell(needed(left.last()), index);
            after.tell(needed(right.first()), index);
            let plain = core.len() == 1 && core_set == set_of_kinds(core_kinds);
            entries.push(Entry { rule, shape: number, plain, shortest, longest });
        }
        Self {
            entries,
            lengths: lengths.build(TABLE_LENGTH + 1, |(shortest, longest), visit| {
                (shortest.min(TABLE_LENGTH)..=longest.min(TABLE_LENGTH)).for_each(visit);
            }),
            kinds: kinds.build(ALL_KINDS, |(kinds, required), visit| {
                (0..ALL_KINDS)
                    .zip(0_u16..)
                    .filter(|(_, held)| held & !kinds == 0 && required.iter().all(|kinds| held & kinds != 0))
                    .for_each(|(row, _)| visit(row));
            }),
            front: front.map(|rows| rows.build(ALL_BESIDE, each_in_set)),
            before: before.build(ALL_BESIDE, each_beside),
            after: after.build(ALL_BESIDE, each_beside),
        }
    }

    fn offer(&self, rules: &RuleSet, text: &[u8], run: Run, found: &mut impl FnMut(u16, Span)) {
        let Run { span, kinds } = run;
        let beside = |at: Option<usize>| at.and_then(|at| text.get(at)).map_or(128, |&byte| byte.min(128));
        let front: [&[u64]; PROBED] =
            std::array::from_fn(|place| self.front[place].row(usize::from(text[span.start + place])));
        let before = self.before.row(usize::from(beside(span.start.checked_sub(1))));
        let after = self.after.row(usize::from(beside(Some(span.end))));
        let lengths = self.lengths.row(span.len().min(TABLE_LENGTH));
        let kinds = self.kinds.row(usize::from(kinds));
        for block in 0..lengths.len() {
            let mut admitted = lengths[block] & kinds[block] & before[block] & after[block];
            admitted = front.iter().fold(admitted, |admitted, row| admitted & row[block]);
            while admitted != 0 {
                let entry = &self.entries[block * 64 + admitted.trailing_zeros() as usize];
                admitted &= admitted - 1;
                if (entry.shortest..=entry.longest).contains(&span.len()) {
                    let rule = &rules.rules[usize::from(entry.rule)];
                    found_at(entry, rule, text, span).into_iter().for_each(|span| found(entry.rule, span));
                }
            }
        }
    }
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

/// What can stand at `place` in a value of `items`, from 0.
fn set_at(items: &[Item], place: usize) -> AsciiSet {
    let (mut earliest, mut latest, mut set) = (0, 0, 0);
    for item in items {
        latest += usize::from(item.max);
        if earliest <= place && place < latest {
            set |= item.set;
        }
        earliest += usize::from(item.min);
    }
    set
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

/// What stands before the run that is searched for, the run itself, and what stands after it.
fn split(shape: &Shape) -> (&[Item], &[Item], &[Item]) {
    let (left, rest) = shape.items.split_at(shape.core_start);
    let (core, right) = rest.split_at(shape.core_end - shape.core_start);
    (left, core, right)
}

/// The whole token around the run `core`, if the entry's shape admits it there.
fn found_at(entry: &Entry, rule: &Rule, text: &[u8], core: Span) -> Option<Span> {
    let Kind::Shape(shapes) = &rule.kind else { return None };
    let shape = &shapes[entry.shape];
    let (left, middle, right) = split(shape);
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
    let (left, middle, right) = split(shape);
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

#[cfg(test)]
mod tests {
    use super::{KINDS, kind_of};

    #[test]
    fn kinds_are_told_alike_one_by_one_and_at_once() {
        for byte in 0..=255_u8 {
            assert_eq!(u16::from(kind_of(byte)), KINDS[usize::from(byte)], "byte {byte}");
        }
    }
}
