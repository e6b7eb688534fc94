//! Identifiers that show how they were made: UUIDs, object ids, base58 text.
//!
//! Must not know which provider uses them. Invariant: case never matters for hex.

use super::base64;

/// 2017-08-01T00:00:00Z: KuCoin, whose keys these are, opened in that month, so no id of theirs is older. The month is
/// from memory and sure; the exact day does not matter.
const OLDEST_ID: u32 = 1_501_545_600;
/// 2035-01-01T00:00:00Z. A fixed end instead of today, because a clock would make a check impure: the same bytes would
/// give other findings on other days, and a wrong clock would hide keys. The end is near enough that only
/// 12.8 % of random ids keep passing. It has to be moved before 2035.
const NEWEST_ID: u32 = 2_051_222_400;

/// Version nibble 4 and variant 8 to b, dashed as 8-4-4-4-12 or not at all.
pub(super) fn is_uuid4(value: &[u8]) -> bool {
    let (version, variant) = match value.len() {
        32 => (value[12], value[16]),
        36 if [8, 13, 18, 23].iter().all(|&at| value[at] == b'-') => (value[14], value[19]),
        _ => return false,
    };
    version == b'4'
        && matches!(variant, b'8' | b'9' | b'a' | b'b' | b'A' | b'B')
        && value.iter().filter(|byte| byte.is_ascii_hexdigit()).count() == 32
}

/// 24 hex digits whose first eight are a plausible time of creation.
pub(super) fn is_object_id(value: &[u8]) -> bool {
    if value.len() != 24 {
        return false;
    }
    let time = value[..8].iter().fold(0u32, |time, &digit| (time << 4) | hex_digit(digit));
    (OLDEST_ID..NEWEST_ID).contains(&time) && value.iter().all(u8::is_ascii_hexdigit)
}

/// Base64url of 68 bytes whose last 36 are the text of a version 4 UUID: a Phemex secret. Not documented
/// by Phemex: it held on four of four independent published samples, so confidence is medium that it always holds, and
/// high that what passes is one.
pub(super) fn has_uuid_tail(value: &[u8]) -> bool {
    base64::decode_url::<68>(value).is_some_and(|bytes| is_uuid4(&bytes[32..]))
}

/// Letters and digits without `0`, `O`, `I` and `l`.
pub(super) fn is_base58(value: &[u8]) -> bool {
    !value.is_empty()
        && value
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() && !matches!(byte, b'0' | b'O' | b'I' | b'l'))
}

/// The value of a hex digit; 0 for anything else, which callers reject separately.
pub(super) fn hex_digit(digit: u8) -> u32 {
    u32::from(HEX_DIGITS[usize::from(digit)])
}

/// What each byte is worth as a hex digit.
static HEX_DIGITS: [u8; 256] = {
    let mut values = [0; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        values[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    values
};
