//! Invented secrets of four kinds, a different one for every place, each whole: checksums and key formats are right.
//!
//! Must not know: git, where they are planted.
//! Invariant: the same kind and place give the same values; nothing that looks like a secret stands in this file.

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A kind of secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A key and a secret of an exchange that have no mark of their own: only the names beside them tell.
    Exchange,
    /// One token with a public prefix and a checksum.
    Github,
    /// A marked identifier and an unmarked secret.
    Aws,
    /// A block of several lines.
    Pem,
}

pub const KINDS: [Kind; 4] = [Kind::Exchange, Kind::Github, Kind::Aws, Kind::Pem];

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Github => "github",
            Self::Aws => "aws",
            Self::Pem => "pem",
        }
    }
}

/// What is planted at one place: named values.
#[derive(Clone, Debug)]
pub struct Secret {
    pub kind: Kind,
    /// Names as people write them, with their values.
    parts: Vec<(&'static str, String)>,
}

impl Secret {
    /// The secret of a place.
    pub fn of(kind: Kind, place: &str) -> Self {
        let stream = |salt: &str| Stream::new(&format!("{}/{place}/{salt}", kind.name()));
        let parts = match kind {
            Kind::Exchange => vec![
                ("BINANCE_API_KEY", stream("key").text(ALPHANUMERIC, 64)),
                ("BINANCE_API_SECRET", stream("secret").text(ALPHANUMERIC, 64)),
            ],
            Kind::Github => vec![("GITHUB_TOKEN", github_token(&stream("token").text(ALPHANUMERIC, 30)))],
            Kind::Aws => vec![
                ("AWS_ACCESS_KEY_ID", aws_id(&stream("id").text(BASE32, 15))),
                ("AWS_SECRET_ACCESS_KEY", stream("secret").text(ALPHANUMERIC, 40)),
            ],
            Kind::Pem => vec![("PRIVATE_KEY", private_key(&stream("seed")))],
        };
        Self { kind, parts }
    }

    /// As the lines of a file.
    pub fn lines(&self) -> String {
        match self.kind {
            Kind::Pem => armour(&self.parts[0].1, "\n") + "\n",
            _ => self.assignments("\n") + "\n",
        }
    }

    /// On one line, as a message or a name holds it.
    pub fn line(&self) -> String {
        match self.kind {
            Kind::Pem => format!("PRIVATE_KEY=\"{}\"", armour(&self.parts[0].1, "\\n")),
            _ => self.assignments(" "),
        }
    }

    /// Without blanks, as the name of a branch or the end of an address; `None` where the kind needs blanks.
    pub fn joined(&self, between: &str) -> Option<String> {
        (self.kind != Kind::Pem).then(|| self.assignments(between))
    }

    /// Inside the quotes of a JSON string.
    pub fn json(&self) -> String {
        self.lines().trim_end().replace('\n', "\\n")
    }

    /// In two pieces that are no secret each, cut inside the last value.
    pub fn halves(&self) -> (String, String) {
        let lines = self.lines();
        let value = &self.parts[self.parts.len() - 1].1;
        let at = lines.find(value.as_str()).expect("the lines hold the value") + value.len() / 2;
        (lines[..at].to_owned(), lines[at..].to_owned())
    }

    /// Its named values.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.parts.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Whether `values` hold every part. What encodings put between the characters of a value does not count.
    pub fn is_among(&self, values: &[String]) -> bool {
        self.parts.iter().all(|(_, part)| values.iter().any(|value| value.contains(&bare(part))))
    }

    /// Whether `values` hold the part that makes it a whole: the last one.
    pub fn is_completed_by(&self, values: &[String]) -> bool {
        let (_, part) = &self.parts[self.parts.len() - 1];
        values.iter().any(|value| value.contains(&bare(part)))
    }

    fn assignments(&self, between: &str) -> String {
        let assignments: Vec<String> =
            self.parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assignments.join(between)
    }
}

/// A value without what may stand between its characters: line ends, blanks, quotes.
pub fn bare(value: &str) -> String {
    value.replace("\\n", "").chars().filter(|c| c.is_ascii_alphanumeric() || "+/_-".contains(*c)).collect()
}

fn armour(body: &str, line_end: &str) -> String {
    let label = ["PRIVATE", " KEY-----"].concat();
    format!("-----BEGIN {label}{line_end}{body}{line_end}-----END {label}")
}

/// An id that holds an account number: those that begin with `Q` hold a low one.
fn aws_id(random: &str) -> String {
    ["AK", "IA", "Q", random].concat()
}

/// `ghp_`, the random part, and its CRC-32 in base 62.
fn github_token(random: &str) -> String {
    let mut rest = crc32fast::hash(random.as_bytes()) as usize;
    let mut checksum = [b'0'; 6];
    for place in checksum.iter_mut().rev() {
        *place = ALPHANUMERIC[rest % 62];
        rest /= 62;
    }
    ["gh", "p_", random, &String::from_utf8_lossy(&checksum)].concat()
}

/// An Ed25519 key in PKCS #8, from the first seed whose base64 may stand in a file name.
fn private_key(stream: &Stream) -> String {
    let header = HEXLOWER.decode(b"302e020100300506032b657004220420").expect("it is hexadecimal");
    let keys = (0_u32..).map(|number| BASE64.encode(&[&header[..], &stream.block(number)].concat()));
    keys.into_iter().find(|key| !key.contains('/')).expect("most of them have no slash")
}

/// Random-looking bytes that a name stands for.
struct Stream(String);

impl Stream {
    fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    fn block(&self, number: u32) -> [u8; 32] {
        Sha256::digest(format!("{}/{number}", self.0)).into()
    }

    fn text(&self, alphabet: &[u8], length: usize) -> String {
        let bytes = (0..).flat_map(|number| self.block(number));
        let usable = bytes.filter(|&byte| usize::from(byte) < 256 / alphabet.len() * alphabet.len());
        usable.take(length).map(|byte| alphabet[usize::from(byte) % alphabet.len()] as char).collect()
    }
}
