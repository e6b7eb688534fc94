//! Key pairs written as arrays of 64 numbers, as Solana's tools keep them.
//!
//! A whole text is searched stride by stride, a piece of one by probes every [`STEP`] bytes: an array is longer, so that a
//! stride or a probe stands in it with nothing but digits, commas and white space around. Only there are numbers read.
//!
//! Must not know: names, files.
//! Invariant: whether a pair is found depends on [`NUMBERS_REACH`] bytes around it, and a pair proves itself: the second
//! half is the public key of the first.

use zeroize::Zeroizing;

use crate::model::Span;
use crate::rules::NUMBERS_REACH;

use super::checks::keypair;
use super::strides::{Kinds, STRIDE};

/// How many numbers a pair has.
pub(crate) const PAIR: usize = 64;
/// 64 numbers of one digit with 63 commas are 127 bytes; a probe and its surroundings fit in less.
const STEP: usize = 96;
const AROUND: usize = 12;

/// Calls `visit` with every pair in `text` that stands in `range`, from its first digit to its last, and perhaps with
/// some that reach out of it.
pub(crate) fn pairs_about(text: &[u8], range: Span, mut visit: impl FnMut(Span)) {
    let mut probe = range.start.max(AROUND);
    while probe < range.end {
        let next = probe + STEP;
        let window = &text[probe - AROUND..text.len().min(probe + AROUND)];
        probe = if window.iter().all(|&byte| is_list_byte(byte)) {
            let list = list_around(text, probe);
            if is_pair(list.of(text)) {
                visit(list);
            }
            next.max(list.end)
        } else {
            next
        };
    }
}

/// The search for pairs, stride by stride: the shortest array fills one, wherever it begins.
#[derive(Default)]
pub(crate) struct Lists {
    /// Where the list begins that was read last.
    start: usize,
    /// Up to where lists have been read.
    read: usize,
}

impl Lists {
    /// Calls `visit` with the pair that the stride at `base`, which has digits, is a part of.
    #[inline(always)]
    pub(crate) fn step(&mut self, text: &[u8], base: usize, kinds: Kinds, visit: &mut impl FnMut(Span)) {
        const { assert!(PAIR >= STRIDE, "an array of numbers of one digit, with commas, fills a stride") };
        let others = kinds.letters() | kinds.underscores | kinds.marks | kinds.backslashes | kinds.beyond;
        if others == 0 && base >= self.read {
            self.look(text, base, visit);
        }
    }

    #[cold]
    fn look(&mut self, text: &[u8], base: usize, visit: &mut impl FnMut(Span)) {
        let is_list = |stride: &[u8]| stride.iter().all(|&byte| is_list_byte(byte));
        if text.get(base..base + STRIDE).is_some_and(is_list) {
            let most = NUMBERS_REACH.min(base - self.read);
            let before = list_bytes(text[..base].iter().rev().take(most));
            // A long list is read once: what was read is not read again from where the rest begins.
            if base - before > self.read {
                self.start = base - before;
            }
            self.read = base + list_bytes(text[base..].iter().take(NUMBERS_REACH));
            let start = self.start.max(base.saturating_sub(NUMBERS_REACH));
            let list = trimmed(text, Span::new(start, self.read));
            if is_pair(list.of(text)) {
                visit(list);
            }
        }
    }
}

fn is_list_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b',' | b' ' | b'\n' | b'\r' | b'\t')
}

/// The digits, commas and white space around `at`, without white space and commas at the ends.
fn list_around(text: &[u8], at: usize) -> Span {
    let before = list_bytes(text[..at].iter().rev().take(NUMBERS_REACH));
    let after = list_bytes(text[at..].iter().take(NUMBERS_REACH));
    trimmed(text, Span::new(at - before, at + after))
}

/// How many of `bytes` stand before one that no list has.
fn list_bytes<'t>(bytes: impl Iterator<Item = &'t u8>) -> usize {
    bytes.take_while(|&&byte| is_list_byte(byte)).count()
}

/// The span from its first digit to its last.
fn trimmed(text: &[u8], span: Span) -> Span {
    let list = span.of(text);
    let skipped = list.iter().take_while(|byte| !byte.is_ascii_digit()).count();
    let trailing = list[skipped..].iter().rev().take_while(|byte| !byte.is_ascii_digit()).count();
    Span::new(span.start + skipped, span.end - trailing)
}

fn is_pair(list: &[u8]) -> bool {
    list.len() <= NUMBERS_REACH && bytes_of(list).is_some_and(|bytes| keypair::is_pair(bytes.as_slice()))
}

/// The bytes that a list of as many numbers as a pair has stands for.
pub(crate) fn bytes_of(list: &[u8]) -> Option<Zeroizing<[u8; PAIR]>> {
    let mut bytes = Zeroizing::new([0_u8; PAIR]);
    let mut count = 0;
    for word in list.split(|&byte| byte == b',') {
        let number = std::str::from_utf8(word.trim_ascii()).ok()?.parse().ok()?;
        *bytes.get_mut(count)? = number;
        count += 1;
    }
    (count == PAIR).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use fearless_simd::{Level, dispatch};

    use super::{Lists, pairs_about};
    use crate::detect::strides::{Kinds, strides};
    use crate::model::Span;

    fn pair(seed: u8) -> Vec<String> {
        let seed = [seed; 32];
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        seed.iter().chain(&public).map(u8::to_string).collect()
    }

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let all = Span::new(0, text.len());
        pairs_about(text.as_bytes(), all, |span| found.push(&text[span.start..span.end]));
        assert_eq!(found_by_strides(text), found, "{text}");
        found
    }

    fn found_by_strides(text: &str) -> Vec<&str> {
        let (mut found, mut lists) = (Vec::new(), Lists::default());
        let kinds: Vec<(usize, Kinds)> =
            dispatch!(Level::new(), simd => strides(simd, text.as_bytes()).collect());
        for (base, kinds) in kinds {
            lists.step(text.as_bytes(), base, kinds, &mut |span| found.push(&text[span.start..span.end]));
        }
        found
    }

    #[test]
    fn a_pair_is_found_wherever_it_stands_and_however_it_is_broken() {
        for separator in [",", ", ", ",\n  ", ",\r\n\t\t", ",\n                    "] {
            let list = pair(7).join(separator);
            for length in 0..130 {
                let text = format!("{}\nkey = [\n  {list}\n];\n{}", "x".repeat(length), "y".repeat(length));
                assert_eq!(found(&text), [list.as_str()], "{separator:?} after {length} bytes");
            }
        }
    }

    #[test]
    fn short_numbers_are_found_too() {
        // A seed of zeros: the first half takes two bytes for each number.
        let list = pair(0).join(",");
        for length in 0..200 {
            assert_eq!(found(&format!("{}[{list}]", " ;".repeat(length))), [list.as_str()]);
        }
    }

    #[test]
    fn other_arrays_are_none() {
        let mut numbers = pair(7);
        numbers[40] = "3".to_owned();
        let longer = [pair(7), vec!["1".to_owned()]].concat().join(",");
        for list in [numbers.join(","), longer, pair(7)[1..].join(","), "300,".repeat(64), "1 2,".repeat(64)]
        {
            assert!(found(&format!("[{list}]")).is_empty());
        }
    }
}
