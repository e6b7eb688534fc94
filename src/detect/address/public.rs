//! From a secret key to the address that everybody may know.
//!
//! Must not know: where keys come from. Invariant: a number that is no key has no address.

use bech32::segwit;
use ed25519_dalek::SigningKey;
use k256::SecretKey;
use k256::elliptic_curve::sec1::ToSec1Point;
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};
use sha3::Keccak256;
use zeroize::Zeroizing;

use super::super::checks::base58::twice_sha256;

/// The version of Bitcoin's keys in Wallet Import Format, and of its addresses of public keys.
const IMPORT_VERSION: u8 = 0x80;
const ADDRESS_VERSION: u8 = 0x00;
const TRON_VERSION: u8 = 0x41;
/// What follows a key whose public half is written compressed.
const COMPRESSED: u8 = 1;

/// The point of a key, in 33 bytes or in 65.
fn point(key: &[u8; 32], compressed: bool) -> Option<Vec<u8>> {
    let key = SecretKey::from_slice(key).ok()?;
    Some(key.public_key().to_sec1_point(compressed).as_bytes().to_vec())
}

/// The twenty bytes that EVM chains know an account by.
fn account(key: &[u8; 32]) -> Option<[u8; 20]> {
    let point = point(key, false)?;
    Keccak256::digest(&point[1..]).as_slice().last_chunk().copied()
}

/// `0x…` with the capitals of EIP-55.
pub(super) fn evm(key: &[u8; 32]) -> Option<String> {
    let digits = data_encoding::HEXLOWER.encode(&account(key)?);
    let sum = Keccak256::digest(digits.as_bytes());
    let spelled = digits.chars().enumerate().map(|(at, digit)| {
        let nibble = sum[at / 2] >> (4 * (1 - at % 2)) & 0xf;
        if nibble >= 8 { digit.to_ascii_uppercase() } else { digit }
    });
    Some(format!("0x{}", spelled.collect::<String>()))
}

/// `T…`: the same account, as Tron writes it.
pub(super) fn tron(key: &[u8; 32]) -> Option<String> {
    Some(base58check(TRON_VERSION, &account(key)?))
}

/// `bc1q…` of the compressed point.
pub(super) fn segwit(key: &[u8; 32]) -> Option<String> {
    segwit::encode_v0(bech32::hrp::BC, &hash(&point(key, true)?)).ok()
}

/// The addresses of a key in Wallet Import Format; none for other coins than Bitcoin.
pub(super) fn of_wallet_import_format(value: &[u8]) -> Vec<String> {
    let mut bytes = Zeroizing::new([0; 38]);
    let Ok(length) = bs58::decode(value).onto(bytes.as_mut_slice()) else { return Vec::new() };
    let (Some(&version), Some(key)) = (bytes.first(), bytes[1..].first_chunk()) else { return Vec::new() };
    let compressed = match (version, length) {
        (IMPORT_VERSION, 37) => false,
        (IMPORT_VERSION, 38) if bytes[33] == COMPRESSED => true,
        _ => return Vec::new(),
    };
    let old = point(key, compressed).map(|point| base58check(ADDRESS_VERSION, &hash(&point)));
    let new = if compressed { segwit(key) } else { None };
    new.into_iter().chain(old).collect()
}

/// The public half in base58.
pub(super) fn solana(public: &[u8]) -> String {
    bs58::encode(public).into_string()
}

/// The same for the seed of a pair.
pub(super) fn solana_of_seed(seed: &[u8; 32]) -> String {
    solana(SigningKey::from_bytes(seed).verifying_key().as_bytes())
}

fn hash(point: &[u8]) -> [u8; 20] {
    Ripemd160::digest(Sha256::digest(point)).into()
}

fn base58check(version: u8, payload: &[u8; 20]) -> String {
    let mut bytes = vec![version];
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&twice_sha256(&bytes));
    bs58::encode(bytes).into_string()
}
