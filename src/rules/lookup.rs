//! The names of parts and the words of providers, to be looked up by their first letters.
//!
//! Must not know: text, what a name or a word is worth. The build script includes this module to write the tables of
//! the built-in rules.
//! Invariant: an entry of at least [`BUCKET_LETTERS`] letters stands in the bucket of its first ones, every other one
//! beside the buckets.

use std::borrow::Cow;

use super::rule::{List, RuleSet};

/// Entries share a bucket if they share so many letters at the front.
pub const BUCKET_LETTERS: usize = 3;
const NAME_BITS: u32 = 11;
const WORD_BITS: u32 = 12;

/// A stretch of a table's letters: where it begins and ends.
pub type Letters = (u32, u32);

/// The names of all parts.
#[derive(Clone, Debug, PartialEq)]
pub struct NameTable {
    /// By bucket.
    pub names: List<NameEntry>,
    /// Where each bucket begins in `names`, and where the last one ends.
    pub buckets: List<u32>,
    /// The names that are too short for a bucket.
    pub short: List<NameEntry>,
    /// The names without and with their spaces, one behind the other.
    pub letters: List<u8>,
}

/// A name of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameEntry {
    /// Without spaces.
    pub squashed: Letters,
    /// With single spaces.
    pub text: Letters,
    /// Whose name it is: the index of a rule.
    pub owner: u16,
}

/// The words of all providers.
#[derive(Clone, Debug, PartialEq)]
pub struct WordTable {
    /// By bucket.
    pub words: List<WordEntry>,
    /// Where each bucket begins in `words`, and where the last one ends.
    pub buckets: List<u32>,
    /// The words that are too short for a bucket.
    pub pairs: List<WordEntry>,
    /// The words, one behind the other, in lower case.
    pub letters: List<u8>,
    /// How long the longest word is, in bytes.
    pub longest: usize,
}

/// A word of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordEntry {
    /// The word.
    pub letters: Letters,
    /// How many marks stand before its first letter or digit: `@` in `@ton/ton`.
    pub marks: u16,
    /// That letter or digit, in lower case.
    pub initial: u8,
    /// Index of the provider.
    pub provider: u16,
    /// Has other meanings: counts only in names and structure.
    pub weak: bool,
}

/// In which bucket names stand that begin with these letters, which are in lower case.
#[inline(always)]
pub fn name_bucket(letters: &[u8; BUCKET_LETTERS]) -> usize {
    bucket(letters, NAME_BITS)
}

/// In which bucket words stand that begin with these letters, whatever their case.
#[inline(always)]
pub fn word_bucket(letters: &[u8; BUCKET_LETTERS]) -> usize {
    bucket(&letters.map(|letter| letter.to_ascii_lowercase()), WORD_BITS)
}

#[inline(always)]
fn bucket(letters: &[u8; BUCKET_LETTERS], bits: u32) -> usize {
    let key = letters.iter().fold(0_u32, |key, &letter| key << 8 | u32::from(letter));
    (key.wrapping_mul(0x9e37_79b1) >> (u32::BITS - bits)) as usize
}

impl NameTable {
    /// The names of the parts of `rules`.
    pub fn of(rules: &RuleSet) -> Self {
        let owned = (0_u16..).zip(rules.rules.iter());
        Self::new(owned.flat_map(|(index, rule)| rule.names.iter().map(move |name| (index, name.as_ref()))))
    }

    /// Names (lower-case words with single spaces) with their owners.
    pub fn new<'a>(owned: impl Iterator<Item = (u16, &'a str)>) -> Self {
        let (mut names, mut short, mut letters) = (Vec::new(), Vec::new(), Vec::new());
        for (owner, text) in owned {
            let squashed = append(&mut letters, text.bytes().filter(|&byte| byte != b' '));
            let text = append(&mut letters, text.bytes());
            let is_short = squashed.1 - squashed.0 < BUCKET_LETTERS as u32;
            let kept = if is_short { &mut short } else { &mut names };
            kept.push(NameEntry { squashed, text, owner });
        }
        let buckets = in_buckets(&mut names, NAME_BITS, |name| first(&letters, name.squashed.0, name_bucket));
        Self {
            names: Cow::Owned(names),
            buckets: Cow::Owned(buckets),
            short: Cow::Owned(short),
            letters: Cow::Owned(letters),
        }
    }
}

impl WordTable {
    /// The words of the providers of `rules`; headers with a dash are words, too.
    pub fn of(rules: &RuleSet) -> Self {
        let mut table = WordsInTheMaking::default();
        for (provider, number) in rules.providers.iter().zip(0_u16..) {
            let headers = provider.headers.iter().map(|(header, _)| header);
            let headers = headers.filter(|header| header.contains('-')).map(|header| (header, true));
            let strong = provider.words.iter().map(|word| (word, false)).chain(headers);
            for (word, weak) in strong.chain(provider.weak_words.iter().map(|word| (word, true))) {
                table.add(word.as_bytes(), number, weak);
            }
        }
        table.done()
    }
}

#[derive(Default)]
struct WordsInTheMaking {
    words: Vec<WordEntry>,
    pairs: Vec<WordEntry>,
    letters: Vec<u8>,
    longest: usize,
}

impl WordsInTheMaking {
    fn add(&mut self, word: &[u8], provider: u16, weak: bool) {
        let letters = append(&mut self.letters, word.iter().map(u8::to_ascii_lowercase));
        self.longest = self.longest.max(word.len());
        let marks = word.iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count();
        let initial = word.get(marks).map_or(0, u8::to_ascii_lowercase);
        let long = word.len() - marks >= BUCKET_LETTERS;
        // Words are shorter than a line of a pack.
        let marks = u16::try_from(marks).unwrap_or(u16::MAX);
        let kept = if long { &mut self.words } else { &mut self.pairs };
        kept.push(WordEntry { letters, marks, initial, provider, weak });
    }

    fn done(mut self) -> WordTable {
        let letters = &self.letters;
        let buckets = in_buckets(&mut self.words, WORD_BITS, |word| {
            first(letters, word.letters.0 + u32::from(word.marks), word_bucket)
        });
        WordTable {
            words: Cow::Owned(self.words),
            buckets: Cow::Owned(buckets),
            pairs: Cow::Owned(self.pairs),
            letters: Cow::Owned(self.letters),
            longest: self.longest,
        }
    }
}

/// Appends letters and tells where they stand.
fn append(letters: &mut Vec<u8>, more: impl Iterator<Item = u8>) -> Letters {
    let place = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let start = place(letters.len());
    letters.extend(more);
    (start, place(letters.len()))
}

/// The bucket of the letters that begin at `start`.
fn first(letters: &[u8], start: u32, bucket: fn(&[u8; BUCKET_LETTERS]) -> usize) -> usize {
    letters[start as usize..].first_chunk().map_or(0, bucket)
}

/// Sorts entries by their bucket and tells where each bucket begins.
fn in_buckets<Entry>(entries: &mut [Entry], bits: u32, bucket: impl Fn(&Entry) -> usize) -> Vec<u32> {
    entries.sort_by_cached_key(&bucket);
    let mut begins = vec![0_u32; (1 << bits) + 1];
    entries.iter().for_each(|entry| begins[bucket(entry) + 1] += 1);
    for at in 1..begins.len() {
        begins[at] += begins[at - 1];
    }
    begins
}
