//! Keys in base58, base32 and bech32, with the sums of each family.
//!
//! Must not know: what the values are for. Sources: the documents that the crate's checks name.
//! Invariant: payloads are random; only versions, lengths and sums are fixed.

use bech32::{Bech32, Bech32m, Hrp};
use crc::{CRC_16_XMODEM, Crc};
use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD};
use ed25519_dalek::SigningKey;
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

use super::super::random::Random;
use super::tokens::uuid4;

const CRC_16: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// Seed and public key.
pub fn ed25519_pair(random: &mut Random) -> [u8; 64] {
    SigningKey::from_bytes(&random.array()).to_keypair_bytes()
}

/// Base58Check with Bitcoin's alphabet.
pub fn base58check(payload: &[u8]) -> String {
    with_sum(payload, bs58::Alphabet::BITCOIN)
}

fn with_sum(payload: &[u8], alphabet: &bs58::Alphabet) -> String {
    let sum = Sha256::digest(Sha256::digest(payload));
    bs58::encode([payload, &sum[..4]].concat()).with_alphabet(alphabet).into_string()
}

/// A secret scalar: below the order of every curve that is asked for, for its first byte is small.
fn scalar(random: &mut Random) -> [u8; 32] {
    let mut bytes: [u8; 32] = random.array();
    bytes[0] = bytes[0] & 0x7f | 1;
    bytes
}

/// The value for a check of these families.
pub fn proven(name: &str, numbers: &str, plain: &str, random: &mut Random) -> Option<String> {
    Some(match name {
        "ed25519-pair" => BASE64.encode(&ed25519_pair(random)),
        "ed25519-pair-base58" => {
            let prefix = if plain.starts_with("ed25519:") { "ed25519:" } else { "" };
            format!("{prefix}{}", bs58::encode(ed25519_pair(random)).into_string())
        }
        "secp256k1-base58" => format!("secp256k1:{}", bs58::encode(scalar(random)).into_string()),
        "wif" => wif(*random.pick(&[0x80, 0x80, 0x80, 0xb0, 0x9e]), random),
        "wif-test" => wif(0xef, random),
        "extended-key" => extended(*random.pick(&[0x0488_ade4, 0x049d_7878, 0x04b2_430c]), random),
        "extended-key-test" => extended(*random.pick(&[0x0435_8394, 0x044a_4e28, 0x045f_18bc]), random),
        "eos-key" => {
            let curve = random.pick(&["K1", "R1"]);
            let key = scalar(random);
            let sum = Ripemd160::new().chain_update(key).chain_update(curve).finalize();
            format!("PVT_{curve}_{}", bs58::encode([&key[..], &sum[..4]].concat()).into_string())
        }
        "avalanche-key" => {
            let key = scalar(random);
            let sum = Sha256::digest(key);
            format!("PrivateKey-{}", bs58::encode([&key[..], &sum[28..]].concat()).into_string())
        }
        "base58check" => with_sum(&payload(numbers, random)?, bs58::Alphabet::BITCOIN),
        "base58check-ripple" => with_sum(&payload(numbers, random)?, bs58::Alphabet::RIPPLE),
        "bech32" => {
            let lengths: Vec<usize> = numbers.split(',').filter_map(|number| number.parse().ok()).collect();
            let length = if lengths.is_empty() { 32 } else { *random.pick(&lengths) };
            let mut data = random.bytes(length);
            // Sui and IOTA open with the number of a signature scheme.
            if length == 33 {
                data[0] = 0;
            }
            spelled::<Bech32>(plain, &data)?
        }
        "bech32-or-m" => {
            let length = random.between(64, 120);
            let data = random.bytes(length);
            if random.one_in(2) {
                spelled::<Bech32>(plain, &data)?
            } else {
                spelled::<Bech32m>(plain, &data)?
            }
        }
        "strkey" => {
            let version = number(numbers)? as u8;
            with_crc16(&[&[version], &random.bytes(32)[..]].concat())
        }
        "nkey-seed" => {
            let kind: u8 = *random.pick(&[0, 13 << 3, 20 << 3]);
            with_crc16(&[&[18 << 3 | kind >> 5, (kind & 31) << 3], &random.bytes(32)[..]].concat())
        }
        "uuid-tail" => BASE64URL_NOPAD.encode(&[&random.bytes(32)[..], uuid4(random).as_bytes()].concat()),
        _ => return None,
    })
}

fn wif(version: u8, random: &mut Random) -> String {
    let compressed: &[u8] = if random.one_in(4) { &[] } else { &[1] };
    base58check(&[&[version][..], &scalar(random), compressed].concat())
}

fn extended(version: u32, random: &mut Random) -> String {
    let place = if random.one_in(2) { vec![0; 9] } else { [&[3][..], &random.bytes(8)].concat() };
    let parts: [&[u8]; 5] = [&version.to_be_bytes(), &place, &random.bytes(32), &[0], &scalar(random)];
    base58check(&parts.concat())
}

/// Version and random bytes of one of the pairs of version and length.
fn payload(numbers: &str, random: &mut Random) -> Option<Vec<u8>> {
    let numbers: Vec<u64> = numbers.split(',').map(number).collect::<Option<_>>()?;
    let pairs: Vec<&[u64]> = numbers.chunks_exact(2).collect();
    let pair = random.pick(&pairs);
    let version = pair[0].to_be_bytes();
    let mut bytes = version[(pair[0].leading_zeros() / 8) as usize..].to_vec();
    let rest = usize::try_from(pair[1]).ok()?.checked_sub(bytes.len())?;
    bytes.extend(random.bytes(rest));
    Some(bytes)
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Behind the prefix that `plain` has before its last `1`, and in its case.
fn spelled<Sum: bech32::Checksum>(plain: &str, data: &[u8]) -> Option<String> {
    let prefix = &plain[..plain.rfind('1')?];
    let hrp = Hrp::parse(&prefix.to_lowercase()).ok()?;
    let text = bech32::encode::<Sum>(hrp, data).ok()?;
    Some(if prefix.bytes().any(|byte| byte.is_ascii_lowercase()) { text } else { text.to_uppercase() })
}

fn with_crc16(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(&[bytes, &CRC_16.checksum(bytes).to_le_bytes()].concat())
}
