//! The words of seed phrases that are not English BIP-39, as one table from a word to its places in the lists.
//!
//! Must not know: how words stand in a text, checksums. The build script includes this module to write the table.
//! Invariants: a word is found however it is written (case, accents, composed or not), and
//! [`WordTables::could_be_inside`] holds everywhere inside words of one list and the gaps between them.

use std::borrow::Cow;
use std::ops::{BitAnd, BitOr};

use super::rule::List;

/// Whose words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tongue {
    /// The English list of BIP-39, which has a table of its own.
    English,
    /// The Czech list of BIP-39.
    Czech,
    /// The French list of BIP-39.
    French,
    /// The Italian list of BIP-39.
    Italian,
    /// The Portuguese list of BIP-39.
    Portuguese,
    /// The Spanish list of BIP-39.
    Spanish,
    /// The Japanese list of BIP-39.
    Japanese,
    /// The Korean list of BIP-39.
    Korean,
    /// The list of BIP-39 in simplified Chinese.
    ChineseSimplified,
    /// The list of BIP-39 in traditional Chinese.
    ChineseTraditional,
    /// The list of SLIP-39.
    Slip39,
    /// Monero's English list.
    Monero,
}

impl Tongue {
    /// All that have a place in the table, in the order of their numbers.
    pub const LISTED: [Self; 11] = [
        Self::Czech,
        Self::French,
        Self::Italian,
        Self::Portuguese,
        Self::Spanish,
        Self::Japanese,
        Self::Korean,
        Self::ChineseSimplified,
        Self::ChineseTraditional,
        Self::Slip39,
        Self::Monero,
    ];

    /// The file of the list, without its ending; also what evidence calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "english",
            Self::Czech => "czech",
            Self::French => "french",
            Self::Italian => "italian",
            Self::Portuguese => "portuguese",
            Self::Spanish => "spanish",
            Self::Japanese => "japanese",
            Self::Korean => "korean",
            Self::ChineseSimplified => "chinese-simplified",
            Self::ChineseTraditional => "chinese-traditional",
            Self::Slip39 => "slip39",
            Self::Monero => "monero-english",
        }
    }

    /// Its number, from 0 on.
    pub const fn number(self) -> usize {
        self as usize - 1
    }
}

/// A set of lists, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tongues(u16);

impl Tongues {
    /// No list.
    pub const NONE: Self = Self(0);
    /// Every list.
    pub const ALL: Self = Self(u16::MAX);

    /// One list.
    pub const fn of(tongue: Tongue) -> Self {
        Self(1 << tongue as u16)
    }

    /// Whether any of `others` is in it.
    pub fn meets(self, others: Self) -> bool {
        self & others != Self::NONE
    }
}

impl BitOr for Tongues {
    type Output = Self;

