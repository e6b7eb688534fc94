//! What looks like a secret and is none, and the small words around everything.
//!
//! Must not know: rules. Lists of words come from `decoys/words.txt`.
//! Invariant: nothing here can be used anywhere; every kind that could be taken for a secret says so.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};

use super::mint::base58check;
use super::random::Random;

const HEX: &[u8] = b"0123456789abcdef";
const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Lists of words by name.
#[derive(Debug, Default)]
pub struct Words(BTreeMap<String, Vec<String>>);

impl Words {
    /// Reads `name: one | two` from every line; a list may go on in another line of the same name.
    pub fn parse(text: &str) -> Self {
        let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, words) in text.lines().filter_map(|line| line.split_once(": ")) {
            lists.entry(name.to_owned()).or_default().extend(words.split(" | ").map(str::to_owned));
        }
        Self(lists)
    }

    /// A word of a list.
    pub fn pick(&self, name: &str, random: &mut Random) -> Option<String> {
        self.0.get(name).map(|words| random.pick(words).clone())
    }
}

/// A decoy of this kind.
pub fn decoy(kind: &str, random: &mut Random) -> Option<String> {
    Some(match kind {
        "sha256" => random.text(HEX, 64),
        "sha1" | "git" => random.text(HEX, 40),
        "md5" => random.text(HEX, 32),
        "MD5" => random.text(HEX, 32).to_uppercase(),
        "sha512" => random.text(HEX, 128),
        "iv" => BASE64.encode(&random.bytes(16)),
        "hmac" => BASE64.encode(&random.bytes(32)),
        "sri" => format!("sha512-{}", BASE64.encode(&random.bytes(64))),
        "uuid" => {
            let digits = random.text(HEX, 32);
            let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
            parts.join("-")
        }
        "objectid" => format!("6{}", random.text(HEX, 23)),
        "address" => format!("0x{}", random.text(HEX, 40)),
        "Address" => {
            let digits = random.text(HEX, 40);
            let mixed =
                digits.chars().map(|digit| if random.one_in(2) { digit.to_ascii_uppercase() } else { digit });
            format!("0x{}", mixed.collect::<String>())
        }
        "txhash" | "blockhash" | "topic" => format!("0x{}", random.text(HEX, 64)),
        "btcaddress" => base58check(&[&[0][..], &random.bytes(20)].concat()),
        "solana" => bs58::encode(random.bytes(32)).into_string(),
        "signature58" => bs58::encode(random.bytes(64)).into_string(),
        "xpub" => {
            let parts: [&[u8]; 5] =
                [&0x0488_b21e_u32.to_be_bytes(), &[0; 9], &random.bytes(32), &[3], &random.bytes(32)];
            base58check(&parts.concat())
        }
        "pubkey" => format!("0{}{}", random.pick(&["2", "3"]), random.text(HEX, 64)),
        "cid" => format!("Qm{}", random.text(BASE58, 44)),
        "bytecode" => {
            let length = random.between(400, 1200);
            format!("0x6080604052{}", HEXLOWER.encode(&random.bytes(length)))
        }
        "image" => {
            let length = random.between(300, 900);
            BASE64.encode(&random.bytes(length))
        }
        "certificate" => {
            let body =
                BASE64.encode(&[b"\x30\x82\x03\x75\x30\x82\x02\x5d".to_vec(), random.bytes(700)].concat());
            let lines = body.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----",
                lines.collect::<Vec<_>>().join("\n")
            )
        }
        "sshkey" => {
            let head = b"\0\0\0\x0bssh-ed25519\0\0\0\x20";
            format!("ssh-ed25519 {}", BASE64.encode(&[&head[..], &random.bytes(32)].concat()))
        }
        "orderid" => random.text(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 18),
        "clientid" => format!("x-{}", random.text(BASE62, 22)),
        "asset" => format!("main.{}.js", random.text(HEX, 20)),
        "etag" => format!("W/\"{}\"", random.text(BASE62, 27)),
        "sealed" => format!("AgB{}", BASE64.encode(&random.bytes(300))),
        "sops" => format!(
            "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]",
            BASE64.encode(&random.bytes(48)),
            BASE64.encode(&random.bytes(32)),
            BASE64.encode(&random.bytes(16))
        ),
        _ => return None,
    })
}

/// Something that nobody takes for a secret.
pub fn harmless(kind: &str, random: &mut Random) -> Option<String> {
    Some(match kind {
        "number" => (random.below(9000) + 100).to_string(),
        "small" => (random.below(30) + 2).to_string(),
        "port" => (random.below(6000) + 3000).to_string(),
        "price" => format!("{}.{:02}", random.below(60_000) + 1, random.below(100)),
        "millis" => format!("17{}", random.text(b"0123456789", 11)),
        "time" => format!(
            "2025-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            random.below(12) + 1,
            random.below(28) + 1,
            random.below(24),
            random.below(60),
            random.below(60)
        ),
        "version" => format!("{}.{}.{}", random.below(6), random.below(30), random.below(12)),
        "ip" => format!("10.{}.{}.{}", random.below(256), random.below(256), random.below(254) + 1),
        _ => return None,
    })
}
