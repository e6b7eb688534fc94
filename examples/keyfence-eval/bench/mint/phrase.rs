//! Seed phrases of each scheme.
//!
//! Must not know: how a phrase is separated in a file. Invariant: the phrase is of the scheme that was asked for, as the
//! crate tells schemes.

use crc::{CRC_32_ISCSI, Crc};
use keyfence::detect::checks::bip39::{WORDS, sentence};
use keyfence::detect::checks::phrases::Scheme;
use keyfence::rules::word_list::Tongue;
use sha2::{Digest, Sha512_256};

use super::super::random::Random;

const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// The rarest scheme that is met by chance passes once in 256.
const ATTEMPTS: usize = 20_000;

/// The lists other than the English one of BIP-39.
const LISTS: [(Tongue, &str); 11] = [
    (Tongue::Czech, include_str!("../../../../src/rules/words/czech.txt")),
    (Tongue::French, include_str!("../../../../src/rules/words/french.txt")),
    (Tongue::Italian, include_str!("../../../../src/rules/words/italian.txt")),
    (Tongue::Portuguese, include_str!("../../../../src/rules/words/portuguese.txt")),
    (Tongue::Spanish, include_str!("../../../../src/rules/words/spanish.txt")),
    (Tongue::Japanese, include_str!("../../../../src/rules/words/japanese.txt")),
    (Tongue::Korean, include_str!("../../../../src/rules/words/korean.txt")),
    (Tongue::ChineseSimplified, include_str!("../../../../src/rules/words/chinese-simplified.txt")),
    (Tongue::ChineseTraditional, include_str!("../../../../src/rules/words/chinese-traditional.txt")),
    (Tongue::Slip39, include_str!("../../../../src/rules/words/slip39.txt")),
    (Tongue::Monero, include_str!("../../../../src/rules/words/monero-english.txt")),
];
/// How many of them are BIP-39 in another language.
const LANGUAGES: usize = 9;

/// So many words, with single spaces.
pub fn phrase(scheme: &str, length: u8, random: &mut Random) -> Option<String> {
    match scheme {
        "slip39" => listed(Tongue::Slip39, scheme, || slip39(length, random)),
        "monero" => listed(Tongue::Monero, scheme, || monero(random)),
        // Half of all phrases are English.
        "bip39" if random.below(2) == 0 => {
            let (tongue, _) = LISTS[random.below(LANGUAGES)];
            listed(tongue, scheme, || drawn(WORDS, length, random))
        }
        _ => english(scheme, length, random),
    }
}

fn english(scheme: &str, length: u8, random: &mut Random) -> Option<String> {
    let words = (0..ATTEMPTS).find_map(|_| {
        let words = match scheme {
            "aezeed" => aezeed(random),
            "algorand" => algorand(random),
            _ => drawn(WORDS, length, random),
        };
        Scheme::of(&words).is_some_and(|found| found.as_str() == scheme).then_some(words)
    })?;
    Some(String::from_utf8_lossy(&sentence(&words)).into_owned())
}

/// A phrase in words of another list.
fn listed(tongue: Tongue, scheme: &str, mut words: impl FnMut() -> Vec<u16>) -> Option<String> {
    let list: Vec<&str> = LISTS.iter().find(|(other, _)| *other == tongue)?.1.lines().collect();
    let spell = |words: &[u16]| words.iter().map(|&word| list[usize::from(word)]).collect::<Vec<_>>();
    let front = |word: &str| -> [u8; 3] {
        let mut letters = [0; 3];
        letters.iter_mut().zip(word.bytes()).for_each(|(room, letter)| *room = letter);
        letters
    };
    let words = (0..ATTEMPTS).find_map(|_| {
        let words = words();
        let found = Scheme::in_tongue(tongue, &words, || spell(&words).into_iter().map(front));
        found.is_some_and(|found| found.as_str() == scheme).then_some(words)
    })?;
    Some(spell(&words).join(" "))
}

fn drawn(words: usize, length: u8, random: &mut Random) -> Vec<u16> {
    (0..length).map(|_| random.below(words) as u16).collect()
}

/// Random words and their Reed-Solomon sum (SLIP-39).
fn slip39(length: u8, random: &mut Random) -> Vec<u16> {
    const GENERATOR: [u32; 10] = [
        0x00e0_e040,
        0x01c1_c080,
        0x0383_8100,
        0x0707_0200,
        0x0e0e_0009,
        0x1c0c_2412,
        0x3808_6c24,
        0x3090_fc48,
        0x21b1_f890,
        0x03f3_f120,
    ];
    let mut words = drawn(1024, length - 3, random);
    let label: &[u8] = if words[1] >> 4 & 1 == 1 { b"shamir_extendable" } else { b"shamir" };
    let values = label.iter().map(|&byte| u32::from(byte)).chain(words.iter().map(|&word| u32::from(word)));
    let sum = values.chain([0; 3]).fold(1_u32, |sum, value| {
        let shifted = (sum & 0x000f_ffff) << 10 ^ value;
        (0..10).filter(|bit| sum >> (20 + bit) & 1 == 1).fold(shifted, |sum, bit| sum ^ GENERATOR[bit])
    }) ^ 1;
    words.extend([20, 10, 0].map(|shift| (sum >> shift & 0x3ff) as u16));
    words
}

/// Random words, and one of them again that a CRC-32 chooses (Monero).
fn monero(random: &mut Random) -> Vec<u16> {
    let list: Vec<&str> = LISTS[LISTS.len() - 1].1.lines().collect();
    let mut words = drawn(list.len(), 24, random);
    let fronts: String = words.iter().map(|&word| &list[usize::from(word)][..3]).collect();
    words.push(words[crc32fast::hash(fronts.as_bytes()) as usize % words.len()]);
    words
}

fn aezeed(random: &mut Random) -> Vec<u16> {
    let body = [&[0][..], &random.bytes(28)].concat();
    let bytes = [&body[..], &CASTAGNOLI.checksum(&body).to_be_bytes()].concat();
    let bit = |at: usize| u16::from(bytes[at / 8] >> (7 - at % 8) & 1);
    (0..24).map(|word| (0..11).fold(0, |number, place| number << 1 | bit(word * 11 + place))).collect()
}

fn algorand(random: &mut Random) -> Vec<u16> {
    let key = random.bytes(32);
    let bit = |at: usize| key.get(at / 8).map_or(0, |byte| u16::from(byte >> (at % 8) & 1));
    let words = (0..24).map(|word| (0..11).fold(0, |number, place| number | bit(word * 11 + place) << place));
    let digest = Sha512_256::digest(&key);
    words.chain([u16::from_le_bytes([digest[0], digest[1]]) & 0x7ff]).collect()
}