    fn bitor(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

impl BitAnd for Tongues {
    type Output = Self;

    fn bitand(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }
}

/// The lists as one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordTables {
    /// The hashes of all words, sorted; a word of several lists stands there several times.
    pub hashes: List<u32>,
    /// For each hash the number of the list and the place in it.
    pub meanings: List<u16>,
    /// Where the hashes with each front begin, and where the last ones end.
    pub starts: List<u16>,
    /// One bit for each three classes of bytes that stand side by side somewhere in a phrase.
    pub triples: List<u64>,
}

const FRONT_BITS: u32 = 12;
const PLACE_BITS: u32 = 11;
const TRIPLE_BITS: u32 = 15;
/// The class of all bytes of characters beyond ASCII.
const BEYOND: usize = 27;
/// Letters that stand before a word where a break is written as an escape: `\nword`.
const ESCAPES: [u8; 3] = *b"nrt";

/// How many bytes from a place on [`WordTables::could_be_inside`] asks about.
pub const ASKED_BYTES: usize = 12;
/// The longest word of any list as it is folded, in characters.
pub const LONGEST_FOLDED: usize = 12;

impl WordTables {
    /// The places of a word in the lists, as the letters of a text spell it.
    pub fn meanings_of<'a>(&'a self, word: &str) -> impl Iterator<Item = (Tongue, u16)> + use<'a> {
        let folded = fold(word);
        let range = folded.map_or(0..0, |folded| self.range(hash(folded.as_slice().iter().copied())));
        self.meanings[range].iter().map(|&meaning| (tongue_of(meaning), meaning & ((1 << PLACE_BITS) - 1)))
    }

    /// The lists that hold a word of ASCII.
    pub fn tongues_of(&self, word: &[u8]) -> Tongues {
        if word.len() > LONGEST_FOLDED {
            return Tongues::NONE;
        }
        let range = self.range(hash(word.iter().map(|&letter| char::from(letter.to_ascii_lowercase()))));
        self.meanings[range]
            .iter()
            .fold(Tongues::NONE, |told, &meaning| told | Tongues::of(tongue_of(meaning)))
    }

    fn range(&self, wanted: u32) -> std::ops::Range<usize> {
        let front = (wanted >> (u32::BITS - FRONT_BITS)) as usize;
        let bucket = usize::from(self.starts[front])..usize::from(self.starts[front + 1]);
        let first = bucket.start + self.hashes[bucket.clone()].partition_point(|&hash| hash < wanted);
        let count = self.hashes[first..bucket.end].iter().take_while(|&&hash| hash == wanted).count();
        first..first + count
    }

    /// Whether a place could stand inside a phrase that goes on after it, by the classes of the bytes there.
    #[inline]
    pub fn could_be_inside(&self, bytes: &[u8; ASKED_BYTES]) -> bool {
        bytes.as_chunks::<3>().0.iter().all(|three| {
            let triple = triple(three.map(class));
            self.triples[triple / 64] >> (triple % 64) & 1 == 1
        })
    }

    /// Makes the table from the lists, one word a line.
    ///
    /// # Errors
    /// When a word has more characters than [`LONGEST_FOLDED`], or two words of one list cannot be told apart.
    pub fn of(lists: &[(Tongue, String)]) -> Result<Self, String> {
        let mut entries = Vec::new();
        let mut triples = vec![0_u64; 1 << (TRIPLE_BITS - 6)];
        for (tongue, list) in lists {
            for (place, word) in (0_u16..).zip(list.lines()) {
                let folded = fold(word).ok_or_else(|| format!("{}: a word is too long", tongue.as_str()))?;
                let meaning = (tongue.number() as u16) << PLACE_BITS | place;
                entries.push((hash(folded.as_slice().iter().copied()), meaning));
                mark(word, &mut triples);
            }
        }
        entries.sort_unstable();
        let same_list =
            |pair: &[(u32, u16)]| pair[0].0 == pair[1].0 && (pair[0].1 ^ pair[1].1) >> PLACE_BITS == 0;
        if entries.windows(2).any(same_list) {
            return Err("two words of one list have the same hash".to_owned());
        }
        let starts = (0..=1_u64 << FRONT_BITS)
            .map(|front| {
                entries.partition_point(|entry| u64::from(entry.0) < front << (u32::BITS - FRONT_BITS)) as u16
            })
            .collect();
        let (hashes, meanings) = entries.into_iter().unzip();
        Ok(Self {
            hashes: Cow::Owned(hashes),
            meanings: Cow::Owned(meanings),
            starts: Cow::Owned(starts),
            triples: Cow::Owned(triples),
        })
    }
}

fn tongue_of(meaning: u16) -> Tongue {
    Tongue::LISTED[usize::from(meaning >> PLACE_BITS)]
}

fn class(byte: u8) -> usize {
    match byte {
        0x80.. => BEYOND,
        _ if byte.is_ascii_alphabetic() => usize::from(byte & 0x1f),
        _ => 0,
    }
}

fn triple(classes: [usize; 3]) -> usize {
    classes[0] << 10 | classes[1] << 5 | classes[2]
}

