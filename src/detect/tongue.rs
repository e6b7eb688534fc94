//! Seed phrases in words of other lists than the English one of BIP-39: its nine other languages, SLIP-39, Monero.
//!
//! Each [stretch](super::stretches) is probed every [`STEP`] bytes, as for English phrases. Most probes end at a table of which kinds of bytes
//! can stand side by side in a phrase; only what passes is looked up.
//!
//! Must not know: names, files, checksums.
//! Invariant: the same as that of English phrases, whose conditions hold here, too. Every two words have a gap between
//! them: Chinese and Japanese prose has none.

use crate::model::Span;
use crate::rules::word_list::{ASKED_BYTES, Tongue};
use crate::rules::word_tables;

use super::phrase::{Phrase, Run, Word};

/// 12 words of three bytes with single gaps: the shortest phrase of all lists.
const SHORTEST: usize = 47;
/// A probe in every phrase is followed by as many bytes of it as are asked about.
const STEP: usize = SHORTEST - ASKED_BYTES;
/// The longest gap between two words of a phrase.
const LONGEST_GAP: usize = 24;
/// Four Korean syllables of three letters each, decomposed, and the longest word of all lists so.
const LONGEST_WORD: usize = 36;
/// A run ends at a gap that is too long or a word that is not in the list: so far from its last word at most.
const NEIGHBOUR_REACH: usize = LONGEST_GAP + LONGEST_WORD + 4;

/// Calls `visit` with every phrase in a stretch of `text`.
pub(crate) fn phrases_in(text: &[u8], stretch: Span, visit: &mut impl FnMut(Phrase)) {
    let mut search = Search::new(text);
    (stretch.start..stretch.end).step_by(STEP).for_each(|probe| search.look(probe, &mut |_, _| {}, visit));
}

/// Calls `visit` with every phrase of each run of list words that a change in `changed` could have made or unmade, and
/// `covered` with those runs and whose words they are.
pub(crate) fn phrases_around(
    text: &[u8],
    changed: Span,
    covered: &mut impl FnMut(Tongue, Span),
    visit: &mut impl FnMut(Phrase),
) {
    let mut search = Search::new(text);
    let first = changed.start.saturating_sub(NEIGHBOUR_REACH + SHORTEST);
    let last = (changed.end + NEIGHBOUR_REACH + SHORTEST).min(text.len());
    (first..last).step_by(STEP).for_each(|probe| search.look(probe, covered, visit));
}

/// The words of a phrase, as they are spelled.
pub(crate) fn words_of(phrase: &[u8]) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let letters = letters_after(phrase, at)?;
        at = letters.end;
        let start = letters.start + usize::from(is_escape(phrase, letters.start));
        std::str::from_utf8(&phrase[start..letters.end]).ok()
    })
}

struct Search<'a> {
    text: &'a [u8],
    /// Up to where the runs of each list have been read.
    read: [usize; Tongue::LISTED.len()],
}

impl<'a> Search<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, read: [0; Tongue::LISTED.len()] }
    }

    #[inline]
    fn look(&mut self, probe: usize, covered: &mut impl FnMut(Tongue, Span), visit: &mut impl FnMut(Phrase)) {
        let bytes = self.text[probe..].first_chunk();
        if bytes.is_some_and(|bytes| word_tables().could_be_inside(bytes)) {
            self.read_runs(probe, covered, visit);
        }
    }

    /// Reads the runs that the word at a probe belongs to, one for each list that has it.
    #[cold]
    fn read_runs(
        &mut self,
        probe: usize,
        covered: &mut impl FnMut(Tongue, Span),
        visit: &mut impl FnMut(Phrase),
    ) {
        let text = self.text;
        let Some(letters) = letters_at(text, probe) else { return };
        for (tongue, word) in word_in(text, letters) {
            if word.span.start < self.read[tongue.number()] {
                continue;
            }
            let words = run_through(text, tongue, word);
            let run = Span::new(words[0].span.start, words[words.len() - 1].span.end);
            self.read[tongue.number()] = run.end;
            covered(tongue, run);
            Run::new(text, tongue, &words).phrases(visit);
        }
    }
}

/// The run of words of one list through `seed`.
fn run_through(text: &[u8], tongue: Tongue, seed: Word) -> Vec<Word> {
    let of_list = |letters: Option<Span>| {
        word_in(text, letters?).find_map(|(other, word)| (other == tongue).then_some(word))
    };
    let mut words = vec![seed];
    while let Some(word) = of_list(letters_before(text, words[words.len() - 1].span.start)) {
        words.push(word);
    }
    words.reverse();
    while let Some(word) = of_list(letters_after(text, words[words.len() - 1].span.end)) {
        words.push(word);
    }
    words
}

/// The words of lists that a whole run of letters is.
fn word_in(text: &[u8], letters: Span) -> impl Iterator<Item = (Tongue, Word)> {
    let joined = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'_');
    let alone = !joined(text.get(letters.end))
        && !letters.start.checked_sub(1).is_some_and(|at| joined(text.get(at)));
    // The first letter can be that of an escape: `\nword`.
    let start = letters.start + usize::from(is_escape(text, letters.start));
    let span = Span::new(start, letters.end);
    let word = std::str::from_utf8(span.of(text)).ok().filter(|word| alone && !word.is_empty());
    word.into_iter()
        .flat_map(|word| word_tables().meanings_of(word))
        .map(move |(tongue, index)| (tongue, Word { span, index }))
}

