//! Keys in base58: a checksum of four bytes, or a public half that follows from the secret one.
//!
//! Must not know words, files or severity. Invariant: what is decoded lives in a buffer of fixed size that is wiped,
//! and an alphabet, version or length that is not the format's own gives `false` before anything is hashed.

use bs58::Alphabet;
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::keypair;
use super::scalar;

/// The longest text that is decoded: a Tezos key of 64 bytes has 98 characters, an extended key 112.
const LONGEST: usize = 120;
const CHECKSUM: usize = 4;

/// Versions of Wallet Import Format: Bitcoin and its forks, Litecoin, Dogecoin, Dash, PIVX, Namecoin, Peercoin, BlackCoin.
const WIF_VERSIONS: &[u8] = &[0x80, 0xb0, 0x9e, 0xcc, 0xd4, 0xb4, 0xb7, 0x99];
/// The same for test networks: Bitcoin and Litecoin, Dogecoin.
const WIF_TEST_VERSIONS: &[u8] = &[0xef, 0xf1];

/// Versions of extended private keys (BIP-32, SLIP-132): `xprv yprv zprv Yprv Zprv`, Litecoin, Dogecoin, Dash.
const EXTENDED_VERSIONS: &[u32] = &[
    0x0488_ade4,
    0x049d_7878,
    0x04b2_430c,
    0x0295_b005,
    0x02aa_7a99,
    0x019d_9cfe,
    0x01b2_6792,
    0x02fa_c398,
    0x02fe_52f8,
];
/// The same for test networks: `tprv uprv vprv Uprv Vprv`.
const EXTENDED_TEST_VERSIONS: &[u32] =
    &[0x0435_8394, 0x044a_4e28, 0x045f_18bc, 0x0242_85b5, 0x0257_5048, 0x0436_ef7d];

type Bytes = Zeroizing<Vec<u8>>;