/// Marks what can stand side by side in and about a word.
fn mark(word: &str, triples: &mut [u64]) {
    let mut set = |classes: [usize; 3]| {
        let triple = triple(classes);
        triples[triple / 64] |= 1 << (triple % 64);
    };
    for spelled in spellings(word) {
        let classes: Vec<usize> = spelled.bytes().map(class).collect();
        classes.windows(3).for_each(|three| set([three[0], three[1], three[2]]));
        let (first, last) = (classes[0], classes[classes.len() - 1]);
        // Before a word stands a gap, which can end in the letter of an escape or in a character beyond ASCII.
        for before in gap_ends() {
            set([0, before, first]);
            set([before, 0, first]);
            set([before, BEYOND, first]);
            classes.get(1).into_iter().for_each(|&second| set([before, first, second]));
        }
        // What follows a gap of one byte is the next word's front.
        (0..=BEYOND).for_each(|any| set([last, 0, any]));
        set([last, BEYOND, BEYOND]);
        set([last, BEYOND, 0]);
        if let [.., before_last, _] = classes[..] {
            set([before_last, last, 0]);
            set([before_last, last, BEYOND]);
        }
    }
    for first in gap_ends() {
        for second in gap_ends() {
            gap_ends().for_each(|third| set([first, second, third]));
        }
    }
}

/// The classes of bytes that can stand in a gap.
fn gap_ends() -> impl Iterator<Item = usize> {
    ESCAPES.map(class).into_iter().chain([0, BEYOND])
}

/// How a word of a list can be written: as it is, without accents, and decomposed.
fn spellings(word: &str) -> [String; 3] {
    let plain: String = fold(word).iter().flat_map(|folded| folded.as_slice()).collect();
    let decomposed: String = word
        .chars()
        .flat_map(|character| match character {
            'é' => vec!['e', '\u{301}'],
            'á' | 'í' | 'ó' | 'ú' => vec![unaccented(character), '\u{301}'],
            'ñ' => vec!['n', '\u{303}'],
            'è' => vec!['e', '\u{300}'],
            other => vec![other],
        })
        .collect();
    [word.to_owned(), plain, decomposed]
}

/// A word as it is looked up: in lower case, without accents, composed.
pub struct Folded {
    characters: [char; LONGEST_FOLDED],
    length: usize,
}

impl Folded {
    /// Its characters.
    pub fn as_slice(&self) -> &[char] {
        &self.characters[..self.length]
    }

    fn last(&mut self) -> Option<&mut char> {
        self.characters[..self.length].last_mut()
    }
}

/// `None` if the word is longer than any of a list.
pub fn fold(word: &str) -> Option<Folded> {
    let mut folded = Folded { characters: ['\0'; LONGEST_FOLDED], length: 0 };
    for character in word.chars() {
        if let '\u{300}'..='\u{36f}' = character {
            continue;
        }
        if let Some(last) = folded.last()
            && let Some(whole) = composed(*last, character)
        {
            *last = whole;
            continue;
        }
        *folded.characters.get_mut(folded.length)? = unaccented(character);
        folded.length += 1;
    }
    Some(folded)
}

/// The letter without its accent, in lower case.
fn unaccented(character: char) -> char {
    match character {
        'à'..='å' | 'À'..='Å' => 'a',
        'ç' | 'Ç' => 'c',
        'è'..='ë' | 'È'..='Ë' => 'e',
        'ì'..='ï' | 'Ì'..='Ï' => 'i',
        'ñ' | 'Ñ' => 'n',
        'ò'..='ö' | 'Ò'..='Ö' => 'o',
        'ù'..='ü' | 'Ù'..='Ü' => 'u',
        other => other.to_ascii_lowercase(),
    }
}

