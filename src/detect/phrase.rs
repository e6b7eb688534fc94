//! Seed phrases: 12 to 25 words of the BIP-39 list, side by side.
//!
//! Each [stretch](super::stretches) is probed every [`STEP`] bytes: the shortest phrase is longer than that, so one of its
//! words, or the gap before one, stands under a probe. Only where a probe meets a word of the list are its neighbours read.
//!
//! Must not know: names, files.
//! Invariant: whether a phrase is found depends on [`PHRASE_REACH`](crate::rules::PHRASE_REACH) bytes around it. The conditions are those measured
//! to leave no false positive in 200 MB of code: an isolated run of exactly as many words as a scheme uses, at most two
//! kinds of separator, and the scheme's checksum (source: BIP-39).

use fearless_simd::{Level, dispatch};
use zeroize::Zeroizing;

use crate::model::Span;
use crate::rules::word_list::{Tongue, fold};

use super::checks::bip39::{sentence, word_index};
use super::checks::phrases::{Scheme, lengths};
use super::strides::letters_in;
use super::tongue;

/// 12 words of three letters with single gaps are 47 bytes.
const STEP: usize = 40;
/// The longest gap between two words of a phrase: a line break, indentation, quotes, a number.
const LONGEST_GAP: usize = 24;
const LONGEST_WORD: usize = 8;
/// A run ends at a gap that is too long or a word that is not in the list: so far from its last word at most.
const NEIGHBOUR_REACH: usize = LONGEST_GAP + LONGEST_WORD + 4;
/// Words that introduce a phrase and are in the list themselves, or stand where a phrase begins.
const CUES: &[&[u8]] = &[
    b"seed",
    b"phrase",
    b"mnemonic",
    b"words",
    b"word",
    b"secret",
    b"recovery",
    b"wallet",
    b"key",
    b"slovo",
    b"graine",
    b"parole",
    b"parola",
    b"seme",
    b"semente",
    b"chave",
    b"segredo",
    b"semilla",
    b"palabra",
    b"frase",
    b"clave",
    b"secreto",
];

/// A phrase whose checksum holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase {
    pub(crate) span: Span,
    /// The places of its words in the list of `tongue`.
    pub(crate) words: Vec<u16>,
    pub(crate) scheme: Scheme,
    pub(crate) tongue: Tongue,
}

impl Phrase {
    /// Its words as published ones are written: folded, with single spaces.
    pub(crate) fn sentence(&self, text: &[u8]) -> Zeroizing<Vec<u8>> {
        match self.tongue {
            Tongue::English => sentence(&self.words),
            _ => {
                let words = tongue::words_of(self.span.of(text)).filter_map(fold);
                let words: Vec<String> = words.map(|word| word.as_slice().iter().collect()).collect();
                Zeroizing::new(words.join(" ").into_bytes())
            }
        }
    }
}

/// A word of a list, and its place there.
pub(super) struct Word {
    pub(super) span: Span,
    pub(super) index: u16,
}

/// Calls `visit` with every phrase in a stretch of `text`.
pub(crate) fn phrases_in(text: &[u8], stretch: Span, visit: &mut impl FnMut(Phrase)) {
    let mut probe = stretch.start;
    while probe < stretch.end {
        probe = look(text, probe, &mut |_| {}, visit);
    }
}

/// Calls `visit` with every phrase of each run of list words that a change in `changed` could have made or unmade, and
/// `covered` with those runs.
pub(crate) fn phrases_around(
    text: &[u8],
    changed: Span,
    covered: &mut impl FnMut(Span),
    visit: &mut impl FnMut(Phrase),
) {
    let mut probe = changed.start.saturating_sub(NEIGHBOUR_REACH);
    let last = (changed.end + NEIGHBOUR_REACH).min(text.len());
    while probe < last {
        probe = look(text, probe, covered, visit);
    }
    if last < text.len() {
        look(text, last, covered, visit);
    }
}

/// Looks at one probe and tells where the next one is.
fn look(text: &[u8], probe: usize, covered: &mut impl FnMut(Span), visit: &mut impl FnMut(Phrase)) -> usize {
    match word_at(text, probe) {
        Some(word) => {
            let run = run_through(text, word, visit);
            covered(run);
            run.end.max(probe + STEP)
        }
        None => probe + STEP,
    }
}

