//! Seed phrases: BIP-39 in all its lists, others in words of its English list (Electrum, TON, Lightning's aezeed,
//! Algorand), and those with lists of their own (SLIP-39, Monero).
//!
//! Must not know how words stand in a text. Invariant: a scheme is named only if its own check holds, and the schemes
//! are asked from the cheapest and surest to the dearest and weakest.

use crc::{CRC_32_ISCSI, Crc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha512, Sha512_256};
use zeroize::Zeroizing;

use crate::rules::word_list::Tongue;

use super::bip39;

static CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// How a phrase stands for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// BIP-39: 1/16 (12 words) to 1/256 (24) of random phrases pass.
    Bip39,
    /// Lightning's cipher seed: 2^-40 pass.
    Aezeed,
    /// Electrum: 1/128 pass.
    Electrum,
    /// TON without a password: 1/256 pass.
    Ton,
    /// Algorand: 2^-19 pass.
    Algorand,
    /// A share of SLIP-39: 2^-30 pass.
    Slip39,
    /// Monero: the last word repeats an earlier one that a CRC-32 chooses, 1/1626 pass.
    Monero,
}

impl Scheme {
    /// The name under which a pack asks for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bip39 => "bip39",
            Self::Aezeed => "aezeed",
            Self::Electrum => "electrum",
            Self::Ton => "ton",
            Self::Algorand => "algorand",
            Self::Slip39 => "slip39",
            Self::Monero => "monero",
        }
    }

    /// The scheme whose check words of another list than the English one of BIP-39 pass; `fronts` are the first three
    /// letters of each.
    pub fn in_tongue<Fronts: Iterator<Item = [u8; 3]>>(
        tongue: Tongue,
        words: &[u16],
        fronts: impl FnOnce() -> Fronts,
    ) -> Option<Self> {
        let (scheme, holds) = match tongue {
            Tongue::Slip39 => (Self::Slip39, is_slip39(words)),
            Tongue::Monero => (Self::Monero, is_monero(&fronts().collect::<Vec<_>>())),
            _ => (Self::Bip39, bip39::checksum_holds(words)),
        };
        holds.then_some(scheme)
    }

    /// The scheme whose check the words (places in the English list of BIP-39) pass.
    pub fn of(words: &[u16]) -> Option<Self> {
        let schemes: &[Self] = match words.len() {
            12 | 13 => &[Self::Bip39, Self::Electrum],
            15 | 18 | 21 => &[Self::Bip39],
            24 => &[Self::Bip39, Self::Aezeed, Self::Electrum, Self::Ton],
            25 => &[Self::Algorand],
            _ => &[],
        };
        schemes.iter().copied().find(|scheme| scheme.holds(words))
    }

    fn holds(self, words: &[u16]) -> bool {
        match self {
            Self::Bip39 => bip39::checksum_holds(words),
            Self::Aezeed => is_aezeed(words),
            Self::Electrum => is_electrum(words),
            Self::Ton => is_ton(words),
            Self::Algorand => is_algorand(words),
            // These have lists of their own.
            Self::Slip39 | Self::Monero => false,
        }
    }
}

/// Lengths that some scheme with these words uses, longest first.
pub const fn lengths(tongue: Tongue) -> &'static [usize] {
    match tongue {
        Tongue::English => &[25, 24, 21, 18, 15, 13, 12],
        Tongue::Slip39 => &[33, 20],
        Tongue::Monero => &[MONERO_WORDS],
        _ => &[24, 21, 18, 15, 12],
    }
}

const MONERO_WORDS: usize = 25;

