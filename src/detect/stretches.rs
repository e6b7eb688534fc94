//! Where a seed phrase could stand: stretches of text with enough words of fitting length side by side.
//!
//! Nearly all text has, every few words, one that no list holds because it is too short or too long, or that is joined
//! to a digit or `_`. Such words are told for 64 bytes at once, and only what lies between them is read.
//!
//! Must not know: word lists, separators, checksums.
//! Invariant: a run of [`FEWEST_WORDS`] words, each of [`SHORTEST_WORD`] bytes or more, none with more than
//! [`LONGEST_WORD`] letters of ASCII in a row, and none joined to a digit or `_`, lies wholly in one stretch.

use crate::model::Span;
use crate::rules::word_list::LONGEST_FOLDED;

use super::strides::{Kinds, shifted};

/// The shortest phrase of all lists, in words.
pub(crate) const FEWEST_WORDS: usize = 12;
/// The shortest word of all lists, in bytes.
const SHORTEST_WORD: usize = 3;
/// The longest word of all lists, in letters of ASCII that stand in a row.
const LONGEST_WORD: usize = LONGEST_FOLDED;

/// The search for stretches, stride by stride.
#[derive(Default)]
pub(crate) struct Search {
    before: Rows,
    /// Where the stretch begins, and how many words of it begin before the stride.
    start: usize,
    words: usize,
}

/// What of one stride the next one has to know, one bit for each byte.
#[derive(Clone, Copy, Default)]
struct Rows {
    backslashes: u64,
    /// Letters of ASCII, but for those of the escapes `\n`, `\r`, `\t`.
    letters: u64,
    /// The same, and bytes beyond ASCII: letters, or gaps, or parts of both.
    text: u64,
    /// What joins words to names: digits and `_`.
    joints: u64,
    /// Where words begin with a letter of ASCII.
    starts: u64,
    /// Where two, four, and eight letters in a row end.
    twos: u64,
    fours: u64,
    eights: u64,
}

impl Search {
    /// Takes the stride at `base` of `text` and calls `visit` with the stretches that end in it.
    #[inline(always)]
    pub(crate) fn step(&mut self, text: &[u8], base: usize, kinds: Kinds, visit: &mut impl FnMut(Span)) {
        const { assert!(SHORTEST_WORD == 3, "words of one or two letters are told by their ends") };
        const { assert!(LONGEST_WORD == 12, "rows of thirteen letters are put together from eight and five") };
        let before = self.before;
        let letters =
            kinds.letters() & !escaped(text, base, shifted(kinds.backslashes, before.backslashes, 1));
        let all = letters | kinds.beyond;
        let joints = kinds.digits | kinds.underscores;
        let after_text = shifted(all, before.text, 1);
        let starts = letters & !after_text;
        let ends = after_text & !all;
        let short = ends & (shifted(starts, before.starts, 1) | shifted(starts, before.starts, 2));
        let joined =
            (letters & shifted(joints, before.joints, 1)) | (joints & shifted(letters, before.letters, 1));
        let twos = letters & shifted(letters, before.letters, 1);
        let fours = twos & shifted(twos, before.twos, 2);
        let eights = fours & shifted(fours, before.fours, 4);
        let long = eights & shifted(eights, before.eights, 5);
        let backslashes = kinds.backslashes;
        self.before = Rows { backslashes, letters, text: all, joints, starts, twos, fours, eights };
        self.count(base, starts | kinds.beyond, short | joined | long, visit);
    }

    /// Ends the search after the last stride, with the stretch that ends there.
    #[inline(always)]
    pub(crate) fn finish(mut self, text: &[u8], visit: &mut impl FnMut(Span)) {
        self.end(text.len(), visit);
    }

    /// Counts the words that begin at `starts`, anew after each misfit.
    #[inline(always)]
    fn count(&mut self, base: usize, mut starts: u64, mut misfits: u64, visit: &mut impl FnMut(Span)) {
        if misfits != 0 && self.words + (starts.count_ones() as usize) < FEWEST_WORDS {
            // No stretch can end here: only what follows the last misfit counts.
            let last = misfits.ilog2();
            self.start = base + last as usize + 1;
            self.words = (starts & (u64::MAX << last << 1)).count_ones() as usize;
            return;
        }
        while misfits != 0 {
            let misfit = misfits.trailing_zeros() as usize;
            let before = starts & ((1 << misfit) - 1);
            self.words += before.count_ones() as usize;
            self.end(base + misfit, visit);
            starts &= !(before | 1 << misfit);
            misfits &= misfits - 1;
        }
        self.words += starts.count_ones() as usize;
    }