/// The run of letters at a place, or the one that follows the gap there.
fn letters_at(text: &[u8], at: usize) -> Option<Span> {
    let start = (at.saturating_sub(3)..=at).rev().find(|&start| text[start] >> 6 != 0b10)?;
    let lone_escape = is_escape(text, start) && letter_at(text, start + 1).is_none();
    if lone_escape || letter_at(text, start).is_none() {
        return letters_after(text, start + usize::from(lone_escape));
    }
    letters_about(text, start)
}

/// The run of letters through `at`, where one stands; `None` if it is longer than any word.
fn letters_about(text: &[u8], at: usize) -> Option<Span> {
    let mut start = at;
    while let Some(before) = letter_before(text, start) {
        start = before;
        if at - start > LONGEST_WORD {
            return None;
        }
    }
    letters_from(text, start)
}

fn letters_from(text: &[u8], start: usize) -> Option<Span> {
    let mut end = start;
    while let Some(after) = letter_at(text, end) {
        end = after;
        if end - start > LONGEST_WORD {
            return None;
        }
    }
    Some(Span::new(start, end))
}

/// The run of letters that follows the gap at `start`.
fn letters_after(text: &[u8], start: usize) -> Option<Span> {
    let mut at = start;
    while at < text.len() && at - start <= LONGEST_GAP {
        let lone_escape = is_escape(text, at) && letter_at(text, at + 1).is_none();
        if !lone_escape && letter_at(text, at).is_some() {
            return letters_from(text, at);
        }
        at += 1;
    }
    None
}

/// The run of letters before the gap that ends at `end`.
fn letters_before(text: &[u8], end: usize) -> Option<Span> {
    let mut at = end;
    while at > 0 && end - at <= LONGEST_GAP {
        let lone_escape = is_escape(text, at - 1) && (at == end || letter_at(text, at).is_none());
        if lone_escape {
            at -= 2;
        } else if let Some(before) = letter_before(text, at) {
            return letters_about(text, before).filter(|letters| letters.end == at);
        } else {
            at -= 1;
        }
    }
    None
}

/// Where the letter that begins at `at` ends.
fn letter_at(text: &[u8], at: usize) -> Option<usize> {
    let &byte = text.get(at)?;
    if byte.is_ascii() {
        return byte.is_ascii_alphabetic().then_some(at + 1);
    }
    let length = match byte {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let end = at + length;
    let character = std::str::from_utf8(text.get(at..end)?).ok()?.chars().next()?;
    is_letter(character).then_some(end)
}

/// Where the letter that ends at `end` begins.
fn letter_before(text: &[u8], end: usize) -> Option<usize> {
    let continuations = text[..end].iter().rev().take(3).take_while(|&&byte| byte >> 6 == 0b10).count();
    let start = end.checked_sub(continuations + 1)?;
    (letter_at(text, start) == Some(end)).then_some(start)
}

/// Marks of letters, which stand behind them, belong to the word.
fn is_letter(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}')
}

/// Whether the letter at `at` is the second half of `\n`, `\r` or `\t`.
fn is_escape(text: &[u8], at: usize) -> bool {
    at > 0 && text[at - 1] == b'\\' && matches!(text.get(at), Some(b'n' | b'r' | b't'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words of several lists, as they can be spelled.
    const WORDS: &[&str] = &[
        "ábaco",
        "a\u{301}baco",
        "abaco",
        "ABACO",
        "tabaco",
        "oso",
        "zurdo",
        "がいこう",
        "か\u{3099}いこう",
        "がいき",
        "가격",
        "\u{1100}\u{1161}\u{1100}\u{1167}\u{11a8}",
        "的",
        "愛",
        "academic",
        "zoom",
        "nuvola",
        "nascere",
        "tinta",
        "éblouir",
    ];
    const GAPS: &[&str] = &[
        " ",
        "\u{3000}",
        "\n",
        "\\n",
        "\\r\\n",
        "\", \"",
        "\\t",
        " \\n ",
        "\n\n          10. ",
        "、",
        "                        ",
    ];

    proptest! {
        /// The table must not lose a probe, wherever it meets a phrase.
        #[test]
        fn every_place_in_a_phrase_could_be_inside(
            words in proptest::collection::vec(proptest::sample::select(WORDS), 12..14),
            gaps in proptest::collection::vec(proptest::sample::select(GAPS), 14),
        ) {
            let mut text = Vec::new();
            let mut end = 0;
            for (word, gap) in words.iter().zip(&gaps) {
                text.extend_from_slice(word.as_bytes());
                end = text.len();
                text.extend_from_slice(gap.as_bytes());
            }
            for at in 0..end - ASKED_BYTES {
                let bytes = text[at..].first_chunk().expect("there is that much");
                prop_assert!(word_tables().could_be_inside(bytes), "{}", at);
                prop_assert!(letters_at(&text, at).is_some_and(|letters| word_in(&text, letters).next().is_some()), "{}", at);
            }
        }
    }
}
