//! The names under which rule packs ask for a check, and the one place where a name meets its function.
//!
//! Must not know how any check works. Invariant: `Check::parse(check.as_str()) == Some(check)` for all of them.

use super::private_key::{PrivateKey, private_key};
use super::{
    azure, base58, base64, bech32, cyclic, identifiers, keypair, scalar, sizes, spelling, structure, tokens,
    uuid_apikey,
};

/// The most numbers behind a check's name.
const MOST_NUMBERS: usize = 8;

/// The numbers that a pack writes behind a check's name: `bech32:33`, `base58check:0x0142,39`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Numbers {
    numbers: [u64; MOST_NUMBERS],
    count: usize,
}

impl Numbers {
    fn parse(text: &str) -> Option<Self> {
        let mut parsed = Self::default();
        for word in text.split(',') {
            let number = match (word.strip_prefix("0x"), word.strip_prefix('\'')) {
                (Some(digits), _) => u64::from_str_radix(digits, 16).ok()?,
                (_, Some(label)) => u64::from_be_bytes(label.as_bytes().try_into().ok()?),
                _ => word.parse().ok()?,
            };
            *parsed.numbers.get_mut(parsed.count)? = number;
            parsed.count += 1;
        }
        Some(parsed)
    }

    fn as_slice(&self) -> &[u64] {
        &self.numbers[..self.count]
    }
}

/// One offline check, named in a rule pack, with the numbers it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Check {
    kind: Kind,
    numbers: Numbers,
}

impl Check {
    /// The check that a rule pack asks for: a name, and behind a colon the numbers that the check takes. `None` for an
    /// unknown name, and for numbers where none belong.
    pub fn parse(text: &str) -> Option<Check> {
        let (name, numbers) = match text.split_once(':') {
            Some((name, numbers)) => (name, Numbers::parse(numbers)?),
            None => (text, Numbers::default()),
        };
        let kind = Kind::parse(name)?;
        (kind.takes_numbers() || numbers.count == 0).then_some(Check { kind, numbers })
    }

    /// The name in rule packs and reports, without numbers.
    pub const fn as_str(self) -> &'static str {
        self.kind.as_str()
    }

    /// Whether it holds all of the value against a sum that noise has at most once in 2^18 times: nobody writes such a
    /// value by hand, whatever words it seems to hold.
    pub(crate) const fn is_sum(self) -> bool {
        matches!(
            self.kind,
            Kind::Crc32Base62
                | Kind::Crc32Base62Whole
                | Kind::Crc32Hex
                | Kind::Crc32HexWhole
                | Kind::Crc32HexLittle
                | Kind::NkeySeed
                | Kind::Wif
                | Kind::WifTest
                | Kind::ExtendedKey
                | Kind::ExtendedKeyTest
                | Kind::EosKey
                | Kind::AvalancheKey
                | Kind::Ed25519Pair
                | Kind::Ed25519PairBase58
                | Kind::Codex32
                | Kind::EntraSecret
                | Kind::Base58Check
                | Kind::Base58CheckRipple
                | Kind::Bech32
                | Kind::Strkey
                | Kind::AzureSigned
        )
    }

    /// Every check there is, without numbers.
    pub fn all() -> impl Iterator<Item = Check> {
        Kind::ALL.iter().map(|&kind| Check { kind, numbers: Numbers::default() })
    }
}

/// Whether `value`, the bare token without quotes, passes `check`.
pub fn run(check: Check, value: &[u8]) -> bool {
    check.kind.run(value, check.numbers.as_slice())
}

