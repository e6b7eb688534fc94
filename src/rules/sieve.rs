//! Which shapes a run of characters could be: tables that are looked up by what is known of the run.
//!
//! Must not know: text, names, what a rule means. The build script includes this module to write the tables of the
//! built-in rules.
//! Invariant: what a table does not admit, no shape of the rule set matches; what it admits still has to be matched.

use std::borrow::Cow;

use super::pattern::{Alphabet, AsciiSet, Item};
use super::rule::{Classes, Kind, List, Need, RuleSet};

/// Runs up to this length are found by one look into a table.
pub const TABLE_LENGTH: usize = 256;
/// So many characters at the front of a run are looked up; prefixes differ in them.
pub const PROBED: usize = 4;
/// So many characters before a run are looked up; what stands before a value in a URL differs in them.
pub const BESIDE: usize = 2;

/// The shapes whose runs are cut in one alphabet. One fact about a run selects a row in each table, with one bit for each
/// shape that the fact admits; what all rows admit is few, and is matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Sieve {
    /// The shapes, by their bits.
    pub entries: List<Entry>,
    /// Those whose values need nothing around them, one bit each.
    pub proving: List<u64>,
    /// By length of the run: which sets of kinds any shape admits, one bit for each set.
    pub possible: List<[u64; KIND_WORDS]>,
    /// By length of the run; the last row is for all longer ones.
    pub lengths: Rows,
    /// By the kinds of character in it.
    pub kinds: Rows,
    /// By its first characters.
    pub front: [Rows; PROBED],
    /// By the characters before it, the nearest first; the last row is for none, and for those outside ASCII.
    pub before: [Rows; BESIDE],
    /// The same for the character after it.
    pub after: Rows,
}

/// Sets of shapes, one bit each.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// So many words of bits are a row.
    pub width: usize,
    /// The rows, one behind the other.
    pub bits: List<u64>,
}

/// One shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Index of its rule.
    pub rule: u16,
    /// Which of the rule's shapes it is.
    pub shape: u16,
    /// Whether the kinds and the length say all about the run.
    pub plain: bool,
    /// Whether the run is all of the value, and plain.
    pub whole: bool,
    /// How long the run is at least, in bytes.
    pub shortest: u32,
    /// How long it is at most.
    pub longest: u32,
}

/// Digits.
pub const DIGIT: u16 = 1;
/// `+` and `/`.
pub const BASE64_MARKS: u16 = 32;
/// `_` and `-`.
pub const URL_MARKS: u16 = 64;
/// Hexadecimal digits of either case, and dashes.
pub const HEX_WITH_DASHES: u16 = DIGIT | 2 | 8 | URL_MARKS;
const LOWER: u16 = 2 | 4;
const UPPER: u16 = 8 | 16;
/// How many sets of kinds there are.
const ALL_KINDS: u16 = 128;
/// So many words have a bit for each.
pub const KIND_WORDS: usize = ALL_KINDS as usize / 64;
/// How many characters there are, and one row for what is none of them.
const ALL_BESIDE: usize = 129;

