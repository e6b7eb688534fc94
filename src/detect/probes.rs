//! Whether a stretch could hold a seed phrase, told by every twelfth word of it.
//!
//! The shortest phrase has [`FEWEST_WORDS`] words, so one of its words is looked up wherever it begins; and on one side of
//! that word stand enough others of the same list, which are looked up only where it is in a list itself.
//!
//! Must not know: separators, checksums.
//! Invariant: a list of whose words [`FEWEST_WORDS`] stand side by side in a stretch is told, and every list is told of a
//! stretch that is not all ASCII, where words are more than rows of letters.

use fearless_simd::{Level, Simd, dispatch};

use crate::model::Span;
use crate::rules::word_list::{Tongue, Tongues};
use crate::rules::word_tables;

use super::checks::bip39::word_index;
use super::stretches::FEWEST_WORDS;
use super::strides::{STRIDE, strides};

/// So many words of one list stand on one side of every word in the shortest phrase, at least.
const NEIGHBOURS: usize = FEWEST_WORDS / 2;

/// Probes stretches, and keeps its room from one to the next.
#[derive(Default)]
pub(crate) struct Probe {
    words: Vec<Span>,
}

impl Probe {
    /// The lists of which a phrase could stand in a stretch of `text`.
    pub(crate) fn tongues_in(&mut self, text: &[u8], stretch: Span) -> Tongues {
        if !stretch.of(text).is_ascii() {
            return Tongues::ALL;
        }
        dispatch!(Level::new(), simd => self.read_words(simd, text, stretch));
        let every_twelfth = (FEWEST_WORDS - 1..self.words.len()).step_by(FEWEST_WORDS);
        every_twelfth.fold(Tongues::NONE, |told, place| told | self.tongues_about(text, place))
    }

    /// Notes where the words of a stretch stand: rows of letters, without those of the escapes `\n`, `\r`, `\t`.
    #[inline(always)]
    fn read_words<S: Simd>(&mut self, simd: S, text: &[u8], stretch: Span) {
        self.words.clear();
        let mut before = 0;
        let mut start = None;
        for (base, kinds) in strides(simd, stretch.of(text)) {
            let letters = kinds.letters();
            let mut edges = letters ^ (letters << 1 | before);
            before = letters >> (STRIDE - 1);
            while edges != 0 {
                let at = stretch.start + base + edges.trailing_zeros() as usize;
                edges &= edges - 1;
                match start.take() {
                    None => start = Some(at),
                    Some(start) => self.words.extend(without_escape(text, Span::new(start, at))),
                }
            }
        }
        self.words.extend(start.and_then(|start| without_escape(text, Span::new(start, stretch.end))));
    }

    /// The lists that hold the word at a place and enough of its neighbours on one side.
    fn tongues_about(&self, text: &[u8], place: usize) -> Tongues {
        let all = |told: Tongues, word: &Span| match told {
            Tongues::NONE => Tongues::NONE,
            told => told & tongues_of(word.of(text)),
        };
        let here = tongues_of(self.words[place].of(text));
        let before = &self.words[place.saturating_sub(NEIGHBOURS)..place];
        let after = &self.words[place + 1..(place + 1 + NEIGHBOURS).min(self.words.len())];
        let enough =
            |words: &[Span], told: Tongues| if words.len() == NEIGHBOURS { told } else { Tongues::NONE };
        enough(before, before.iter().rev().fold(here, all)) | enough(after, after.iter().fold(here, all))
    }
}

/// A row of letters without the first one if that belongs to an escape, if any are left.
fn without_escape(text: &[u8], letters: Span) -> Option<Span> {
    let is_escape = letters.start > 0
        && text[letters.start - 1] == b'\\'
        && matches!(text[letters.start], b'n' | b'r' | b't');
    let start = letters.start + usize::from(is_escape);
    (start < letters.end).then_some(Span::new(start, letters.end))
}

/// The lists that hold a word of ASCII.
fn tongues_of(word: &[u8]) -> Tongues {
    let english = if word_index(word).is_some() { Tongues::of(Tongue::English) } else { Tongues::NONE };
    english | word_tables().tongues_of(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::stretches::for_each_stretch;

    const GAPS: &[&str] = &[" ", "\\n", ", ", "\", \"", "\n 1. ", "\\r\\n", "\n    // "];

    fn told(text: &[u8]) -> Tongues {
        let mut probe = Probe::default();
        let mut told = Tongues::NONE;
        for_each_stretch(text, |stretch| told = told | probe.tongues_in(text, stretch));
        told
    }

    #[test]
    fn prose_has_no_phrase() {
        let prose =
            "This library parses tokens into some syntax tree, then prints them without losing their spans.";
        let mut stretches = 0;
        for_each_stretch(prose.as_bytes(), |_| stretches += 1);
        assert_eq!((stretches, told(prose.as_bytes())), (1, Tongues::NONE));
    }

    proptest! {
        /// The invariant, for words of each list behind and before others.
        #[test]
        fn a_run_of_one_list_is_told(
            tongue in proptest::sample::select(&[Tongue::English, Tongue::Czech, Tongue::Italian, Tongue::Portuguese, Tongue::Slip39, Tongue::Monero]),
            places in proptest::collection::vec(0_usize..1000, 12..26),
            gaps in proptest::collection::vec(proptest::sample::select(GAPS), 26),
            before in proptest::collection::vec(proptest::sample::select(&["some ", "letters, ", "verse\\n", "\\t", "to "]), 0..30),
            after in proptest::sample::select(&["", " some more", "\\n", " of it"]),
        ) {
            let list: Vec<&str> = match tongue {
                Tongue::English => include_str!("checks/bip39-english.txt").lines().collect(),
                Tongue::Czech => include_str!("../rules/words/czech.txt").lines().collect(),
                Tongue::Italian => include_str!("../rules/words/italian.txt").lines().collect(),
                Tongue::Portuguese => include_str!("../rules/words/portuguese.txt").lines().collect(),
                Tongue::Slip39 => include_str!("../rules/words/slip39.txt").lines().collect(),
                _ => include_str!("../rules/words/monero-english.txt").lines().collect(),
            };
            let mut text = before.concat();
            for (place, gap) in places.iter().zip(&gaps) {
                text.push_str(list[*place]);
                text.push_str(gap);
            }
            text.push_str(after);
            prop_assert_eq!(told(text.as_bytes()) & Tongues::of(tongue), Tongues::of(tongue), "{}", text);
        }
    }
}
