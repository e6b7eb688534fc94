//! Which wallet a key opens: the address, by which a person knows it, and not the key.
//!
//! Asked for what is reported, never while searching: a point on a curve takes longer than a page of text.
//!
//! Must not know: files, reports, how a value was found.
//! Invariant: an address says nothing of the key that could not be read from the chain, and what does not lead to one
//! gives none.

mod derivation;
mod public;

use zeroize::Zeroizing;

use super::checks::bip39;
use super::numbers;
use super::tongue::words_of;
use crate::rules::AddressKind;

/// The addresses that `value` opens, as people read them.
pub(crate) fn addresses(kind: AddressKind, value: &[u8]) -> Vec<String> {
    let told =
        |address: Option<String>| address.map(|address| format!("address {address}")).into_iter().collect();
    match kind {
        AddressKind::Evm => told(hexadecimal(value).and_then(|key| public::evm(&key))),
        AddressKind::Tron => told(hexadecimal(value).and_then(|key| public::tron(&key))),
        AddressKind::Bitcoin => public::of_wallet_import_format(value)
            .into_iter()
            .map(|address| format!("address {address}"))
            .collect(),
        AddressKind::Solana => told(pair(value).map(|pair| public::solana(&pair[32..]))),
        AddressKind::Phrase => phrase(value),
    }
}

/// What wallets show first under a phrase without a password, on the three chains that most phrases are for.
fn phrase(value: &[u8]) -> Vec<String> {
    let words: Vec<u16> = words_of(value).filter_map(|word| bip39::word_index(word.as_bytes())).collect();
    if words.len() != words_of(value).count() || !bip39::checksum_holds(&words) {
        return Vec::new();
    }
    let seed = derivation::seed(&bip39::sentence(&words));
    let first = [
        ("Ethereum", derivation::secp256k1(&seed, derivation::ETHEREUM).and_then(|key| public::evm(&key))),
        ("Bitcoin", derivation::secp256k1(&seed, derivation::BITCOIN).and_then(|key| public::segwit(&key))),
        ("Solana", Some(public::solana_of_seed(&derivation::ed25519(&seed, derivation::SOLANA)))),
    ];
    first
        .into_iter()
        .filter_map(|(chain, address)| address.map(|address| format!("first {chain} address {address}")))
        .collect()
}

/// The 32 bytes of a key in 64 hexadecimal digits.
fn hexadecimal(value: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let digits = value.strip_prefix(b"0x").or_else(|| value.strip_prefix(b"0X")).unwrap_or(value);
    let bytes = Zeroizing::new(data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

/// The 64 bytes of a pair, in base58 or as an array of numbers.
fn pair(value: &[u8]) -> Option<Zeroizing<[u8; 64]>> {
    if let Some(list) = value.strip_prefix(b"[") {
        return numbers::bytes_of(list.strip_suffix(b"]").unwrap_or(list));
    }
    let mut bytes = Zeroizing::new([0; 64]);
    let length = bs58::decode(value).onto(bytes.as_mut_slice()).ok()?;
    (length == bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::addresses;
    use crate::rules::AddressKind;

    /// Every vector is published: EIP-155, the test key of Tron's documentation, the Bitcoin wiki, BIP-84, BIP-39.
    #[test]
    fn addresses_are_those_of_published_vectors() {
        let junk = ["test ", "test ", "test test test test test test test test test junk"].concat();
        let about = "abandon ".repeat(11) + "about";
        let cases: [(AddressKind, String, Vec<&str>); 7] = [
            (AddressKind::Evm, "46".repeat(32), vec!["address 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"]),
            (
                AddressKind::Evm,
                "0x".to_owned() + &"46".repeat(32),
                vec!["address 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"],
            ),
            (
                AddressKind::Bitcoin,
                ["5HueCGU8rMjxEXxiPuD5", "BDku4MkFqeZyd4dZ1jvh", "TVqvbTLvyTJ"].concat(),
                vec!["address 1GAehh7TsJAHuUAeKZcXf5CnwuGuGgyX2S"],
            ),
            (
                AddressKind::Bitcoin,
                ["KwDiBf89QgGbjEhKnhXJ", "uH7LrciVrZi3qYjgd9M7", "rFU73sVHnoWn"].concat(),
                vec![
                    "address bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                    "address 1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH",
                ],
            ),
            (
                AddressKind::Phrase,
                about,
                vec![
                    "first Ethereum address 0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
                    "first Bitcoin address bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
                    "first Solana address HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
                ],
            ),
            (
                AddressKind::Phrase,
                junk.replace(' ', "  "),
                vec![
                    "first Ethereum address 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
                    "first Bitcoin address bc1q4qw42stdzjqs59xvlrlxr8526e3nunw7mp73te",
                    "first Solana address oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96",
                ],
            ),
            (AddressKind::Phrase, "test ".repeat(12), vec![]),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(addresses(kind, value.as_bytes()), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_pair_names_its_public_half() {
        use ed25519_dalek::SigningKey;
        let pair = SigningKey::from_bytes(&[7; 32]).to_keypair_bytes();
        let expected = vec![format!("address {}", bs58::encode(&pair[32..]).into_string())];
        let numbers = format!("[{}]", pair.map(|byte| byte.to_string()).join(", "));
        assert_eq!(addresses(AddressKind::Solana, numbers.as_bytes()), expected);
        assert_eq!(addresses(AddressKind::Solana, bs58::encode(pair).into_string().as_bytes()), expected);
    }

    #[test]
    fn what_is_no_key_has_no_address() {
        for kind in [
            AddressKind::Evm,
            AddressKind::Tron,
            AddressKind::Bitcoin,
            AddressKind::Solana,
            AddressKind::Phrase,
        ] {
            for value in ["", "0x", "[]", "[1, 2]", "[300]", "zz", "\u{fe}", &"f".repeat(64), &"0".repeat(64)]
            {
                assert!(addresses(kind, value.as_bytes()).is_empty(), "{kind:?} of {value}");
            }
        }
    }
}