/// One character for two, where Unicode has one: marks of kana, and the letters of a Korean syllable.
fn composed(first: char, second: char) -> Option<char> {
    const SYLLABLES: u32 = 0xac00;
    const VOWELS: u32 = 21;
    const FINALS: u32 = 28;
    let (one, two) = (u32::from(first), u32::from(second));
    let whole = match (one, two) {
        (0x304b..=0x3062 | 0x3064..=0x3069 | 0x306f..=0x307d, 0x3099) => one + 1,
        (0x306f..=0x307d, 0x309a) => one + 2,
        (0x1100..=0x1112, 0x1161..=0x1175) => SYLLABLES + ((one - 0x1100) * VOWELS + (two - 0x1161)) * FINALS,
        (SYLLABLES..=0xd7a3, 0x11a8..=0x11c2) if (one - SYLLABLES).is_multiple_of(FINALS) => {
            one + (two - 0x11a7)
        }
        _ => return None,
    };
    char::from_u32(whole)
}

fn hash(word: impl Iterator<Item = char>) -> u32 {
    let mixed = word.fold(0xcbf2_9ce4_8422_2325_u64, |state, character| {
        (state ^ u64::from(u32::from(character))).wrapping_mul(0x0100_0000_01b3)
    });
    // The upper half depends on every character.
    (mixed ^ mixed >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_shr(32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::word_tables;

    fn list(tongue: Tongue) -> &'static str {
        match tongue {
            Tongue::English => "",
            Tongue::Czech => include_str!("words/czech.txt"),
            Tongue::French => include_str!("words/french.txt"),
            Tongue::Italian => include_str!("words/italian.txt"),
            Tongue::Portuguese => include_str!("words/portuguese.txt"),
            Tongue::Spanish => include_str!("words/spanish.txt"),
            Tongue::Japanese => include_str!("words/japanese.txt"),
            Tongue::Korean => include_str!("words/korean.txt"),
            Tongue::ChineseSimplified => include_str!("words/chinese-simplified.txt"),
            Tongue::ChineseTraditional => include_str!("words/chinese-traditional.txt"),
            Tongue::Slip39 => include_str!("words/slip39.txt"),
            Tongue::Monero => include_str!("words/monero-english.txt"),
        }
    }

    #[test]
    fn every_word_is_found_at_its_place() {
        for tongue in Tongue::LISTED {
            let words: Vec<&str> = list(tongue).lines().collect();
            let expected = match tongue {
                Tongue::Slip39 => 1024,
                Tongue::Monero => 1626,
                _ => 2048,
            };
            assert_eq!(words.len(), expected, "{tongue:?}");
            for (place, word) in (0..).zip(words) {
                assert!(word_tables().meanings_of(word).any(|found| found == (tongue, place)), "{word}");
                assert!(word.len() >= 3, "{word}");
                let told = word_tables().tongues_of(word.as_bytes());
                assert_eq!(told.meets(Tongues::of(tongue)), word.is_ascii(), "{word}");
                let shouted = word.to_uppercase();
                assert!(word_tables().meanings_of(&shouted).any(|found| found == (tongue, place)), "{word}");
            }
        }
    }

    #[test]
    fn a_word_is_the_same_in_pieces() {
        for (whole, pieces) in [
            ("がいこう", "か\u{3099}いこう"),
            ("ぴっちり", "ひ\u{309a}っちり"),
            ("가격", "\u{1100}\u{1161}\u{1100}\u{1167}\u{11a8}"),
            ("ábaco", "a\u{301}baco"),
            ("ábaco", "abaco"),
            ("académie", "acade\u{301}mie"),
        ] {
            assert_eq!(
                fold(whole).map(|word| word.as_slice().to_vec()),
                fold(pieces).map(|word| word.as_slice().to_vec())
            );
        }
    }

    #[test]
    fn other_words_are_in_no_list() {
        for word in ["", "the", "abandonxyz", "keyfence", "です", "在在", "verylongwordindeed", "\u{300}"]
        {
            assert_eq!(word_tables().meanings_of(word).count(), 0, "{word}");
        }
    }
}