macro_rules! checks {
    (
        plain { $($(#[$doc:meta])* $variant:ident = $name:literal => $function:expr;)* }
        with_numbers { $($(#[$doc_of:meta])* $variant_of:ident = $name_of:literal => $function_of:expr;)* }
    ) => {
        /// What a check's name stands for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        enum Kind {
            $($(#[$doc])* $variant,)*
            $($(#[$doc_of])* $variant_of,)*
        }

        impl Kind {
            const ALL: &[Kind] = &[$(Kind::$variant,)* $(Kind::$variant_of,)*];

            fn parse(name: &str) -> Option<Kind> {
                match name {
                    $($name => Some(Kind::$variant),)*
                    $($name_of => Some(Kind::$variant_of),)*
                    _ => None,
                }
            }

            const fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$variant => $name,)*
                    $(Kind::$variant_of => $name_of,)*
                }
            }

            const fn takes_numbers(self) -> bool {
                match self {
                    $(Kind::$variant => false,)*
                    $(Kind::$variant_of => true,)*
                }
            }

            fn run(self, value: &[u8], numbers: &[u64]) -> bool {
                match self {
                    $(Kind::$variant => $function(value),)*
                    $(Kind::$variant_of => $function_of(value, numbers),)*
                }
            }
        }
    };
}

checks! {
    plain {
        /// UUID of version 4 and the RFC 4122 variant, with or without dashes. A random UUID shape passes with 1/64.
        Uuid4 = "uuid4" => identifiers::is_uuid4;
        /// 24 hex digits that open with a Unix time of 2017-08-01 to 2034-12-31 (KuCoin). Random hex passes with 12.8 %.
        ObjectIdTime = "object-id-time" => identifiers::is_object_id;
        /// Canonical base64 of exactly 64 bytes: 88 characters with `==`, unused bits zero (1/16 of noise passes).
        Base64Of64 = "base64-64" => base64::is_64_bytes;
        /// Canonical base64 or base64url of exactly 32 bytes, padded or not (1/4 of noise passes).
        Base64Of32 = "base64-32" => base64::is_32_bytes;
        /// Canonical base64 of exactly 16 bytes: 24 characters with `==` (WOO X keys; 1/16 of noise passes).
        Base64Of16 = "base64-16" => sizes::is_base64_of_16;
        /// Base58 of exactly 32 bytes (Alpaca secrets; a third of noise passes).
        Base58Of32 = "base58-32" => sizes::is_base58_of_32;
        /// A UUID in Crockford's base32 with parities (NOWPayments; 2^-12 of noise passes).
        UuidApikey = "uuid-apikey" => uuid_apikey::is_uuid_apikey;
        /// Hexadecimal digits of both cases in one value (CoinPayments private key): no hash is printed so.
        MixedHex = "mixed-hex" => spelling::is_mixed_hex;
        /// Two halves joined by `_`, with letters and digits in each (Santiment).
        DigitHalves = "digit-halves" => spelling::has_digits_in_both_halves;
        /// Hexadecimal form of an encrypted keystore in JSON (Hummingbot).
        HexKeystore = "hex-keystore" => spelling::is_hex_keystore;
        /// Base64url of 32 bytes and the text of a version 4 UUID (Phemex secret, held on four samples of four): under 2^-100
        /// of noise passes.
        UuidTail = "uuid-tail" => identifiers::has_uuid_tail;
        /// Only characters of the Bitcoin base58 alphabet.
        Base58 = "base58" => identifiers::is_base58;
        /// `prefix_body` whose last six characters are the CRC-32 of the body in base62 (GitHub, npm, Vercel).
        Crc32Base62 = "crc32-base62" => cyclic::has_base62_crc32;
        /// Base64 of an Ed25519 seed and its own public key: a certain proof.
        Ed25519Pair = "ed25519-pair" => keypair::is_ed25519_pair;
        /// 64 hex digits, `0x` optional, that are a non-trivial secp256k1 scalar.
        Secp256k1Range = "secp256k1-range" => scalar::is_secp256k1_secret;
        /// Base64 or PEM of an unencrypted private key in DER: PKCS#8, PKCS#1, SEC1 or DSA.
        DerPrivateKey = "der-private-key" => |value| matches!(private_key(value), PrivateKey::Der(_));
        /// Base64 or PEM of an unencrypted OpenSSH private key.
        OpensshPrivateKey = "openssh-private-key" => |value| private_key(value) == PrivateKey::Openssh;
        /// Any unencrypted private key, DER or OpenSSH.
        AnyPrivateKey = "private-key" =>
            |value| matches!(private_key(value), PrivateKey::Der(_) | PrivateKey::Openssh);
        /// Any private key that is stored under a passphrase.
        EncryptedPrivateKey = "encrypted-private-key" => |value| private_key(value) == PrivateKey::Encrypted;
        /// AWS access key id: known prefix, base32 body, and an account number below 10^12 in newer ids.
        AwsAccessKeyId = "aws-access-key-id" => tokens::is_aws_access_key_id;
        /// Telegram bot token: decimal bot id, colon, `AA` and 33 base64url characters.
        TelegramBot = "telegram-bot" => tokens::is_telegram_bot;
        /// Signed JSON Web Token: header and payload are base64url of JSON objects.
        Jwt = "jwt" => tokens::is_jwt;
        /// The CRC-32 of the whole token before its last six characters, in base62 with small letters first (Apify).
        Crc32Base62Whole = "crc32-base62-whole" => cyclic::has_whole_base62_crc32;
        /// Eight hex digits at the end, the CRC-32 of what stands between the first `_` and them (Cloudflare, Zuplo).
        Crc32Hex = "crc32-hex" => cyclic::has_hex_crc32;
        /// Eight hex digits at the end, the CRC-32 of everything before them (Atlassian, Bitbucket).
        Crc32HexWhole = "crc32-hex-whole" => cyclic::has_whole_hex_crc32;
        /// `_` and eight hex digits at the end, the CRC-32 of everything before, lowest byte first (Grafana).
        Crc32HexLittle = "crc32-hex-little" => cyclic::has_little_hex_crc32;
        /// Seed of a NATS key: base32 with CRC-16, 2^-21 of noise passes.
        NkeySeed = "nkey-seed" => cyclic::is_nkey_seed;
        /// Private key in Wallet Import Format of a main network: 2^-32 of noise passes.
        Wif = "wif" => base58::is_wif;
        /// The same of a test network.
        WifTest = "wif-test" => base58::is_test_wif;
        /// Extended private key of a main network (BIP-32, SLIP-132).
        ExtendedKey = "extended-key" => base58::is_extended_key;
        /// The same of a test network.
        ExtendedKeyTest = "extended-key-test" => base58::is_test_extended_key;
        /// Casascius mini key: SHA-256 of it and `?` begins with a zero byte (1/256 of noise passes).
        Minikey = "minikey" => base58::is_minikey;
        /// `PVT_K1_` and `PVT_R1_` keys of EOS with their RIPEMD-160 sum.
        EosKey = "eos-key" => base58::is_eos_key;
        /// `PrivateKey-` of Avalanche in CB58.
        AvalancheKey = "avalanche-key" => base58::is_avalanche_key;
        /// Base58 of an Ed25519 seed and its own public key, `ed25519:` before it optional: a certain proof (Solana, NEAR).
        Ed25519PairBase58 = "ed25519-pair-base58" => base58::is_ed25519_pair;
        /// `secp256k1:` and base58 of a secret scalar (NEAR).
        Secp256k1Base58 = "secp256k1-base58" => base58::is_secp256k1_secret;
        /// Bech32 or bech32m of any length.
        Bech32OrM = "bech32-or-m" => bech32::is_bech32_or_m;
        /// Secret or share of codex32 (BIP-93): 2^-65 of noise passes.
        Codex32 = "codex32" => bech32::is_codex32;
        /// Client secret of Entra: a sum of three characters where the mark is `8Q~` (2^-18 of noise passes).
        EntraSecret = "entra-secret" => azure::is_entra_secret;
        /// Base64 of `user:password`.
        BasicCredentials = "basic-credentials" => structure::is_basic_credentials;
        /// LND macaroon that may write.
        LndMacaroon = "lnd-macaroon" => structure::is_lnd_macaroon;
        /// LND macaroon that may only read.
        LndReadMacaroon = "lnd-macaroon-read" => structure::is_lnd_read_macaroon;
        /// Hex of a Lotus key in JSON.
        FilecoinKey = "filecoin-key" => structure::is_filecoin_key;
        /// Base64 of a Curve25519 secret with the bits set that are always set (1/32 of noise passes).
        ClampedKey = "clamped-key" => structure::is_clamped_key;
        /// Base64 of the number of a signature scheme and 32 bytes (Sui's keystore; 2^-6 of noise passes).
        FlaggedKey = "flagged-key" => structure::is_flagged_key;
        /// `0x` and hex below the order of the Stark curve (1/32 of 256-bit noise passes).
        StarkRange = "stark-range" => structure::is_stark_key;
        /// 64 hex digits, lowest byte first, below the order of Ed25519's group (1/16 of noise passes).
        Ed25519Scalar = "ed25519-scalar" => structure::is_ed25519_scalar;
        /// Discord bot token: the first part is base64 of the bot's number.
        DiscordToken = "discord-token" => structure::is_discord_token;
        /// Web token of Supabase with the role `service_role`.
        SupabaseService = "supabase-service" => structure::is_supabase_service_token;
        /// Base64 of a JSON object behind a prefix.
        JsonToken = "json-token" => structure::is_json_token;
        /// Base64 of an Elastic API key's two halves.
        ElasticKey = "elastic-key" => structure::is_elastic_key;
        /// `BBDC-` token of Bitbucket Data Center.
        BitbucketToken = "bitbucket-token" => structure::is_bitbucket_token;
    }
    with_numbers {
        /// Base58Check: pairs of version and payload length, version included (BIP-38, Tezos, Zcash Sprout).
        Base58Check = "base58check" => base58::is_base58check;
        /// The same in the alphabet of the XRP Ledger.
        Base58CheckRipple = "base58check-ripple" => base58::is_ripple_base58check;
        /// Bech32 with data of one of these lengths in bytes: 2^-30 of noise passes.
        Bech32 = "bech32" => bech32::is_bech32;
        /// Stellar StrKey with one of these version bytes: 2^-24 of noise passes.
        Strkey = "strkey" => cyclic::is_strkey;
        /// Azure key signed with Marvin32 under one of these labels, written `'AbAcct00`: 2^-32 of noise passes.
        AzureSigned = "azure-signed" => azure::is_signed_key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns: check, verdict (`yes`/`no`), token with seams. Sources are in the file's comments.
    const VECTORS: &str = include_str!("../../../fixtures/checks/tokens.tsv");

    #[test]
    fn every_name_leads_back_to_its_check() {
        for check in Check::all() {
            assert_eq!(Check::parse(check.as_str()), Some(check));
        }
        assert_eq!(Check::parse("nonsense"), None);
    }

    #[test]
    fn published_vectors_get_the_expected_verdict() {
        let mut seen = std::collections::HashSet::new();
        for (number, line) in VECTORS.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let columns: Vec<&str> = line.split('\t').collect();
            let [name, verdict, token] = columns[..] else { panic!("line {}: three columns", number + 1) };
            let check = Check::parse(name).unwrap_or_else(|| panic!("line {}: unknown check", number + 1));
            let token = token.replace('¦', "").replace("\\n", "\n");
            assert_eq!(run(check, token.as_bytes()), verdict == "yes", "line {} ({name})", number + 1);
            seen.insert((check.as_str(), verdict));
        }
        for check in Check::all() {
            for verdict in ["yes", "no"] {
                assert!(
                    seen.contains(&(check.as_str(), verdict)),
                    "no {verdict} vector for {}",
                    check.as_str()
                );
            }
        }
    }

    #[test]
    fn no_input_panics() {
        let mut state = 7u64;
        for length in 0..300 {
            let value: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (state >> 56) as u8
                })
                .collect();
            for check in Check::all() {
                assert!(!run(check, &value), "{} of {length} random bytes", check.as_str());
            }
        }
    }

    #[test]
    fn every_prefix_of_a_vector_is_survived() {
        for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
            let token = line.rsplit('\t').next().unwrap_or_default().replace('¦', "");
            for end in 0..token.len() {
                for check in Check::all() {
                    run(check, &token.as_bytes()[..end]);
                }
            }
        }
    }
}
