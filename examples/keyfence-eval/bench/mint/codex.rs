//! Codex32 strings (BIP-93) with the short checksum.
//!
//! Must not know: other bech32 families. Source: the reference code of BIP-93.
//! Invariant: the data before the checksum is what the shape gave.

const SYMBOLS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS: [u128; 5] = [
    0x1_9dc5_00ce_73fd_e210,
    0x1_bfae_00de_f77f_e529,
    0x1_fbd9_20ff_fe7b_ee52,
    0x1_7396_40bd_eee3_fdad,
    0x0_7729_a039_cfc7_5f5a,
];
const TARGET: u128 = 0x1_0ce0_795c_2fd1_e62a;
/// The residue of the prefix `ms`.
const START: u128 = 0x23_181b3;
const SUM: usize = 13;
/// Threshold, four characters of name, index, and 128 bits of a seed.
const DATA: usize = 6 + 26;

/// `ms1`, in the case of `plain`, which has the shape.
pub fn proven(name: &str, plain: &str) -> Option<String> {
    if name != "codex32" {
        return None;
    }
    let lower = plain.to_lowercase();
    let symbols = lower.strip_prefix("ms1")?.get(..DATA)?;
    let mut data: Vec<u128> = symbols
        .bytes()
        .map(|byte| SYMBOLS.iter().position(|&known| known == byte).map(|at| at as u128))
        .collect::<Option<_>>()?;
    // An unshared secret: threshold 0, index `s`.
    data[0] = 15;
    data[5] = 16;
    let padded = data.iter().copied().chain([0; SUM]);
    let residue = padded.fold(START, step) ^ TARGET;
    data.extend((0..SUM).map(|place| residue >> (5 * (SUM - 1 - place)) & 31));
    let text: String = data.iter().map(|&symbol| char::from(SYMBOLS[symbol as usize])).collect();
    let text = format!("ms1{text}");
    Some(if plain.starts_with("MS") { text.to_uppercase() } else { text })
}

fn step(residue: u128, symbol: u128) -> u128 {
    let top = residue >> 60;
    let shifted = (residue & ((1 << 60) - 1)) << 5 ^ symbol;
    let chosen = GENERATORS.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
    chosen.fold(shifted, |residue, (_, generator)| residue ^ generator)
}
