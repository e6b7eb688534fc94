//! English BIP-39 words and the checksum of a phrase.
//!
//! Must not know how words are separated or how long a run is in a file: that structure, not the checksum, is what
//! tells phrases from prose, since 1/16 (12 words) to 1/256 (24) of random runs pass. The word list is the one of the
//! BIP. Invariant: all tables are made at compile time, so nothing is built at start.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// How many words the list has.
pub const WORDS: usize = 2048;
/// The shortest and the longest word, in bytes.
const WORD_BYTES: std::ops::RangeInclusive<usize> = 3..=8;
/// The longest phrase.
const LONGEST_PHRASE: usize = 24;
const BITS_OF_WORD: usize = 11;

const LIST: &[u8] = include_bytes!("bip39-english.txt");

/// Every word as a big-endian number, zero-padded, so that numeric order is the order of the list.
static PACKED: [u64; WORDS] = pack_list();

/// For each possible start of three letters the first word that has it or a later one: nearly every word that is not
/// in the list finds an empty range here.
static STARTS: [u16; START_SLOTS + 1] = mark_starts(&pack_list());
const START_SLOTS: usize = 26 * 26 * 26;

/// One bit for each possible start: whether a word has it. Text is asked for words every few bytes, and this much smaller
/// table stays at hand.
static TAKEN: [u64; START_SLOTS.div_ceil(64)] = {
    let mut taken = [0; START_SLOTS.div_ceil(64)];
    let mut start = 0;
    while start < START_SLOTS {
        if STARTS[start] < STARTS[start + 1] {
            taken[start / 64] |= 1 << (start % 64);
        }
        start += 1;
    }
    taken
};

/// The place of an English word in the list (0 to 2047), whatever its case.
pub fn word_index(word: &[u8]) -> Option<u16> {
    if !WORD_BYTES.contains(&word.len()) {
        return None;
    }
    let start = start_number([word[0], word[1], word[2]])?;
    if TAKEN[start / 64] >> (start % 64) & 1 == 0 {
        return None;
    }
    let range = usize::from(STARTS[start])..usize::from(STARTS[start + 1]);
    let mut packed = [0u8; 8];
    for (room, byte) in packed.iter_mut().zip(word) {
        *room = byte.to_ascii_lowercase();
    }
    let wanted = u64::from_be_bytes(packed);
    let place = PACKED[range.clone()].iter().position(|&word| word == wanted)?;
    u16::try_from(range.start + place).ok()
}

/// The words themselves, lower-case with single spaces. Indexes beyond the list are left out.
pub fn sentence(indexes: &[u16]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(indexes.len() * 9));
    for packed in indexes.iter().filter_map(|&index| PACKED.get(usize::from(index))) {
        if !text.is_empty() {
            text.push(b' ');
        }
        text.extend(packed.to_be_bytes().into_iter().filter(|&letter| letter != 0));
    }
    text
}

/// Whether the last bits of a phrase are the first bits of the SHA-256 of the entropy before them. False for any
/// number of words other than 12, 15, 18, 21 and 24, and for indexes beyond the list.
pub fn checksum_holds(indexes: &[u16]) -> bool {
    if !matches!(indexes.len(), 12 | 15 | 18 | 21 | 24)
        || indexes.iter().any(|&index| usize::from(index) >= WORDS)
    {
        return false;
    }
    let mut bytes = Zeroizing::new([0u8; LONGEST_PHRASE * BITS_OF_WORD / 8]);
    for (place, &index) in indexes.iter().enumerate() {
        for bit in 0..BITS_OF_WORD {
            let at = place * BITS_OF_WORD + bit;
            let value = (index >> (BITS_OF_WORD - 1 - bit) & 1) as u8;
            bytes[at / 8] |= value << (7 - at % 8);
        }
    }
    // 33 bits of a phrase are 32 bits of entropy and one of checksum.
    let checksum_bits = indexes.len() / 3;
    let entropy_bytes = checksum_bits * 4;
    let digest = Sha256::digest(&bytes[..entropy_bytes]);
    let unused = 8 - checksum_bits;
    bytes[entropy_bytes] >> unused == digest[0] >> unused
}

