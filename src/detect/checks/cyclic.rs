//! Tokens that end in a cyclic redundancy check: CRC-32 in several spellings, CRC-16 in base32, CRC-24 of armour.
//!
//! Must not know prefixes: shapes say them. Invariant: nothing is allocated before the value has the token's outline.

use crc::{CRC_16_XMODEM, CRC_24_OPENPGP, Crc};
use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

static CRC_16: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);
static CRC_24: Crc<u32> = Crc::<u32>::new(&CRC_24_OPENPGP);

/// Base62 with digits, capitals, small letters (GitHub, npm, Vercel, SaladCloud).
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Base62 with small letters before capitals (Apify).
const BASE62_SMALL_FIRST: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BASE62_DIGITS: usize = 6;
const HEX_DIGITS: usize = 8;

/// The text after the last `_` ends in six base62 digits: the CRC-32 of what stands before them.
pub(super) fn has_base62_crc32(value: &[u8]) -> bool {
    let Some(separator) = value.iter().rposition(|&byte| byte == b'_') else { return false };
    let tail = &value[separator + 1..];
    tail.len() >= 2 * BASE62_DIGITS
        && tail.iter().all(u8::is_ascii_alphanumeric)
        && ends_in_base62(tail, BASE62)
}

/// The same over the whole token with its prefix, in an alphabet with small letters first (Apify).
pub(super) fn has_whole_base62_crc32(value: &[u8]) -> bool {
    value.len() >= 2 * BASE62_DIGITS && ends_in_base62(value, BASE62_SMALL_FIRST)
}

fn ends_in_base62(text: &[u8], alphabet: &[u8; 62]) -> bool {
    let (body, digits) = text.split_at(text.len() - BASE62_DIGITS);
    let mut rest = crc32fast::hash(body) as usize;
    digits.iter().rev().all(|&digit| {
        let expected = alphabet[rest % 62];
        rest /= 62;
        digit == expected
    })
}

/// The CRC-32 that the last eight hex digits tell, and what stands before them.
fn hex_crc(value: &[u8]) -> Option<(&[u8], [u8; 4])> {
    let (body, digits) = value.split_at_checked(value.len().checked_sub(HEX_DIGITS)?)?;
    let mut bytes = [0; 4];
    HEXLOWER_PERMISSIVE.decode_mut(digits, &mut bytes).ok()?;
    Some((body, bytes))
}

/// Eight hex digits at the end: the CRC-32 of the body, which stands between the first `_` and them, with or without
/// another `_` before them (Cloudflare, Zuplo).
pub(super) fn has_hex_crc32(value: &[u8]) -> bool {
    hex_crc(value).is_some_and(|(head, sum)| {
        let body = head.iter().position(|&byte| byte == b'_').map_or(head, |at| &head[at + 1..]);
        let body = body.strip_suffix(b"_").unwrap_or(body);
        crc32fast::hash(body).to_be_bytes() == sum
    })
}

/// Eight hex digits at the end: the CRC-32 of everything before them (Atlassian, Bitbucket).
pub(super) fn has_whole_hex_crc32(value: &[u8]) -> bool {
    hex_crc(value).is_some_and(|(body, sum)| crc32fast::hash(body).to_be_bytes() == sum)
}

/// `_` and eight hex digits at the end: the CRC-32 of everything before the `_`, lowest byte first (Grafana).
pub(super) fn has_little_hex_crc32(value: &[u8]) -> bool {
    hex_crc(value)
        .and_then(|(head, sum)| Some((head.strip_suffix(b"_")?, sum)))
        .is_some_and(|(body, sum)| crc32fast::hash(body).to_le_bytes() == sum)
}

/// Base32 that ends in the CRC-16 of what stands before it, lowest byte first.
fn with_crc16(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(BASE32_NOPAD.decode(value).ok()?);
    let length = bytes.len().checked_sub(2)?;
    let holds = CRC_16.checksum(&bytes[..length]).to_le_bytes() == bytes[length..];
    bytes.truncate(length);
    holds.then_some(bytes)
}

/// A Stellar key (StrKey) of 32 bytes whose version byte is the parameter.
pub(super) fn is_strkey(value: &[u8], versions: &[u64]) -> bool {
    value.len() == 56
        && with_crc16(value).is_some_and(|bytes| bytes.len() == 33 && versions.contains(&u64::from(bytes[0])))
}

/// A NATS seed: version byte of seeds, the kind of key in the second, 32 bytes.
pub(super) fn is_nkey_seed(value: &[u8]) -> bool {
    const SEED: u8 = 18 << 3;
    value.len() == 58 && with_crc16(value).is_some_and(|bytes| bytes.len() == 34 && bytes[0] & 0xf8 == SEED)
}

/// Whether `sum`, four base64 characters, is the CRC-24 of `body`, as in OpenPGP's armour.
pub fn is_armour_sum(body: &[u8], sum: &[u8]) -> bool {
    BASE64.decode(sum).is_ok_and(|sum| CRC_24.checksum(body).to_be_bytes()[1..] == sum[..])
}