/// The list word that covers `at`, or the next one if `at` stands in a gap.
fn word_at(text: &[u8], at: usize) -> Option<Word> {
    let window = at.checked_sub(HALF).and_then(|start| text.get(start..)?.first_chunk::<WINDOW>());
    match window.and_then(spelled) {
        Some(Spelled::Nothing) => None,
        Some(Spelled::Word(start, length)) => {
            word_of(text, Span::new(at - HALF + start, at - HALF + start + length))
        }
        None if is_letter(text[at]) => word_around(text, at),
        None => word_after(text, at),
    }
}

/// What stands around the middle of a window.
enum Spelled {
    Nothing,
    /// So many letters from here on, with something else on both sides.
    Word(usize, usize),
}

/// What the window says about its middle; `None` if more than the window must be looked at. Text is asked every few
/// bytes, so this is done for all bytes of the window at once.
fn spelled(window: &[u8; WINDOW]) -> Option<Spelled> {
    let letters = dispatch!(Level::new(), simd => letters_in(simd, window));
    let after = letters >> HALF;
    let gap = after.trailing_zeros() as usize;
    let first = if gap == 0 { HALF - (letters << HALF).leading_ones() as usize } else { HALF + gap };
    let length = (letters.checked_shr(u32::try_from(first).ok()?)?).trailing_ones() as usize;
    // A letter that belongs to an escape stands before some words.
    if first == 0 || first + length == WINDOW || window[first - 1] == b'\\' {
        return None;
    }
    let is_word = (3..=LONGEST_WORD).contains(&length);
    Some(if is_word { Spelled::Word(first, length) } else { Spelled::Nothing })
}

const HALF: usize = 16;
const WINDOW: usize = 2 * HALF;

fn word_around(text: &[u8], at: usize) -> Option<Word> {
    let before = text[..at].iter().rev().take(LONGEST_WORD + 1).take_while(|&&byte| is_letter(byte)).count();
    word_from(text, at - before)
}

/// The list word that begins at `start`, which follows a byte that is no letter.
fn word_from(text: &[u8], start: usize) -> Option<Word> {
    let start = if is_escape(text, start) { start + 1 } else { start };
    let length = text[start..].iter().take(LONGEST_WORD + 1).take_while(|&&byte| is_letter(byte)).count();
    if (3..=LONGEST_WORD).contains(&length) { word_of(text, Span::new(start, start + length)) } else { None }
}

/// The list word at `span`, a maximal run of letters.
fn word_of(text: &[u8], span: Span) -> Option<Word> {
    let joined = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'_');
    let index = word_index(span.of(text))?;
    let alone =
        !joined(text.get(span.end)) && !span.start.checked_sub(1).is_some_and(|at| joined(text.get(at)));
    alone.then_some(Word { span, index })
}

/// Whether the letter at `at` is the second half of `\n`, `\r` or `\t`.
fn is_escape(text: &[u8], at: usize) -> bool {
    at > 0 && text[at - 1] == b'\\' && matches!(text.get(at), Some(b'n' | b'r' | b't'))
}

fn word_after(text: &[u8], end: usize) -> Option<Word> {
    let mut at = end;
    while at < text.len() && at - end <= LONGEST_GAP {
        if is_escape(text, at) && text.get(at + 1).is_some_and(|&byte| !is_letter(byte)) {
            at += 1;
        } else if is_letter(text[at]) {
            return word_from(text, at);
        } else {
            at += 1;
        }
    }
    None
}

fn word_before(text: &[u8], start: usize) -> Option<Word> {
    let mut at = start;
    while at > 0 && start - at <= LONGEST_GAP {
        let lone_escape = is_escape(text, at - 1) && (at == start || !is_letter(text[at]));
        if lone_escape {
            at -= 2;
        } else if is_letter(text[at - 1]) {
            return word_around(text, at - 1).filter(|word| word.span.end == at);
        } else {
            at -= 1;
        }
    }
    None
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

/// Reads the run of list words around `seed`, hands out the phrases in it, and tells where the run stands.
fn run_through(text: &[u8], seed: Word, visit: &mut impl FnMut(Phrase)) -> Span {
    let mut words = vec![seed];
    while let Some(word) = word_before(text, words[words.len() - 1].span.start) {
        words.push(word);
    }
    words.reverse();
    while let Some(word) = word_after(text, words[words.len() - 1].span.end) {
        words.push(word);
    }
    let run = Span::new(words[0].span.start, words[words.len() - 1].span.end);
    if words.len() >= 12 {
        Run::new(text, Tongue::English, &words).phrases(visit);
    }
    run
}

/// Words of one list, side by side.
pub(super) struct Run<'a> {
    text: &'a [u8],
    tongue: Tongue,
    words: &'a [Word],
    gaps: Vec<u64>,
}

