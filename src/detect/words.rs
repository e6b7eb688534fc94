//! Where providers are named: every word of every provider, found in one pass.
//!
//! Must not know: what a hit is worth; that is for evidence.
//! Invariant: a word counts only between boundaries, so that `gate` is found in `GATE_KEY`, `gateClient` and `ccxt.gate`,
//! and not in `delegate`.

use std::borrow::Cow;

use fearless_simd::{Level, Simd, dispatch};

use crate::model::Span;
use crate::rules::RuleSet;
use crate::rules::lookup::{WordEntry, WordTable, word_bucket};

use super::strides::{STRIDE, strides};

/// A provider's word in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WordHit {
    pub(crate) span: Span,
    pub(crate) provider: u16,
    /// Has other meanings: counts only in names and structure.
    pub(crate) weak: bool,
    /// Stands inside a longer word of somebody.
    pub(crate) nested: bool,
}

/// All providers' words. They are looked up where a run of letters and digits begins, by the first letters of theirs.
pub(crate) struct WordIndex(Cow<'static, WordTable>);

impl WordIndex {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        Self(rules.word_table())
    }

    pub(crate) fn find(&self, text: &[u8]) -> Vec<WordHit> {
        let mut hits = Vec::new();
        self.find_in(text, Span::new(0, text.len()), &mut hits);
        put_in_order(&mut hits);
        hits
    }

    /// Adds the hits that stand wholly in `range`, in no order.
    pub(crate) fn find_in(&self, text: &[u8], range: Span, hits: &mut Vec<WordHit>) {
        dispatch!(Level::new(), simd => self.search(simd, text, range, hits));
    }

    #[inline(always)]
    fn search<S: Simd>(&self, simd: S, text: &[u8], range: Span, hits: &mut Vec<WordHit>) {
        let before = range.start.checked_sub(1).map_or(b' ', |at| text[at]);
        let mut alphanumeric = u64::from(before.is_ascii_alphanumeric());
        let mut lower = u64::from(before.is_ascii_lowercase());
        for (base, kinds) in strides(simd, range.of(text)) {
            let alphanumerics = kinds.alphanumerics();
            let continued = (alphanumerics << 1 | alphanumeric) & alphanumerics;
            let humps = (kinds.lowers << 1 | lower) & kinds.uppers;
            (alphanumeric, lower) = (alphanumerics >> (STRIDE - 1), kinds.lowers >> (STRIDE - 1));
            let mut starts = (alphanumerics & !continued) | humps;
            while starts != 0 {
                let at = range.start + base + starts.trailing_zeros() as usize;
                starts &= starts - 1;
                self.words_at(text, at, range, hits);
            }
        }
    }

    /// Adds the words in `range` whose first letter or digit stands at `first`.
    #[inline(always)]
    fn words_at(&self, text: &[u8], first: usize, range: Span, hits: &mut Vec<WordHit>) {
        let rest = &text[first..range.end];
        if let Some(letters) = rest.first_chunk() {
            let bucket = word_bucket(letters);
            let (start, end) = (self.0.buckets[bucket], self.0.buckets[bucket + 1]);
            if start < end {
                let words = &self.0.words[start as usize..end as usize];
                words.iter().for_each(|word| self.check(*word, text, first, range, hits));
            }
        }
        for pair in self.0.pairs.iter() {
            if pair.initial == rest[0].to_ascii_lowercase() {
                self.check(*pair, text, first, range, hits);
            }
        }
    }

    fn check(&self, word: WordEntry, text: &[u8], first: usize, range: Span, hits: &mut Vec<WordHit>) {
        let letters = &self.0.letters[word.letters.0 as usize..word.letters.1 as usize];
        let Some(start) = first.checked_sub(usize::from(word.marks)).filter(|&start| start >= range.start)
        else {
            return;
        };
        let span = Span::new(start, start + letters.len());
        // Most words of a bucket differ in their last letter, if in nothing else.
        let is_hit = span.end <= range.end
            && text[span.end - 1].to_ascii_lowercase() == letters[letters.len() - 1]
            && span.of(text).eq_ignore_ascii_case(letters)
            && is_word(text, span.start, span.end)
            && (span.len() > SHORT_WORD || !is_in_value(text, span.start, span.end));
        if is_hit {
            hits.push(WordHit { span, provider: word.provider, weak: word.weak, nested: false });
        }
    }

    /// How long the longest word is.
    pub(crate) fn longest(&self) -> usize {
        self.0.longest
    }
}

/// Sorts hits by place, takes out what is there twice, and marks what stands inside others.
pub(crate) fn put_in_order(hits: &mut Vec<WordHit>) {
    let key = |hit: &WordHit| (hit.span.start, std::cmp::Reverse(hit.span.end), hit.provider, hit.weak);
    hits.iter_mut().for_each(|hit| hit.nested = false);
    hits.sort_unstable_by_key(key);
    hits.dedup();
    mark_nested(hits);
}

/// What decides about a hit beyond the run of letters and digits it stands in: so many bytes to either side.
pub(crate) const WORD_REACH: usize = 2;

/// `coinbase` in `coinbase_commerce` speaks for the longer word's provider first.
fn mark_nested(hits: &mut [WordHit]) {
    for index in 0..hits.len() {
        let hit = hits[index];
        let longer = |other: &WordHit| other.span.len() > hit.span.len() && other.span.contains(hit.span);
        hits[index].nested = hits[index.saturating_sub(8)..index].iter().any(longer);
    }
}