fn decode(value: &[u8], alphabet: &Alphabet) -> Option<Bytes> {
    if value.len() > LONGEST {
        return None;
    }
    let mut bytes = Zeroizing::new(vec![0; LONGEST]);
    let length = bs58::decode(value).with_alphabet(alphabet).onto(bytes.as_mut_slice()).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// What stands before the checksum, if the checksum is that of `sum`.
fn checked(mut bytes: Bytes, sum: impl Fn(&[u8]) -> [u8; CHECKSUM]) -> Option<Bytes> {
    let length = bytes.len().checked_sub(CHECKSUM)?;
    let holds = sum(&bytes[..length]) == bytes[length..];
    bytes.truncate(length);
    holds.then_some(bytes)
}

/// The checksum of Base58Check.
pub(crate) fn twice_sha256(payload: &[u8]) -> [u8; CHECKSUM] {
    front(&Sha256::digest(Sha256::digest(payload)))
}

fn front(digest: &[u8]) -> [u8; CHECKSUM] {
    *digest.first_chunk().expect("digests are longer than a checksum")
}

/// Whether the payload begins with one of the versions and has the length that belongs to it. `parameters` are pairs
/// of version and payload length, version included.
fn fits(payload: &[u8], parameters: &[u64]) -> bool {
    parameters.chunks_exact(2).any(|pair| {
        let version = pair[0].to_be_bytes();
        let version = &version[(pair[0].leading_zeros() / 8) as usize..];
        payload.len() as u64 == pair[1] && payload.starts_with(version)
    })
}

/// Base58Check with Bitcoin's alphabet.
pub(super) fn is_base58check(value: &[u8], parameters: &[u64]) -> bool {
    decode(value, Alphabet::BITCOIN)
        .and_then(|bytes| checked(bytes, twice_sha256))
        .is_some_and(|payload| fits(&payload, parameters))
}

/// Base58Check with the alphabet of the XRP Ledger.
pub(super) fn is_ripple_base58check(value: &[u8], parameters: &[u64]) -> bool {
    decode(value, Alphabet::RIPPLE)
        .and_then(|bytes| checked(bytes, twice_sha256))
        .is_some_and(|payload| fits(&payload, parameters))
}

/// A private key in Wallet Import Format of a main network.
pub(super) fn is_wif(value: &[u8]) -> bool {
    wif_version(value).is_some_and(|version| WIF_VERSIONS.contains(&version))
}

/// The same of a test network.
pub(super) fn is_test_wif(value: &[u8]) -> bool {
    wif_version(value).is_some_and(|version| WIF_TEST_VERSIONS.contains(&version))
}

/// The version of a private key in Wallet Import Format: 32 bytes, and a one where the public key is compressed.
fn wif_version(value: &[u8]) -> Option<u8> {
    if !matches!(value.len(), 51 | 52) {
        return None;
    }
    let payload = checked(decode(value, Alphabet::BITCOIN)?, twice_sha256)?;
    let (version, key) = payload.split_first()?;
    let key = match key {
        [key @ .., 1] if key.len() == 32 => key,
        key if key.len() == 32 => key,
        _ => return None,
    };
    scalar::is_in_range(key).then_some(*version)
}

/// An extended private key of a main network.
pub(super) fn is_extended_key(value: &[u8]) -> bool {
    extended_version(value).is_some_and(|version| EXTENDED_VERSIONS.contains(&version))
}

/// The same of a test network.
pub(super) fn is_test_extended_key(value: &[u8]) -> bool {
    extended_version(value).is_some_and(|version| EXTENDED_TEST_VERSIONS.contains(&version))
}

/// The version of an extended private key (BIP-32): version, depth, fingerprint of the parent, number, chain code, a
/// zero and the key. A key of depth 0 has neither parent nor number.
fn extended_version(value: &[u8]) -> Option<u32> {
    if !matches!(value.len(), 111 | 112) {
        return None;
    }
    let payload = checked(decode(value, Alphabet::BITCOIN)?, twice_sha256)?;
    let version = u32::from_be_bytes(*payload.first_chunk()?);
    let is_master = payload.get(4) == Some(&0);
    let rootless = payload.get(5..13)?.iter().all(|&byte| byte == 0);
    let well_formed = payload.len() == 78 && payload[45] == 0 && (!is_master || rootless);
    (well_formed && scalar::is_in_range(&payload[46..])).then_some(version)
}

/// A Casascius mini key: the SHA-256 of it and a question mark begins with a zero byte (1/256 of noise passes).
pub(super) fn is_minikey(value: &[u8]) -> bool {
    if !matches!(value.len(), 22 | 26 | 30) || value[0] != b'S' {
        return false;
    }
    let digest = Sha256::new().chain_update(value).chain_update(b"?").finalize();
    digest[0] == 0
}

/// `PVT_K1_` or `PVT_R1_`: the first bytes of the RIPEMD-160 of the key and the name of its curve.
pub(super) fn is_eos_key(value: &[u8]) -> bool {
    let Some((curve, body)) = value.strip_prefix(b"PVT_").and_then(|rest| rest.split_at_checked(3)) else {
        return false;
    };
    let sum = |key: &[u8]| front(&Ripemd160::new().chain_update(key).chain_update(&curve[..2]).finalize());
    matches!(curve, b"K1_" | b"R1_")
        && decode(body, Alphabet::BITCOIN)
            .and_then(|bytes| checked(bytes, sum))
            .is_some_and(|key| key.len() == 32)
}

/// `PrivateKey-` and CB58: the last bytes of one SHA-256 (Avalanche).
pub(super) fn is_avalanche_key(value: &[u8]) -> bool {
    let sum = |key: &[u8]| *Sha256::digest(key).last_chunk().expect("a digest is longer than a checksum");
    value
        .strip_prefix(b"PrivateKey-")
        .and_then(|body| decode(body, Alphabet::BITCOIN))
        .and_then(|bytes| checked(bytes, sum))
        .is_some_and(|key| key.len() == 32 && scalar::is_in_range(&key))
}

/// 64 bytes, the second half of which is the public key of the first (Solana, and NEAR behind `ed25519:`).
pub(super) fn is_ed25519_pair(value: &[u8]) -> bool {
    let body = value.strip_prefix(b"ed25519:").unwrap_or(value);
    (86..=88).contains(&body.len())
        && decode(body, Alphabet::BITCOIN).is_some_and(|bytes| keypair::is_pair(&bytes))
}

/// 32 bytes that are a secret scalar of secp256k1 (NEAR, behind `secp256k1:`).
pub(super) fn is_secp256k1_secret(value: &[u8]) -> bool {
    value
        .strip_prefix(b"secp256k1:")
        .and_then(|body| decode(body, Alphabet::BITCOIN))
        .is_some_and(|key| key.len() == 32 && scalar::is_in_range(&key))
}
