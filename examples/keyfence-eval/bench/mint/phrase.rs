//! Seed phrases of each scheme.
//!
//! Must not know: how a phrase is separated in a file. Invariant: the phrase is of the scheme that was asked for, as the
//! crate tells schemes.

use crc::{CRC_32_ISCSI, Crc};
use keyfence::detect::checks::bip39::{WORDS, sentence};
use keyfence::detect::checks::phrases::Scheme;
use sha2::{Digest, Sha512_256};

use super::super::random::Random;

const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// The rarest scheme that is met by chance passes once in 256.
const ATTEMPTS: usize = 20_000;

/// So many words, with single spaces.
pub fn phrase(scheme: &str, length: u8, random: &mut Random) -> Option<String> {
    let words = (0..ATTEMPTS).find_map(|_| {
        let words = match scheme {
            "aezeed" => aezeed(random),
            "algorand" => algorand(random),
            _ => (0..length).map(|_| random.below(WORDS) as u16).collect(),
        };
        Scheme::of(&words).is_some_and(|found| found.as_str() == scheme).then_some(words)
    })?;
    Some(String::from_utf8_lossy(&sentence(&words)).into_owned())
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