/// Words up to this length turn up in random text by chance.
const SHORT_WORD: usize = 4;
const SHORTEST_VALUE: usize = 16;
/// A name has a digit or two; so few digits in a random value of that length are rare.
const DIGITS_OF_VALUE: usize = 3;

/// Whether `start..end` is a piece of a long run with digits, as keys and hashes are.
fn is_in_value(text: &[u8], start: usize, end: usize) -> bool {
    let in_run = |byte: &&u8| byte.is_ascii_alphanumeric();
    let before = text[..start].iter().rev().take_while(in_run).count();
    let after = text[end..].iter().take_while(in_run).count();
    let run = &text[start - before..end + after];
    run.len() >= SHORTEST_VALUE
        && run.iter().filter(|byte| byte.is_ascii_digit()).take(DIGITS_OF_VALUE).count() == DIGITS_OF_VALUE
}

/// Whether what stands at `start..end` is a word: no letter goes on before or after it without a change of case.
fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let first = text[start];
    let last = text[end - 1];
    let before = start.checked_sub(1).map_or(b' ', |at| text[at]);
    let after = text.get(end).copied().unwrap_or(b' ');
    // A digit before it makes it a piece of a value: `5cdc3`.
    let continues_before = before.is_ascii_alphanumeric()
        && first.is_ascii_alphanumeric()
        && !(before.is_ascii_lowercase() && first.is_ascii_uppercase());
    // `BINANCEClient`: the last capital before a lower-case letter begins the next word.
    let next_word = after.is_ascii_uppercase()
        && (last.is_ascii_lowercase() || text.get(end + 1).is_some_and(u8::is_ascii_lowercase));
    let continues_after = after.is_ascii_alphabetic() && last.is_ascii_alphanumeric() && !next_word;
    !continues_before && !continues_after
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{WordIndex, is_in_value, is_word};
    use crate::model::Span;
    use crate::rules::RuleSet;

    /// Words of all kinds: short, with marks, inside each other.
    fn pieces() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => proptest::sample::select(vec![
                "tg", "gate", "Gate", "gate.io", "OKX", "okx", "kraken", "krakenFutures", "coinbase", "coinbase_commerce",
                "@ton/ton", "[interface]", ".near-credentials", "binance", "BINANCE", "api.",
            ]).prop_map(str::to_owned),
            2 => proptest::sample::select(vec!["_", "-", " ", ".", "3", "x", "X", "\n", "é"]).prop_map(str::to_owned),
            1 => "[a-zA-Z0-9]{0,70}",
        ]
    }

    proptest! {
        #[test]
        fn every_word_between_boundaries_is_found(text in proptest::collection::vec(pieces(), 0..30)) {
            let rules = RuleSet::builtin();
            let text = text.concat();
            let mut found: Vec<(Span, u16, bool)> =
                WordIndex::new(&rules).find(text.as_bytes()).iter().map(|hit| (hit.span, hit.provider, hit.weak)).collect();
            let lower = text.to_ascii_lowercase();
            let mut slow = Vec::new();
            for (number, provider) in (0_u16..).zip(rules.providers.iter()) {
                let headers = provider.headers.iter().filter(|(header, _)| header.contains('-')).map(|(header, _)| (header, false));
                let words = provider.words.iter().map(|word| (word, false)).chain(headers);
                for (word, weak) in words.chain(provider.weak_words.iter().map(|word| (word, true))) {
                    for at in memchr::memmem::find_iter(lower.as_bytes(), word.to_ascii_lowercase().as_bytes()) {
                        let end = at + word.len();
                        if is_word(text.as_bytes(), at, end) && (word.len() > 4 || !is_in_value(text.as_bytes(), at, end)) {
                            slow.push((Span::new(at, end), number, weak));
                        }
                    }
                }
            }
            found.sort_by_key(|(span, provider, weak)| (span.start, span.end, *provider, *weak));
            slow.sort_by_key(|(span, provider, weak)| (span.start, span.end, *provider, *weak));
            slow.dedup();
            prop_assert_eq!(found, slow);
        }
    }

    #[test]
    fn words_inside_values_are_none() {
        for (text, word, expected) in [
            ("f8c2MfTgLBxAbLo3LXQv71", "Tg", true),
            ("TgBotTokenOfAccount2", "Tg", false),
            ("OKX_API_KEY_2024", "OKX", false),
            ("okx=9f8a1c0d7be24365", "okx", false),
        ] {
            let start = text.find(word).expect("the word stands in the text");
            assert_eq!(is_in_value(text.as_bytes(), start, start + word.len()), expected, "{text}");
        }
    }

    #[test]
    fn words_have_boundaries() {
        for (text, word, expected) in [
            ("GATE_API_KEY", "GATE", true),
            ("gateClient", "gate", true),
            ("ccxt.gate(", "gate", true),
            ("delegate", "gate", false),
            ("45cdc399", "cdc", false),
            ("gates", "gate", false),
            ("okx2", "okx", true),
            ("BinanceClient", "Binance", true),
            ("BINANCEClient", "BINANCE", true),
            ("myBinance", "Binance", true),
            ("api.kraken.com", "kraken", true),
            ("KRAKENS", "KRAKEN", false),
        ] {
            let start = text.find(word).expect("the word stands in the text");
            assert_eq!(is_word(text.as_bytes(), start, start + word.len()), expected, "{text}");
        }
    }
}
