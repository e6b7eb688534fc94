//! Seed phrases in words of the English BIP-39 list that are not BIP-39: Electrum, TON, Lightning (aezeed), Algorand.
//!
//! Must not know how words stand in a text. Invariant: a scheme is named only if its own check holds, and the schemes
//! are asked from the cheapest and surest to the dearest and weakest.

use crc::{CRC_32_ISCSI, Crc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha512, Sha512_256};
use zeroize::Zeroizing;

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
        }
    }

    /// The scheme whose check the words (places in the list) pass.
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
        }
    }
}

/// Lengths that some scheme uses, longest first.
pub const LENGTHS: [usize; 7] = [25, 24, 21, 18, 15, 13, 12];

fn hmac_sha512(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 64]> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The version of the phrase, the front of an HMAC, is standard (01), segwit (100), or one of both with two factors
/// (101, 102).
fn is_electrum(words: &[u16]) -> bool {
    let version = hmac_sha512(b"Seed version", &bip39::sentence(words));
    version[0] == 0x01 || (version[0] == 0x10 && version[1] >> 4 <= 2)
}

/// The first byte of a stretched HMAC of the phrase is zero.
fn is_ton(words: &[u16]) -> bool {
    const ROUNDS: u32 = 390;
    let entropy = hmac_sha512(&bip39::sentence(words), b"");
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

#[cfg(test)]
mod tests {
    use super::*;

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
