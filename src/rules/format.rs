//! The pack format as it is written: YAML into plain values, checked field by field.
//!
//! Must not know: detection, files. The build script includes this module, so it uses only `serde`, the YAML
//! reader and its sibling `pattern`.
//! Invariant: a pack that passes [`Pack::parse`] has every field in its domain and every cross reference resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::pattern::{self, Pattern};
use super::rule::AddressKind;

/// Splits the tokens in examples, so that no pack holds a live-looking value. Removed when examples are read.
pub const SEAM: char = '¦';

/// A pack larger than this is refused: no honest pack comes near it.
pub const MAX_PACK_BYTES: usize = 1 << 20;

/// One provider: how its credentials look, what they are worth, and what to do when one leaks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Lower-case id, equal to the file name.
    pub provider: String,
    /// The name as people write it.
    pub title: String,
    /// Words that tell the provider wherever they stand as a whole word: names, hosts, package names.
    #[serde(default)]
    pub words: Vec<String>,
    /// Words with other meanings, which count only in the value's own name, call, key path or section.
    #[serde(default)]
    pub weak_words: Vec<String>,
    /// HTTP headers that carry a part: header name to part name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What somebody who has the credential can do: the end of "whoever has it can …".
    pub power: String,
    /// Where it is revoked.
    #[serde(default)]
    pub revoke: Option<String>,
    /// What to do, in order, one sentence each.
    pub steps: Vec<String>,
    /// Which parts make a credential complete.
    #[serde(default)]
    pub sets: Vec<SetSpec>,
    /// The parts.
    pub parts: Vec<PartSpec>,
    /// Where the facts come from.
    pub sources: Vec<String>,
}

/// Parts that together let somebody act.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetSpec {
    /// Names of the parts that are all needed.
    pub parts: Vec<String>,
    /// What a complete set is worth.
    pub severity: String,
    /// A proof over the first two parts, public and secret: `ed25519-seed`. Where it holds, the set is certain.
    #[serde(default)]
    pub proof: Option<String>,
}

/// One part of a credential.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// The rule's id: `<provider>-…`.
    pub id: String,
    /// What the provider calls the part.
    pub part: String,
    /// `identifier`, `secret`, `passphrase`, `private-key`, `mnemonic`, `token` or `connection-string`.
    pub role: String,
    /// `low`, `medium`, `high` or `critical`: what this part is worth when it is found without the others.
    pub severity: String,
    /// What must stand around it: `nothing`, `name`, `context`, `both` or `partner`.
    #[serde(default = "context")]
    pub need: String,
    /// The token's pattern (see `pattern`): the value as a whole, without quotes.
    #[serde(default)]
    pub shape: Option<String>,
    /// Literals in the shape, one of which is in every value: for shapes without a run of 16 characters.
    #[serde(default)]
    pub anchor: Vec<String>,
    /// Kinds of private key in PEM armour or bare DER: `rsa`, `ec`, `ec-p256`, `ed25519`, `dsa`, `openssh`,
    /// `pgp`, `cosmos`, `encrypted`, `other`.
    #[serde(default)]
    pub pem: Vec<String>,
    /// Word counts of a seed phrase, whose scheme is the part's `check`.
    #[serde(default)]
    pub mnemonic: Vec<u8>,
    /// How many numbers from 0 to 255 the value is written as: a key pair as an array.
    #[serde(default)]
    pub numbers: Option<u16>,
    /// Schemes of URLs with a password in them.
    #[serde(default)]
    pub connection: Vec<String>,
    /// Lengths of a value chosen by people, found by its name beside a partner: `[shortest, longest]`.
    #[serde(default)]
    pub chosen: Vec<u16>,
    /// Lengths of a value that people choose and name, believed by its name alone: `[shortest, longest]`.
    #[serde(default)]
    pub password: Vec<u16>,
    /// The generic detector: any random-looking value of these lengths whose name means a secret.
    #[serde(default)]
    pub random: Vec<u16>,
    /// Character classes that must all occur: `lower`, `upper`, `digit`.
    #[serde(default)]
    pub require: Vec<String>,
    /// Offline checks, all of which must pass.
    #[serde(default)]
    pub check: Vec<String>,
    /// Names that mean this part, besides those that its role implies ("client secret" also means `clientSecret`, `CLIENT_SECRET`).
    #[serde(default)]
    pub names: Vec<String>,
    /// Whether it belongs to a test network, where nothing can be lost.
    #[serde(default)]
    pub test: bool,
    /// Whose address the value opens: `evm`, `tron`, `bitcoin`, `solana` or `phrase`. It is told with a finding.
    #[serde(default)]
    pub address: Option<String>,
    /// Published values: the first 16 hex digits of the SHA-256 of the value, to where it is published.
    #[serde(default)]
    pub known: BTreeMap<String, String>,
    /// Texts in which the rule must fire, with seams.
    #[serde(default, rename = "match")]
    pub matches: Vec<Example>,
    /// Texts in which it must stay silent, with seams.
    #[serde(default)]
    pub silent: Vec<Example>,
}

