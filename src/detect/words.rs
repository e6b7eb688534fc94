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
        let mut hits: Vec<WordHit> = self
            .automaton
            .find_overlapping_iter(text)
            .filter(|found| is_word(text, found.start(), found.end()))
            .filter(|found| found.len() > SHORT_WORD || !is_in_value(text, found.start(), found.end()))
            .map(|found| {
                let (provider, weak) = self.meanings[found.pattern().as_usize()];
                WordHit { span: Span::new(found.start(), found.end()), provider, weak, nested: false }
            })
            .collect();
        hits.sort_by_key(|hit| (hit.span.start, std::cmp::Reverse(hit.span.end), hit.provider));
        mark_nested(&mut hits);
        hits
    }
}

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
