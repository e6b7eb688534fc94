//! Keys of the `uuid-apikey` package (NOWPayments): a UUID in four groups of Crockford's base32, each with
//! three bits of parity in front.
//!
//! Must not know who issues them. Invariant: a random value of the right shape passes with 2^-12.

/// Crockford's base32: no `I`, `L`, `O`, `U`.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 7;
const LENGTH: usize = 4 * GROUP + 3;

/// Whether all parities hold. The version of the UUID is not asked: the documentation's own examples have others.
pub(super) fn is_uuid_apikey(value: &[u8]) -> bool {
    if value.len() != LENGTH {
        return false;
    }
    let mut groups = value.split(|&byte| byte == b'-');
    groups.by_ref().take(4).all(|group| checked_number(group).is_some()) && groups.next().is_none()
}

/// The 32 bits behind the parity, if it is theirs.
fn checked_number(group: &[u8]) -> Option<u32> {
    if group.len() != GROUP {
        return None;
    }
    let whole = group.iter().try_fold(0u64, |number, byte| {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        Some(number << 5 | digit as u64)
    })?;
    let number = whole as u32;
    (whole >> 32 == u64::from(parity(number))).then_some(number)
}

/// The exclusive or of the octal digits, turned left by one bit.
fn parity(number: u32) -> u32 {
    let folded = (0..32).step_by(3).fold(0, |folded, shift| folded ^ (number >> shift & 7));
    (folded << 1 | folded >> 2) & 7
}
