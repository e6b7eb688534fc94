//! Where providers are named: every word of every provider, found in one pass.
//!
//! Must not know: what a hit is worth; that is for evidence.
//! Invariant: a word counts only between boundaries, so that `gate` is found in `GATE_KEY`, `gateClient` and `ccxt.gate`,
//! and not in `delegate`.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::model::Span;
use crate::rules::RuleSet;

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

/// All providers' words.
pub(crate) struct WordIndex {
    automaton: AhoCorasick,
    meanings: Vec<(u16, bool)>,
}

impl WordIndex {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut words: Vec<&str> = Vec::new();
        let mut meanings = Vec::new();
        for (index, provider) in rules.providers.iter().enumerate() {
            let index = u16::try_from(index).expect("compiling rules refuses more than 65,535 providers");
            let headers = provider
                .headers
                .iter()
                .filter(|(header, _)| header.contains('-'))
                .map(|(header, _)| (header, true));
            let strong = provider.words.iter().map(|word| (word, false)).chain(headers);
            for (word, weak) in strong.chain(provider.weak_words.iter().map(|word| (word, true))) {
                words.push(word);
                meanings.push((index, weak));
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words)
            .expect("some thousand short words fit an automaton");
        Self { automaton, meanings }
    }

    pub(crate) fn find(&self, text: &[u8]) -> Vec<WordHit> {
        let mut hits = Vec::new();
        self.find_in(text, Span::new(0, text.len()), &mut hits);
        put_in_order(&mut hits);
        hits
    }

    /// Adds the hits that stand wholly in `range`, in no order.
    pub(crate) fn find_in(&self, text: &[u8], range: Span, hits: &mut Vec<WordHit>) {
        let found = self.automaton.find_overlapping_iter(range.of(text));
        hits.extend(found.filter_map(|found| {
            let span = Span::new(range.start + found.start(), range.start + found.end());
            let is_hit = is_word(text, span.start, span.end)
                && (span.len() > SHORT_WORD || !is_in_value(text, span.start, span.end));
            let (provider, weak) = self.meanings[found.pattern().as_usize()];
            is_hit.then_some(WordHit { span, provider, weak, nested: false })
        }));
    }

    /// How long the longest word is.
    pub(crate) fn longest(&self) -> usize {
        self.automaton.max_pattern_len()
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
    use super::{is_in_value, is_word};

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