/// An example: a text, optionally as the content of a file with a telling name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Example {
    /// Just the text.
    Text(String),
    /// A text in a file of this name.
    File {
        /// The file's path.
        path: String,
        /// Its content.
        text: String,
    },
}

impl Example {
    /// The file name (empty when none matters) and the text without seams.
    pub fn open(&self) -> (String, String) {
        let (path, text) = match self {
            Self::Text(text) => (String::new(), text),
            Self::File { path, text } => (path.clone(), text),
        };
        (path, text.chars().filter(|&character| character != SEAM).collect())
    }
}

fn context() -> String {
    "context".to_owned()
}

const ROLES: &[&str] =
    &["identifier", "secret", "passphrase", "private-key", "mnemonic", "token", "connection-string"];
const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];
const NEEDS: &[&str] = &["nothing", "name", "context", "both", "partner"];
/// Proofs that `proof` of a set may name.
const PROOFS: &[&str] = &["ed25519-seed"];
const CLASSES: &[&str] = &["lower", "upper", "digit"];
const ANCHOR_BYTES: std::ops::RangeInclusive<usize> = 3..=10;
const LONGEST_ANCHORED: usize = 250;
const PHRASE_LENGTHS: &[u8] = &[12, 13, 15, 18, 20, 21, 24, 25, 33];
/// The kinds of private key that `pem` may name.
pub const PEM_KINDS: &[&str] =
    &["rsa", "ec", "ec-p256", "ed25519", "dsa", "openssh", "pgp", "cosmos", "encrypted", "other"];

impl Pack {
    /// Reads and checks a pack.
    ///
    /// # Errors
    /// One sentence that names the rule and field at fault; it quotes no value, because a pack can hold examples.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PACK_BYTES {
            return Err(format!("larger than {MAX_PACK_BYTES} bytes"));
        }
        // The YAML reader's time grows with the square of the depth; no honest pack comes near this one.
        let depth = text.bytes().try_fold(0_usize, |depth, byte| match byte {
            b'[' | b'{' => (depth < 1_000).then_some(depth + 1),
            b']' | b'}' => Some(depth.saturating_sub(1)),
            _ => Some(depth),
        });
        require(depth.is_some(), || "nested deeper than 1000 brackets".to_owned())?;
        let pack: Self = serde_yaml::from_str(text).map_err(|error| yaml_message(&error))?;
        pack.check()?;
        Ok(pack)
    }

    fn check(&self) -> Result<(), String> {
        require(is_id(&self.provider), || "`provider` must be lower-case letters, digits and dashes".into())?;
        require(!self.parts.is_empty(), || "`parts` is empty".into())?;
        require(!self.steps.is_empty(), || "`steps` is empty: say what to do when it leaks".into())?;
        require(!self.sources.is_empty(), || {
            "`sources` is empty: a rule nobody has evidence for is not shipped".into()
        })?;
        for word in self.words.iter().chain(&self.weak_words) {
            require(word.len() >= 2 && word.is_ascii(), || {
                format!("word `{word}` must be ASCII and two letters or more")
            })?;
            require(word.bytes().any(|byte| byte.is_ascii_alphanumeric()), || {
                format!("word `{word}` needs a letter or a digit")
            })?;
        }
        let mut ids = BTreeSet::new();
        for part in &self.parts {
            part.check(&self.provider)?;
            require(ids.insert(&part.id), || format!("rule id `{}` is used twice", part.id))?;
        }
        self.check_references()
    }

    fn check_references(&self) -> Result<(), String> {
        let parts: BTreeSet<&str> = self.parts.iter().map(|part| part.part.as_str()).collect();
        for name in self.headers.values().chain(self.sets.iter().flat_map(|set| &set.parts)) {
            require(parts.contains(name.as_str()), || {
                format!("`{name}` is named in headers or sets but is no part")
            })?;
        }
        for set in &self.sets {
            require(SEVERITIES.contains(&set.severity.as_str()), || {
                format!("severity `{}` of a set is unknown", set.severity)
            })?;
            require(set.proof.as_deref().is_none_or(|proof| PROOFS.contains(&proof)), || {
                "`proof` of a set is unknown".into()
            })?;
        }
        Ok(())
    }
}

