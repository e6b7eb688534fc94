//! Step two: a run is offered only to the shapes whose alphabet, length and characters admit it.
//!
//! Must not know: names, files, what a rule means.
//! Invariant: a shape is reported for a run exactly if its pattern, as a regular expression between its boundaries,
//! matches there (the equivalence test compares both).

use std::borrow::Cow;

use crate::model::Span;
use crate::rules::pattern::{Alphabet, AsciiSet, Item, SHORTEST_RUN};
use crate::rules::sieve::{
    BASE64_MARKS, BESIDE, DIGIT, Entry, HEX_WITH_DASHES, KINDS, PROBED, Sieve, TABLE_LENGTH, URL_MARKS,
};
use crate::rules::{Classes, Kind, Rule, RuleSet, Shape};

/// All shapes of a rule set, by alphabet.
pub(crate) struct ShapeTable {
    sieves: Cow<'static, [Sieve; 3]>,
    random: Vec<(u16, usize, usize)>,
}

/// A run cut in one alphabet, with the kinds of character that occur in it.
#[derive(Clone, Copy)]
struct Run {
    span: Span,
    kinds: u16,
}

/// The kinds of character in `text`.
fn kinds_of(text: &[u8]) -> u16 {
    // A run is never shorter than a block, and what overlaps is counted twice without harm.
    let Some(last) = text.last_chunk::<SHORTEST_RUN>() else {
        return text.iter().fold(0, |all, &byte| all | u16::from(kind_of(byte)));
    };
    let blocks = text.as_chunks::<SHORTEST_RUN>().0.iter().chain([last]);
    let kinds = blocks.fold([0; SHORTEST_RUN], |mut kinds, block| {
        kinds.iter_mut().zip(block).for_each(|(kinds, &byte)| *kinds |= kind_of(byte));
        kinds
    });
    let halves = [64, 32, 16, 8].into_iter();
    let all = halves.fold(u128::from_ne_bytes(kinds), |all, half| all | all >> half);
    all as u16 & 0xff
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

impl ShapeTable {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let numbered = (0_u16..).zip(rules.rules.iter());
        let random = numbered.filter_map(|(index, rule)| match &rule.kind {
            Kind::Random(shortest, longest) => Some((index, usize::from(*shortest), usize::from(*longest))),
            _ => None,
        });
        Self { sieves: rules.sieves(), random: random.collect() }
    }

    /// Calls `found` with each rule and the span of each token of `run` that it admits.
    pub(crate) fn matches(&self, rules: &RuleSet, text: &[u8], run: Span, found: &mut impl FnMut(u16, Span)) {
        let kinds = kinds_of(run.of(text));
        self.shapes_of(rules, text, Run { span: run, kinds }, false, found);
        if kinds & DIGIT != 0 {
            self.offer_random(text, run, found);
        }
    }

    /// The same with the rules alone whose values need nothing around them.
    pub(crate) fn proved(&self, rules: &RuleSet, text: &[u8], run: Span, found: &mut impl FnMut(u16, Span)) {
        self.shapes_of(rules, text, Run { span: run, kinds: kinds_of(run.of(text)) }, true, found);
    }

    fn shapes_of(
        &self,
        rules: &RuleSet,
        text: &[u8],
        Run { span: run, kinds }: Run,
        is_proof_wanted: bool,
        found: &mut impl FnMut(u16, Span),
    ) {
        for (alphabet, sieve) in Alphabet::ALL.into_iter().zip(self.sieves.iter()) {
            // Most runs end here: nothing is as long and made of that.
            let mut take = |run: Run| {
                if sieve.is_possible(run.span.len(), run.kinds) {
                    offer(sieve, (alphabet, is_proof_wanted), rules, text, run, found);
                }
            };
            if kinds & foreign(alphabet) == 0 {
                take(Run { span: run, kinds });
            } else {
                cut(text, run, alphabet, &mut |span| take(Run { span, kinds: kinds_of(span.of(text)) }));
            }
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

/// Calls `found` with what the shapes of a sieve make of a run.
#[inline(never)]
fn offer(
    sieve: &Sieve,
    (alphabet, is_proof_wanted): (Alphabet, bool),
    rules: &RuleSet,
    text: &[u8],
    run: Run,
    found: &mut impl FnMut(u16, Span),
) {
    let Run { span, kinds } = run;
    let lengths = sieve.lengths.row(span.len().min(TABLE_LENGTH));
    let kinds = sieve.kinds.row(usize::from(kinds));
    let beside = |at: Option<usize>| at.and_then(|at| text.get(at)).map_or(128, |&byte| byte.min(128));
    let front: [&[u64]; PROBED] =
        std::array::from_fn(|place| sieve.front[place].row(usize::from(text[span.start + place])));
    let before: [&[u64]; BESIDE] = std::array::from_fn(|place| {
        sieve.before[place].row(usize::from(beside(span.start.checked_sub(place + 1))))
    });
    let after = sieve.after.row(usize::from(beside(Some(span.end))));
    let mut bounded = None;
    for block in 0..lengths.len() {
        let mut admitted = lengths[block] & kinds[block];
        if is_proof_wanted {
            admitted &= sieve.proving[block];
        }
        if admitted == 0 {
            continue;
        }
        admitted &= after[block];
        front.iter().for_each(|row| admitted &= row[block]);
        before.iter().for_each(|row| admitted &= row[block]);
        while admitted != 0 {
            let entry = &sieve.entries[block * 64 + admitted.trailing_zeros() as usize];
            admitted &= admitted - 1;
            if !(entry.shortest as usize..=entry.longest as usize).contains(&span.len()) {
                continue;
            }
            if entry.whole {
                // The rows told of its characters; of what stands beside it all shapes of the alphabet ask the same.
                if *bounded.get_or_insert_with(|| has_boundaries(alphabet, text, span)) {
                    found(entry.rule, span);
                }
            } else {
                let rule = &rules.rules[usize::from(entry.rule)];
                found_at(entry, rule, text, span).into_iter().for_each(|span| found(entry.rule, span));
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

/// The marks that no token of the alphabet holds.
fn foreign(alphabet: Alphabet) -> u16 {
    match alphabet {
        Alphabet::Alphanumeric => BASE64_MARKS | URL_MARKS,
        Alphabet::Base64 => URL_MARKS,
        Alphabet::Base64Url => BASE64_MARKS,
    }
}

/// Cuts `run` into its maximal runs of `alphabet`, those that are long enough. Each place where one could begin is looked
/// at from the end of the shortest run there: a mark near the end rules out all places before it.
fn cut(text: &[u8], run: Span, alphabet: Alphabet, visit: &mut impl FnMut(Span)) {
    let foreign = foreign(alphabet);
    let is_foreign = |byte: &u8| KINDS[usize::from(*byte)] & foreign != 0;
    let mut start = run.start;
    while start + SHORTEST_RUN <= run.end {
        match text[start..start + SHORTEST_RUN].iter().rposition(is_foreign) {
            Some(mark) => start += mark + 1,
            None => {
                let rest = &text[start + SHORTEST_RUN..run.end];
                let length = SHORTEST_RUN + rest.iter().position(is_foreign).unwrap_or(rest.len());
                visit(Span::new(start, start + length));
                start += length + 1;
            }
        }
    }
}

fn bit(byte: u8) -> AsciiSet {
    if byte < 128 { 1 << byte } else { 0 }
}

/// The whole token around the run `core`, if the entry's shape admits it there.
fn found_at(entry: &Entry, rule: &Rule, text: &[u8], core: Span) -> Option<Span> {
    let Kind::Shape(shapes) = &rule.kind else { return None };
    let shape = &shapes[usize::from(entry.shape)];
    let (left, middle, right) = shape.split();
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
    let (left, middle, right) = shape.split();
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
    use proptest::prelude::*;

    use super::{Alphabet, KINDS, SHORTEST_RUN, Span, cut, foreign, kind_of};

    #[test]
    fn kinds_are_told_alike_one_by_one_and_at_once() {
        for byte in 0..=255_u8 {
            assert_eq!(u16::from(kind_of(byte)), KINDS[usize::from(byte)], "byte {byte}");
        }
    }

    proptest! {
        #[test]
        fn what_is_cut_is_what_stands_between_marks(run in "[a-z0-9_/+-]{0,9}([a-z0-9]{10,20}[a-z_/+-]{0,4}){0,5}") {
            for alphabet in Alphabet::ALL {
                let mut found = Vec::new();
                cut(run.as_bytes(), Span::new(0, run.len()), alphabet, &mut |span| found.push(span));
                let pieces = run.as_bytes().split(|&byte| KINDS[usize::from(byte)] & foreign(alphabet) != 0);
                let ends = pieces.scan(0, |end, piece| {
                    let span = Span::new(*end, *end + piece.len());
                    *end = span.end + 1;
                    Some(span)
                });
                prop_assert_eq!(found, ends.filter(|span| span.len() >= SHORTEST_RUN).collect::<Vec<_>>());
            }
        }
    }
}
