//! Keys of the `uuid-apikey` package (NOWPayments): a version 4 UUID in four groups of Crockford's base32,
//! each with three bits of parity in front.
//!
//! Must not know who issues them. Invariant: a random value of the right shape passes with 2^-18.

/// Crockford's base32: no `I`, `L`, `O`, `U`.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 7;
const LENGTH: usize = 4 * GROUP + 3;

/// Whether all parities hold and the four numbers are a UUID of version 4. Every sample is one; the two examples of
/// the package's documentation are not.
pub(super) fn is_uuid_apikey(value: &[u8]) -> bool {
    if value.len() != LENGTH {
        return false;
    }
    let mut numbers = [0u32; 4];
    let mut groups = value.split(|&byte| byte == b'-');
    for number in &mut numbers {
        let Some(checked) = groups.next().and_then(checked_number) else { return false };
        *number = checked;
    }
    let version = numbers[1] >> 12 & 0xf;
    let variant = numbers[2] >> 30;
    groups.next().is_none() && version == 4 && variant == 0b10
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

#[cfg(test)]
mod tests {
    use super::checked_number;

    /// The groups of both keys in the documentation of `uuid-apikey`, and their numbers.
    const GROUPS: [(&str, u32); 8] = [
        ("KCXC9JD", 0xd9d6_264d),
        ("08M4WGH", 0x1142_7211),
        ("M9294W1", 0x1224_9381),
        ("B6RTBTH", 0xcd8d_2f51),
        ("1EEA6DC", 0x5ce5_19ac),
        ("JAM4DP2", 0x9542_36c2),
        ("PHVYPBN", 0xa3bf_5975),
        ("V0XCJ9X", 0xc1d6_493d),
    ];

    #[test]
    fn published_groups_hold_their_parity() {
        for (group, number) in GROUPS {
            assert_eq!(checked_number(group.as_bytes()), Some(number), "{group}");
        }
    }

    #[test]
    fn seven_of_eight_other_parities_are_refused() {
        for (group, _) in GROUPS {
            let kept = super::ALPHABET
                .iter()
                .filter(|&&first| {
                    let mut changed = group.as_bytes().to_vec();
                    changed[0] = first;
                    checked_number(&changed).is_some()
                })
                .count();
            // The first symbol is three bits of parity and two of the number, so four of 32 go together.
            assert!((1..=4).contains(&kept), "{group}: {kept} first symbols pass");
        }
    }
}
