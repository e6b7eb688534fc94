//! Keys in bech32 and its kin: BIP-173, BIP-350 and the longer code of BIP-93 (codex32).
//!
//! Must not know which prefix belongs to whom: shapes say that. Invariant: a value that passes differs from every
//! other that passes in at least four characters.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Bech32m};

/// The symbols in the order of their values.
const SYMBOLS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Bech32 whose data has one of the lengths in `lengths`, in bytes; any length if there are none.
pub(super) fn is_bech32(value: &[u8], lengths: &[u64]) -> bool {
    let checked = std::str::from_utf8(value).ok().and_then(|text| CheckedHrpstring::new::<Bech32>(text).ok());
    checked
        .is_some_and(|checked| lengths.is_empty() || lengths.contains(&(checked.byte_iter().count() as u64)))
}

/// Bech32 or bech32m of any length.
pub(super) fn is_bech32_or_m(value: &[u8]) -> bool {
    let text = std::str::from_utf8(value).unwrap_or_default();
    CheckedHrpstring::new::<Bech32m>(text).is_ok() || is_bech32(value, &[])
}

/// A code of BIP-93: its generators and the residue of every valid string.
struct Code {
    generators: [u128; 5],
    residue: u128,
    /// The bits of the checksum.
    bits: u32,
}

const SHORT: Code = Code {
    generators: [
        0x1_9dc5_00ce_73fd_e210,
        0x1_bfae_00de_f77f_e529,
        0x1_fbd9_20ff_fe7b_ee52,
        0x1_7396_40bd_eee3_fdad,
        0x0_7729_a039_cfc7_5f5a,
    ],
    residue: 0x1_0ce0_795c_2fd1_e62a,
    bits: 65,
};
const LONG: Code = Code {
    generators: [
        0x3d5_9d27_3535_ea62_d897,
        0x7a9_becb_6361_c6c5_1507,
        0x543_f9b7_e6c3_8d8a_2a0e,
        0x0c5_77ea_eccf_1990_d13c,
        0x188_7f74_f8dc_71b1_0651,
    ],
    residue: 0x433_81e5_70bf_4798_ab26,
    bits: 75,
};
/// The longest string with the short checksum.
const LONGEST_SHORT: usize = 93;
/// The residue of the prefix `ms`: both codes start from it.
const PREFIX_RESIDUE: u128 = 0x23_181b3;

/// A secret or share of codex32: `ms1`, in one case, with its checksum of 13 or 15 characters.
pub(super) fn is_codex32(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let one_case = lower == value || value.to_ascii_uppercase() == value;
    let code = if value.len() <= LONGEST_SHORT { &SHORT } else { &LONG };
    let Some(data) = lower.strip_prefix(b"ms1").filter(|_| one_case) else { return false };
    let residue = data.iter().try_fold(PREFIX_RESIDUE, |residue, symbol| {
        let number = SYMBOLS.iter().position(|known| known == symbol)?;
        Some(code.step(residue, number as u128))
    });
    (45..=124).contains(&data.len()) && residue == Some(code.residue)
}

impl Code {
    fn step(&self, residue: u128, symbol: u128) -> u128 {
        let kept = self.bits - 5;
        let top = residue >> kept;
        let shifted = (residue & ((1 << kept) - 1)) << 5 ^ symbol;
        self.generators
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1)
            .fold(shifted, |residue, (_, generator)| residue ^ generator)
    }
}