/// The number of a start of three letters in base 26, `None` if one of them is no ASCII letter.
const fn start_number(letters: [u8; 3]) -> Option<usize> {
    let mut number = 0;
    let mut place = 0;
    while place < 3 {
        let letter = letters[place].to_ascii_lowercase();
        if !letter.is_ascii_lowercase() {
            return None;
        }
        number = number * 26 + (letter - b'a') as usize;
        place += 1;
    }
    Some(number)
}

const fn pack_list() -> [u64; WORDS] {
    let mut packed = [0u64; WORDS];
    let (mut word, mut shift, mut at) = (0, 64, 0);
    while at < LIST.len() {
        if LIST[at] == b'\n' {
            word += 1;
            shift = 64;
        } else {
            shift -= 8;
            packed[word] |= (LIST[at] as u64) << shift;
        }
        at += 1;
    }
    assert!(word == WORDS, "the word list has 2048 lines");
    packed
}

const fn mark_starts(packed: &[u64; WORDS]) -> [u16; START_SLOTS + 1] {
    let mut starts = [0u16; START_SLOTS + 1];
    let mut word = 0;
    let mut slot = 0;
    while slot <= START_SLOTS {
        while word < WORDS {
            let bytes = packed[word].to_be_bytes();
            match start_number([bytes[0], bytes[1], bytes[2]]) {
                Some(start) if start < slot => word += 1,
                _ => break,
            }
        }
        starts[slot] = word as u16;
        slot += 1;
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 24 English vectors of trezor/python-mnemonic: entropy, phrase; a seam inside every word.
    const VECTORS: &str = include_str!("../../../fixtures/checks/bip39.tsv");

    fn phrases() -> Vec<Vec<u16>> {
        VECTORS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (_, phrase) = line.split_once('\t').expect("entropy and phrase");
                let phrase = phrase.replace('¦', "");
                phrase.split(' ').map(|word| word_index(word.as_bytes()).expect("a list word")).collect()
            })
            .collect()
    }

    #[test]
    fn the_list_is_sorted_and_every_word_finds_its_place() {
        assert!(PACKED.is_sorted());
        for (index, word) in LIST.split(|&byte| byte == b'\n').take(WORDS).enumerate() {
            assert_eq!(word_index(word).map(usize::from), Some(index));
            assert_eq!(word_index(&word.to_ascii_uppercase()).map(usize::from), Some(index));
        }
    }

    #[test]
    fn other_words_have_no_place() {
        for word in
            ["", "ab", "abando", "abandons", "abandonment", "zzz", "zoo1", "über", "the", "wallet1", "a\0c"]
        {
            assert_eq!(word_index(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn published_phrases_hold_and_any_other_last_word_of_the_same_checksum_class_does_not() {
        let phrases = phrases();
        assert_eq!(phrases.len(), 24);
        for phrase in phrases {
            assert!(checksum_holds(&phrase));
            let mut other = phrase.clone();
            // The lowest bit of the last word belongs to the checksum at every length.
            *other.last_mut().expect("not empty") ^= 1;
            assert!(!checksum_holds(&other));
        }
    }

    #[test]
    fn the_lengths_between_work_too() {
        for words in [12usize, 15, 18, 21, 24] {
            let passing = (0..2048u16)
                .filter(|&last| {
                    let mut phrase = vec![0u16; words];
                    phrase[words - 1] = last;
                    checksum_holds(&phrase)
                })
                .count();
            assert_eq!(passing, 2048 >> (words / 3), "{words} words");
        }
    }

    #[test]
    fn wrong_lengths_and_foreign_indexes_fail() {
        for words in [0usize, 1, 11, 13, 20, 25, 33, 48] {
            assert!((0..2048u16).all(|last| !checksum_holds(&vec![last; words])), "{words} words");
        }
        assert!(!checksum_holds(&[u16::MAX; 12]));
    }
}