/// Kinds of character, fine enough to tell hexadecimal from letters: one bit each, for one byte of text.
pub static KINDS: [u16; 256] = {
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

/// For each class that must occur its kinds.
fn required_kinds(required: Classes) -> impl Iterator<Item = u16> {
    let all = [(Classes::LOWER, LOWER), (Classes::UPPER, UPPER), (Classes::DIGIT, DIGIT)];
    all.into_iter().filter(move |&(class, _)| required.contains(Classes(class))).map(|(_, kinds)| kinds)
}

fn set_of_kinds(kinds: u16) -> AsciiSet {
    (0..128_u8).filter(|&byte| KINDS[usize::from(byte)] & kinds != 0).fold(0, |set, byte| set | 1 << byte)
}

fn kinds_of_set(set: AsciiSet) -> u16 {
    (0..128_u8).filter(|&byte| set >> byte & 1 == 1).fold(0, |kinds, byte| kinds | KINDS[usize::from(byte)])
}

impl Rows {
    /// The set in that row.
    #[inline]
    pub fn row(&self, row: usize) -> &[u64] {
        &self.bits[row * self.width..][..self.width]
    }
}

/// Rows in the making. Most shapes say the same of most facts, so they are put together before they are written out.
struct RowsBuilder<Fact> {
    width: usize,
    told: Vec<(Fact, Vec<u64>)>,
}

impl<Fact: PartialEq> RowsBuilder<Fact> {
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
    fn build(self, rows: usize, rows_of: impl Fn(&Fact, &mut dyn FnMut(usize))) -> Rows {
        let width = self.width;
        let mut bits = vec![0; rows * width];
        for (fact, shapes) in &self.told {
            rows_of(fact, &mut |row| {
                bits[row * width..][..width]
                    .iter_mut()
                    .zip(shapes)
                    .for_each(|(bits, shapes)| *bits |= shapes);
            });
        }
        Rows { width, bits: Cow::Owned(bits) }
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

/// The sieves of all shapes of `rules`, one for each alphabet, in the order of [`Alphabet::ALL`].
pub fn sieves(rules: &RuleSet) -> [Sieve; 3] {
    Alphabet::ALL.map(|alphabet| Sieve::new(rules, alphabet))
}

impl Sieve {
    /// Whether any shape admits a run of that length with those kinds of character.
    #[inline]
    pub fn is_possible(&self, length: usize, kinds: u16) -> bool {
        let kinds = usize::from(kinds);
        self.possible[length.min(TABLE_LENGTH)][kinds / 64] >> (kinds % 64) & 1 == 1
    }

    fn new(rules: &RuleSet, alphabet: Alphabet) -> Self {
        let chosen = shapes(rules, alphabet);
        let count = chosen.len();
        let mut entries = Vec::with_capacity(count);
        let mut lengths = RowsBuilder::new(count);
        let mut kinds = RowsBuilder::new(count);
        let mut front: [_; PROBED] = std::array::from_fn(|_| RowsBuilder::new(count));
        let mut before: [_; BESIDE] = std::array::from_fn(|_| RowsBuilder::new(count));
        let mut after = RowsBuilder::new(count);
        let mut proving = vec![0; count.div_ceil(64)];
        for (index, &(rule, number)) in chosen.iter().enumerate() {
            let owner = &rules.rules[usize::from(rule)];
            let Kind::Shape(shapes) = &owner.kind else { continue };
            let pattern = &shapes[usize::from(number)];
            let (left, core, right) = pattern.split();
            let (shortest, longest) = pattern.core_lengths();
            let core_set = pattern.core_set();
            let core_kinds = kinds_of_set(core_set);
            // The classes that the rule requires must occur in the run where what stands beside it cannot bring them.
            let beside = left.iter().chain(right).fold(0, |set, item| set | item.set);
            let asked = required_kinds(owner.require).filter(|kinds| kinds_of_set(beside) & kinds == 0);
            // So does one character of whatever cannot be left out of the run.
            let literal = core.iter().filter(|item| item.min > 0).map(|item| kinds_of_set(item.set));
            let mut required: Vec<u16> = asked.chain(literal).collect();
            required.sort_unstable();
            required.dedup();
            let needed = |item: Option<&Item>| item.filter(|item| item.min > 0).map(|item| item.set);
            proving[index / 64] |= u64::from(owner.need == Need::Nothing) << (index % 64);
            lengths.tell((shortest, longest), index);
            kinds.tell((core_kinds, required), index);
            front.iter_mut().enumerate().for_each(|(place, rows)| rows.tell(set_at(core, place), index));
            before.iter_mut().enumerate().for_each(|(place, rows)| rows.tell(set_before(left, place), index));
            after.tell(needed(right.first()), index);
            let plain = core.len() == 1 && core_set == set_of_kinds(core_kinds);
            let bytes = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
            let (shortest, longest) = (bytes(shortest), bytes(longest));
            let whole = plain && left.is_empty() && right.is_empty();
            entries.push(Entry { rule, shape: number, plain, whole, shortest, longest });
        }
        let lengths = lengths.build(TABLE_LENGTH + 1, |&(shortest, longest), visit| {
            (shortest.min(TABLE_LENGTH)..=longest.min(TABLE_LENGTH)).for_each(visit);
        });
        let kinds = kinds.build(usize::from(ALL_KINDS), |(kinds, required), visit| {
            (0..ALL_KINDS)
                .filter(|held| held & !kinds == 0 && required.iter().all(|required| held & required != 0))
                .for_each(|held| visit(usize::from(held)));
        });
        Self {
            entries: Cow::Owned(entries),
            proving: Cow::Owned(proving),
            possible: Cow::Owned(possible(&lengths, &kinds)),
            lengths,
            kinds,
            front: front.map(|rows| rows.build(ALL_BESIDE, |&set, visit| each_in_set(set, visit))),
            before: before.map(|rows| rows.build(ALL_BESIDE, |&set, visit| each_beside(set, visit))),
            after: after.build(ALL_BESIDE, |&set, visit| each_beside(set, visit)),
        }
    }
}

/// For each length the sets of kinds with which it shares a shape.
fn possible(lengths: &Rows, kinds: &Rows) -> Vec<[u64; KIND_WORDS]> {
    let shares = |length: usize, held: usize| {
        lengths.row(length).iter().zip(kinds.row(held)).any(|(length, held)| length & held != 0)
    };
    let told = |length: usize| {
        let mut words = [0; KIND_WORDS];
        (0..usize::from(ALL_KINDS))
            .for_each(|held| words[held / 64] |= u64::from(shares(length, held)) << (held % 64));
        words
    };
    let mut possible: Vec<[u64; KIND_WORDS]> = Vec::with_capacity(TABLE_LENGTH + 1);
    for length in 0..=TABLE_LENGTH {
        // The same shapes share the same sets.
        let last = possible.last().filter(|_| lengths.row(length) == lengths.row(length - 1));
        possible.push(last.copied().unwrap_or_else(|| told(length)));
    }
    possible
}

/// The shapes in that alphabet, each as its rule and its number there. What is searched for in the same way is searched
/// for once. Those of the same length are neighbours, so that few words of a row have a bit for a run.
fn shapes(rules: &RuleSet, alphabet: Alphabet) -> Vec<(u16, u16)> {
    let mut chosen = Vec::new();
    for (index, rule) in (0_u16..).zip(rules.rules.iter()) {
        if let Kind::Shape(alternatives) = &rule.kind
            && rule.like == index
        {
            let numbered = (0_u16..).zip(alternatives.iter());
            let own = numbered.filter(|(_, shape)| shape.alphabet == alphabet);
            chosen.extend(own.map(|(number, shape)| (shape.core_lengths(), index, number)));
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|(_, index, number)| (index, number)).collect()
}

/// What can stand so many characters before the end of `items`; `None` where they can be too short for one there.
fn set_before(items: &[Item], place: usize) -> Option<AsciiSet> {
    let shortest: usize = items.iter().map(|item| usize::from(item.min)).sum();
    (place < shortest).then(|| set_at(items.iter().rev(), place))
}

/// What can stand at `place` in a value of `items`, from 0.
fn set_at<'a>(items: impl IntoIterator<Item = &'a Item>, place: usize) -> AsciiSet {
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
