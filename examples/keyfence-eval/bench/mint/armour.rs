//! Private keys in PEM armour and bare DER.
//!
//! Must not know: whose key it is. Invariant: structures are complete; the numbers in RSA and DSA keys are random and
//! belong to no key pair.

use crc::{CRC_24_OPENPGP, Crc};
use data_encoding::BASE64;
use keyfence::rules::PemKind;

use super::super::random::Random;

const CRC_24: Crc<u32> = Crc::<u32>::new(&CRC_24_OPENPGP);
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP256K1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x0a];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];

/// A block of this kind, with line ends.
pub fn block(kind: PemKind, random: &mut Random) -> String {
    let (label, headers, der) = match kind {
        PemKind::Rsa if random.one_in(2) => ("RSA PRIVATE KEY", "", rsa(random)),
        PemKind::Rsa => ("PRIVATE KEY", "", pkcs8(&[object(RSA), element(5, &[])].concat(), &rsa(random))),
        PemKind::Ec => ("EC PRIVATE KEY", "", sec1(SECP256K1, random)),
        PemKind::EcP256 if random.one_in(2) => ("EC PRIVATE KEY", "", sec1(P256, random)),
        PemKind::EcP256 => ("PRIVATE KEY", "", p256(random)),
        PemKind::Ed25519 => ("PRIVATE KEY", "", curve25519(0x70, random)),
        PemKind::Other => ("PRIVATE KEY", "", curve25519(0x6e, random)),
        PemKind::Dsa => ("DSA PRIVATE KEY", "", integers(&[0, 128, 20, 128, 128, 20], random)),
        PemKind::Openssh => ("OPENSSH PRIVATE KEY", "", openssh(random)),
        PemKind::Pgp => ("PGP PRIVATE KEY BLOCK", "Version: GnuPG v2\n\n", random.bytes(420)),
        PemKind::Cosmos => (
            "TENDERMINT PRIVATE KEY",
            "kdf: bcrypt\nsalt: 4D9A7C0E51B2F3886E20\ntype: secp256k1\n\n",
            random.bytes(96),
        ),
        PemKind::Encrypted => {
            let scheme = sequence(&[object(PBES2), sequence(&[element(4, &random.bytes(24))])]);
            ("ENCRYPTED PRIVATE KEY", "", sequence(&[scheme, element(4, &random.bytes(144))]))
        }
    };
    let encoded = BASE64.encode(&der);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or("")).collect();
    let sum = if matches!(kind, PemKind::Pgp | PemKind::Cosmos) {
        format!("\n={}", BASE64.encode(&CRC_24.checksum(&der).to_be_bytes()[1..]))
    } else {
        String::new()
    };
    format!("-----BEGIN {label}-----\n{headers}{}{sum}\n-----END {label}-----", lines.join("\n"))
}

/// Bare base64 for the checks that ask for a key without armour.
pub fn proven(name: &str, random: &mut Random) -> Option<String> {
    let der = match name {
        "der-private-key" | "private-key" => match random.below(4) {
            0 => curve25519(0x70, random),
            1 => p256(random),
            2 => rsa(random),
            _ => sec1(SECP256K1, random),
        },
        "openssh-private-key" => openssh(random),
        _ => return None,
    };
    Some(BASE64.encode(&der))
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..128 => vec![tag, length as u8],
        128..256 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content.to_vec()].concat()
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

fn object(id: &[u8]) -> Vec<u8> {
    element(6, id)
}

/// Integers of so many bytes; 0 stands for the number 0.
fn integers(sizes: &[usize], random: &mut Random) -> Vec<u8> {
    let numbers: Vec<Vec<u8>> = sizes
        .iter()
        .map(|&size| {
            let mut bytes = random.bytes(size.max(1));
            bytes[0] = if size == 0 { 0 } else { bytes[0] & 0x3f | 0x40 };
            element(2, &bytes)
        })
        .collect();
    sequence(&numbers)
}

fn rsa(random: &mut Random) -> Vec<u8> {
    integers(&[0, 256, 3, 256, 128, 128, 128, 128, 128], random)
}

fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    sequence(&[element(2, &[0]), element(0x30, algorithm), element(4, key)])
}

fn curve25519(curve: u8, random: &mut Random) -> Vec<u8> {
    pkcs8(&object(&[0x2b, 0x65, curve]), &element(4, &random.bytes(32)))
}

fn point(random: &mut Random) -> Vec<u8> {
    element(0xa1, &element(3, &[&[0, 4][..], &random.bytes(64)].concat()))
}

fn sec1(curve: &[u8], random: &mut Random) -> Vec<u8> {
    let scalar = element(4, &random.bytes(32));
    sequence(&[element(2, &[1]), scalar, element(0xa0, &object(curve)), point(random)])
}

fn p256(random: &mut Random) -> Vec<u8> {
    let key = sequence(&[element(2, &[1]), element(4, &random.bytes(32)), point(random)]);
    pkcs8(&[object(EC), object(P256)].concat(), &key)
}

fn openssh(random: &mut Random) -> Vec<u8> {
    let text = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let public = [text(b"ssh-ed25519"), text(&random.bytes(32))].concat();
    let private = [random.bytes(8), public.clone(), text(&random.bytes(64)), text(b"bot@desk")].concat();
    let head = [text(b"none"), text(b"none"), text(b""), vec![0, 0, 0, 1]].concat();
    [b"openssh-key-v1\0".to_vec(), head, text(&public), text(&private)].concat()
}