/// HMAC-SHA-512 of the parts of a message.
pub(crate) fn hmac_sha512(key: &[u8], message: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of any length");
    message.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The version of the phrase, the front of an HMAC, is standard (01), segwit (100), or one of both with two factors
/// (101, 102).
fn is_electrum(words: &[u16]) -> bool {
    let version = hmac_sha512(b"Seed version", &[bip39::sentence(words).as_slice()]);
    version[0] == 0x01 || (version[0] == 0x10 && version[1] >> 4 <= 2)
}

/// The first byte of a stretched HMAC of the phrase is zero.
fn is_ton(words: &[u16]) -> bool {
    const ROUNDS: u32 = 390;
    let entropy = hmac_sha512(&bip39::sentence(words), &[]);
    let mut first = [0; 1];
    pbkdf2::pbkdf2_hmac::<Sha512>(entropy.as_slice(), b"TON seed version", ROUNDS, &mut first);
    first == [0]
}

/// Version 0, 23 bytes of ciphertext, a salt of 5, and the CRC-32C of all of them.
fn is_aezeed(words: &[u16]) -> bool {
    let mut bytes = Zeroizing::new([0_u8; 33]);
    for (place, &word) in words.iter().enumerate() {
        for bit in 0..11 {
            let at = place * 11 + bit;
            bytes[at / 8] |= ((word >> (10 - bit) & 1) as u8) << (7 - at % 8);
        }
    }
    let (body, sum) = bytes.split_at(29);
    words.len() == 24 && body[0] == 0 && CASTAGNOLI.checksum(body).to_be_bytes() == *sum
}

/// 24 words are the key, lowest bits first; the last word is the front of its SHA-512/256.
fn is_algorand(words: &[u16]) -> bool {
    let Some((&last, words)) = words.split_last().filter(|(_, words)| words.len() == 24) else {
        return false;
    };
    let mut bytes = Zeroizing::new([0_u8; 33]);
    for (place, &word) in words.iter().enumerate() {
        for bit in (0..11).filter(|bit| word >> bit & 1 == 1) {
            let at = place * 11 + bit;
            bytes[at / 8] |= 1 << (at % 8);
        }
    }
    let digest = Sha512_256::digest(&bytes[..32]);
    bytes[32] == 0 && u16::from_le_bytes([digest[0], digest[1]]) & 0x7ff == last
}

/// Three words are a Reed-Solomon checksum over the ten bits of each word and a text that says what it is.
fn is_slip39(words: &[u16]) -> bool {
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
    // The fifth lowest bit of the first twenty says whether more shares can be made of the same secret.
    let is_extendable = words.get(1).is_some_and(|second| second >> 4 & 1 == 1);
    let label: &[u8] = if is_extendable { b"shamir_extendable" } else { b"shamir" };
    let values = label.iter().map(|&byte| u32::from(byte)).chain(words.iter().map(|&word| u32::from(word)));
    let sum = values.fold(1_u32, |sum, value| {
        let shifted = (sum & 0x000f_ffff) << 10 ^ value;
        (0..10).filter(|bit| sum >> (20 + bit) & 1 == 1).fold(shifted, |sum, bit| sum ^ GENERATOR[bit])
    });
    sum == 1
}

/// The last word is the one that the CRC-32 of the fronts of all others chooses.
fn is_monero(fronts: &[[u8; 3]]) -> bool {
    let Some((last, others)) = fronts.split_last().filter(|_| fronts.len() == MONERO_WORDS) else {
        return false;
    };
    let chosen = crc32fast::hash(Zeroizing::new(others.concat()).as_slice()) as usize % others.len();
    others[chosen] == *last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::word_tables;

    /// Published phrases: scheme, phrase with a seam in every third word. Sources are in the file's comments.
    const VECTORS: &str = include_str!("../../../fixtures/checks/phrases.tsv");

    fn phrases() -> Vec<(&'static str, Vec<u16>)> {
        let rows = VECTORS.lines().filter(|line| !line.starts_with('#'));
        rows.map(|row| {
            let (scheme, phrase) = row.split_once('\t').expect("scheme and phrase");
            let phrase = phrase.replace('¦', "");
            let index = |word: &str| bip39::word_index(word.as_bytes()).expect("a list word");
            (scheme, phrase.split(' ').map(index).collect())
        })
        .collect()
    }

    #[test]
    fn published_phrases_are_of_their_scheme() {
        let phrases = phrases();
        for scheme in ["bip39", "aezeed", "electrum", "ton", "algorand"] {
            assert!(phrases.iter().any(|(name, _)| *name == scheme), "no phrase of {scheme}");
        }
        for (name, words) in phrases {
            assert_eq!(Scheme::of(&words).map(Scheme::as_str), Some(name), "{} words", words.len());
        }
    }

    /// Published phrases of other lists: scheme, list, phrase. Sources are in the file's comments.
    const TONGUES: &str = include_str!("../../../fixtures/checks/tongues.tsv");

    fn in_tongue(tongue: Tongue, words: &[&str]) -> Option<Scheme> {
        let index = |word: &&str| {
            let (_, index) = word_tables().meanings_of(word).find(|(other, _)| *other == tongue)?;
            Some(index)
        };
        let indexes: Vec<u16> = words.iter().map(index).collect::<Option<_>>()?;
        let fronts = || words.iter().map(|word| [word.as_bytes()[0], word.as_bytes()[1], word.as_bytes()[2]]);
        Scheme::in_tongue(tongue, &indexes, fronts)
    }

    #[test]
    fn published_phrases_in_other_lists_are_of_their_scheme() {
        let mut seen = std::collections::BTreeSet::new();
        for row in TONGUES.lines().filter(|line| !line.starts_with('#')) {
            let row = row.replace('¦', "");
            let [scheme, list, phrase] = row.split('\t').collect::<Vec<_>>()[..] else {
                panic!("three columns")
            };
            let tongue = Tongue::LISTED.into_iter().find(|tongue| tongue.as_str() == list).expect("a list");
            let words: Vec<&str> = phrase.split([' ', '\u{3000}']).collect();
            assert_eq!(in_tongue(tongue, &words).map(Scheme::as_str), Some(scheme), "{list}");
            let mut swapped = words.clone();
            swapped.swap(0, 1);
            let weak = scheme == "bip39" || words[0] == words[1];
            assert!(weak || in_tongue(tongue, &swapped).is_none(), "{list} with two words changed places");
            seen.insert(tongue);
        }
        assert_eq!(seen.len(), Tongue::LISTED.len());
    }

    /// Vector 2 of SLIP-39: the first one with another last word.
    #[test]
    fn a_share_with_a_broken_sum_is_refused() {
        let share = "duckling enlarge academic academic agency result length solution fridge kidney coal piece deal \
                     husband erode duke ajar critical decision kidney";
        assert_eq!(in_tongue(Tongue::Slip39, &share.split_whitespace().collect::<Vec<_>>()), None);
    }

    #[test]
    fn other_last_words_are_nearly_always_refused() {
        for (name, words) in phrases() {
            let passing = (0..256_u16)
                .filter(|shift| {
                    let mut other = words.clone();
                    *other.last_mut().expect("not empty") ^= shift + 1;
                    Scheme::of(&other).is_some()
                })
                .count();
            // 1/16 is what the weakest scheme, BIP-39 with 12 words, lets through, and Electrum adds 1/128.
            assert!(passing <= 40, "{name}: {passing} of 256 others pass");
        }
    }
}