impl<'a> Run<'a> {
    pub(super) fn new(text: &'a [u8], tongue: Tongue, words: &'a [Word]) -> Self {
        let gap = |pair: &[Word]| gap_kind(&text[pair[0].span.end..pair[1].span.start]);
        Self { text, tongue, words, gaps: words.windows(2).map(gap).collect() }
    }

    pub(super) fn phrases(&self, visit: &mut impl FnMut(Phrase)) {
        let lengths = lengths(self.tongue);
        let mut start = 0;
        while start + lengths[lengths.len() - 1] <= self.words.len() {
            let phrase = lengths.iter().find_map(|&length| self.phrase_at(start, length));
            start += phrase.as_ref().map_or(1, |phrase| phrase.words.len());
            phrase.into_iter().for_each(&mut *visit);
        }
    }

    /// The phrase of `length` words that begins at the word `start`: an isolated run with at most two kinds of gap.
    fn phrase_at(&self, start: usize, length: usize) -> Option<Phrase> {
        let Self { text, tongue, words, ref gaps } = *self;
        let chosen = words.get(start..start + length)?;
        let inner = &gaps[start..start + length - 1];
        let first = inner[0];
        let second = inner.iter().copied().find(|&gap| gap != first).unwrap_or(first);
        let inside = |gap: u64| gap == first || gap == second;
        let cue =
            start > 0 && CUES.iter().any(|cue| words[start - 1].span.of(text).eq_ignore_ascii_case(cue));
        let isolated_left = start == 0 || cue || !inside(gaps[start - 1]);
        let isolated_right = gaps.get(start + length - 1).is_none_or(|&gap| !inside(gap));
        if !(isolated_left && isolated_right && inner.iter().all(|&gap| inside(gap))) {
            return None;
        }
        let words: Vec<u16> = chosen.iter().map(|word| word.index).collect();
        let scheme = match tongue {
            Tongue::English => Scheme::of(&words),
            _ => Scheme::in_tongue(tongue, &words, || chosen.iter().map(|word| front(word.span.of(text)))),
        }?;
        let span = Span::new(chosen[0].span.start, chosen[length - 1].span.end);
        Some(Phrase { span, words, scheme, tongue })
    }
}

/// The first three letters of a word, which tell it from all others of some lists.
fn front(word: &[u8]) -> [u8; 3] {
    let mut letters = [0; 3];
    letters.iter_mut().zip(word).for_each(|(room, letter)| *room = letter.to_ascii_lowercase());
    letters
}

/// Tells kinds of gap apart: digits do not count (numbered words), and white space counts once.
fn gap_kind(gap: &[u8]) -> u64 {
    let mut kind = 0xcbf2_9ce4_8422_2325_u64;
    let mut last = 0;
    for &byte in gap.iter().filter(|byte| !byte.is_ascii_digit()) {
        let byte = if byte == b'\t' { b' ' } else { byte };
        if byte == last && byte == b' ' {
            continue;
        }
        last = byte;
        kind = (kind ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    kind
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_letter, word_after, word_around, word_at};

    proptest! {
        #[test]
        fn windows_say_what_a_look_at_every_byte_says(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "abandon", "zoo", "ability", "Able", "abandonx", "nable", "to", "\\n", "\\", " ", "  ", ", ", "\"", "_",
                    "1", "\n\t\t", "                        ", "é", "somethinglonger", "ifthisislongerthananywindowcanhold",
                ]),
                0..40,
            )
        ) {
            let text = pieces.concat();
            let text = text.as_bytes();
            for at in 0..text.len() {
                let slow = if is_letter(text[at]) { word_around(text, at) } else { word_after(text, at) };
                let told = |word: Option<super::Word>| word.map(|word| (word.span, word.index));
                prop_assert_eq!(told(word_at(text, at)), told(slow), "{}", at);
            }
        }
    }
}