    /// Ends the stretch at a misfit.
    #[inline(always)]
    fn end(&mut self, at: usize, visit: &mut impl FnMut(Span)) {
        if self.words >= FEWEST_WORDS {
            visit(Span::new(self.start, at));
        }
        self.start = at + 1;
        self.words = 0;
    }
}

/// Where the letters of the escapes `\n`, `\r`, `\t` stand, of those places that follow a backslash.
#[inline(always)]
fn escaped(text: &[u8], base: usize, mut places: u64) -> u64 {
    let mut escaped = 0;
    while places != 0 {
        let place = places.trailing_zeros();
        places &= places - 1;
        if matches!(text.get(base + place as usize), Some(b'n' | b'r' | b't')) {
            escaped |= 1 << place;
        }
    }
    escaped
}

/// Calls `visit` with every stretch, in order.
#[cfg(test)]
pub(crate) fn for_each_stretch(text: &[u8], mut visit: impl FnMut(Span)) {
    use fearless_simd::{Level, dispatch};

    let mut search = Search::default();
    let kinds: Vec<(usize, Kinds)> =
        dispatch!(Level::new(), simd => super::strides::strides(simd, text).collect());
    kinds.into_iter().for_each(|(base, kinds)| search.step(text, base, kinds, &mut visit));
    search.finish(text, &mut visit);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::checks::phrases::lengths;
    use crate::rules::word_list::Tongue;

    fn stretches(text: &[u8]) -> Vec<Span> {
        let mut found = Vec::new();
        for_each_stretch(text, |stretch| found.push(stretch));
        found
    }

    #[test]
    fn no_phrase_has_fewer_words() {
        for tongue in Tongue::LISTED.into_iter().chain([Tongue::English]) {
            assert!(lengths(tongue).iter().all(|&length| length >= FEWEST_WORDS), "{tongue:?}");
        }
    }

    #[test]
    fn prose_and_code_have_none() {
        let text = "It is what a program says of itself when it is asked to do so, and what is more it does not say it in \
            a way that would be of use to us: fn main() { let x1 = y_of(a, b); for i in 0..n { f(i) } return internationalisation; }";
        assert_eq!(stretches(text.as_bytes()), []);
    }

    /// Words as lists have them, what stands between them, and what ends a run.
    fn piece() -> impl Strategy<Value = &'static str> {
        let words =
            &["abc", "able", "zoo", "éa", "\u{3042}", "\u{7684}", "technicality", "a\u{301}baco", "ABACO"];
        let gaps =
            &[" ", "\\n", "\\t", "\", \"", "、", " · ", "\n  10. ", "\r\n", "\u{3000}", "                "];
        let ends = &["to", "a", "x1", "1x", "_", "internationalisation", "\\", "n"];
        prop_oneof![
            12 => proptest::sample::select(words.as_slice()).prop_map(|word| word),
            12 => proptest::sample::select(gaps.as_slice()),
            1 => proptest::sample::select(ends.as_slice()),
        ]
    }

    proptest! {
        /// What the invariant says, with words in a row put between anything.
        #[test]
        fn a_run_of_words_lies_in_one_stretch(
            before in proptest::collection::vec(piece(), 0..40),
            words in proptest::collection::vec(proptest::sample::select(&["abc", "able", "technicality", "\u{7684}", "ábaco"]), 12..30),
            gaps in proptest::collection::vec(proptest::sample::select(&[" ", "\\n", "、", "\", \"", "\n 1. "]), 31),
            after in proptest::collection::vec(piece(), 0..40),
        ) {
            let mut text = before.concat().into_bytes();
            text.extend_from_slice(b" ");
            let start = text.len();
            let mut end = start;
            for (word, gap) in words.iter().zip(&gaps) {
                text.extend_from_slice(word.as_bytes());
                end = text.len();
                text.extend_from_slice(gap.as_bytes());
            }
            text.extend_from_slice(b" ");
            text.extend_from_slice(after.concat().as_bytes());
            let found = stretches(&text);
            prop_assert!(found.iter().any(|stretch| stretch.start <= start && end <= stretch.end), "{:?}", found);
        }
    }
}