impl PartSpec {
    fn check(&self, provider: &str) -> Result<(), String> {
        let complain = |what: &str| format!("rule `{}`: {what}", self.id);
        require(
            is_id(&self.id) && (self.id == provider || self.id.starts_with(&format!("{provider}-"))),
            || complain("the id must be `<provider>-<part>` in lower-case letters, digits and dashes"),
        )?;
        require(ROLES.contains(&self.role.as_str()), || complain("`role` is unknown"))?;
        require(SEVERITIES.contains(&self.severity.as_str()), || complain("`severity` is unknown"))?;
        require(NEEDS.contains(&self.need.as_str()), || complain("`need` is unknown"))?;
        require(self.require.iter().all(|class| CLASSES.contains(&class.as_str())), || {
            complain("`require` names an unknown class")
        })?;
        require(self.address.as_deref().is_none_or(|address| AddressKind::parse(address).is_some()), || {
            complain("`address` is evm, tron, bitcoin, solana or phrase")
        })?;
        require(self.pem.iter().all(|kind| PEM_KINDS.contains(&kind.as_str())), || {
            complain("`pem` names an unknown kind")
        })?;
        require(self.mnemonic.iter().all(|count| PHRASE_LENGTHS.contains(count)), || {
            complain("`mnemonic` counts are 12, 13, 15, 18, 20, 21, 24, 25 and 33")
        })?;
        require(self.mnemonic.is_empty() || self.check.len() == 1, || {
            complain("`mnemonic` needs one `check`, the scheme of the phrase")
        })?;
        require(self.numbers.is_none_or(|count| count == 64), || {
            complain("`numbers` is 64: only a key pair proves itself")
        })?;
        for range in [&self.chosen, &self.password, &self.random] {
            require(range.is_empty() || (range.len() == 2 && range[0] <= range[1]), || {
                complain("a range of lengths is `[shortest, longest]`")
            })?;
        }
        require(self.kinds() == 1, || {
            complain(
                "needs exactly one of shape, pem, mnemonic, numbers, connection, chosen, password, random",
            )
        })?;
        require(self.anchor.iter().all(|anchor| ANCHOR_BYTES.contains(&anchor.len())), || {
            complain("an `anchor` has 3 to 10 characters")
        })?;
        let longest = |pattern: &Pattern| pattern.lengths().1 > LONGEST_ANCHORED;
        require(self.anchor.is_empty() || !self.patterns().unwrap_or_default().iter().any(longest), || {
            complain("a shape with an `anchor` has at most 250 characters")
        })?;
        for hash in self.known.keys() {
            require(hash.len() == 16 && u64::from_str_radix(hash, 16).is_ok(), || {
                complain("`known` keys are 16 hex digits")
            })?;
        }
        self.patterns().map_err(|error| complain(&error)).map(|_| ())
    }

    fn kinds(&self) -> usize {
        usize::from(self.shape.is_some())
            + usize::from(!self.pem.is_empty())
            + usize::from(!self.mnemonic.is_empty())
            + usize::from(self.numbers.is_some())
            + usize::from(!self.connection.is_empty())
            + usize::from(!self.chosen.is_empty())
            + usize::from(!self.password.is_empty())
            + usize::from(!self.random.is_empty())
    }

    /// The alternatives of `shape`, none if there is no shape.
    ///
    /// # Errors
    /// When the pattern is not of the grammar, or nothing in it is a run of 16 characters that could be searched for.
    pub fn patterns(&self) -> Result<Vec<Pattern>, String> {
        match self.shape.as_deref() {
            None => Ok(Vec::new()),
            Some(shape) if self.anchor.is_empty() => pattern::parse(shape),
            Some(shape) => pattern::parse_around(shape, &self.anchor),
        }
    }
}

fn require(condition: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(message()) }
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The YAML reader's complaint, cut where it begins to quote the text.
fn yaml_message(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let told = text.split(['"', '`']).next().unwrap_or_default().trim_end_matches([':', ' ']).to_owned();
    // A field that is no identifier could be anything, also a value in the wrong place.
    let is_name = |field: &&str| {
        field.len() <= 40 && field.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(&byte))
    };
    let quoted_field =
        text.contains("unknown field").then(|| text.split('`').nth(1)).flatten().filter(is_name);
    let place = error.location().map(|place| format!(" (line {}, column {})", place.line(), place.column()));
    format!(
        "{told}{}{}",
        quoted_field.map(|field| format!(" `{field}`")).unwrap_or_default(),
        place.unwrap_or_default()
    )
}
