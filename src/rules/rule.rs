//! Rules as detection uses them: flat tables that can stand in the binary.
//!
//! Must not know: YAML, detection. The build script includes this module to write the tables.
//! Invariant: `RuleSet::rules[i].provider` is an index into `RuleSet::providers`, and ids are unique.

use std::borrow::Cow;

use crate::model::{Role, Severity};

use super::pattern::{Alphabet, AsciiSet, Item, Pattern};

/// Text that is either in the binary or owned by a user's pack.
pub type Text = Cow<'static, str>;
/// A list that is either in the binary or owned by a user's pack.
pub type List<T> = Cow<'static, [T]>;

/// All rules of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleSet {
    /// Whose credentials they are.
    pub providers: List<Provider>,
    /// The rules, one for each part.
    pub rules: List<Rule>,
}

impl RuleSet {
    /// How many bytes around a value decide at most whether it is a candidate of any rule.
    pub fn reach(&self) -> usize {
        self.rules.iter().map(Rule::reach).max().unwrap_or(0)
    }
}

/// Who issued a credential, and what to know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Lower-case id.
    pub id: Text,
    /// The name as people write it.
    pub title: Text,
    /// Lower-case words that tell the provider wherever they stand.
    pub words: List<Text>,
    /// Lower-case words that tell it only in names and structure.
    pub weak_words: List<Text>,
    /// Lower-case header names and the part that each carries.
    pub headers: List<(Text, Text)>,
    /// The end of "whoever has it can …".
    pub power: Text,
    /// Where it is revoked.
    pub revoke: Option<Text>,
    /// What to do, in order.
    pub steps: List<Text>,
    /// Which parts are complete together.
    pub sets: List<SetRule>,
}

/// Parts that together let somebody act.
#[derive(Clone, Debug, PartialEq)]
pub struct SetRule {
    /// The parts' names.
    pub parts: List<Text>,
    /// What they are worth together.
    pub severity: Severity,
    /// The proof that holds between the first two, public and secret.
    pub proof: Option<Text>,
}

/// How the address follows from a value that opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// Hexadecimal digits of a key of EVM chains.
    Evm,
    /// The same, of Tron.
    Tron,
    /// A key of Bitcoin in Wallet Import Format.
    Bitcoin,
    /// A pair of Solana, in base58 or as numbers.
    Solana,
    /// A phrase of BIP-39.
    Phrase,
}

impl AddressKind {
    /// The kind that a pack calls so.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "evm" => Self::Evm,
            "tron" => Self::Tron,
            "bitcoin" => Self::Bitcoin,
            "solana" => Self::Solana,
            "phrase" => Self::Phrase,
            _ => return None,
        })
    }
}

/// How one part is found and what it means.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique id.
    pub id: Text,
    /// Index of its provider.
    pub provider: u16,
    /// What the provider calls the part.
    pub part: Text,
    /// What the part is in its credential.
    pub role: Role,
    /// What it is worth alone.
    pub severity: Severity,
    /// What must stand around it.
    pub need: Need,
    /// How its value is recognised.
    pub kind: Kind,
    /// Character classes that must occur.
    pub require: Classes,
    /// Offline checks by name.
    pub checks: List<Text>,
    /// Names that mean it, as lower-case words with single spaces.
    pub names: List<Text>,
    /// Whether it belongs to a test network.
    pub test: bool,
    /// Whose address its value opens, where a person knows the wallet by that.
    pub address: Option<AddressKind>,
    /// The first 8 bytes of the SHA-256 of published values, sorted.
    pub known: List<u64>,
    /// The first rule whose values are searched for in the same way, this one itself if there is none before it.
    pub like: u16,
}

impl Rule {
    /// Whether a value of one rule is always one of the other as well, as far as the value itself can tell.
    pub fn is_searched_like(&self, other: &Self) -> bool {
        matches!(self.kind, Kind::Shape(_))
            && self.kind == other.kind
            && self.require == other.require
            && self.checks == other.checks
            && (self.need == Need::Nothing) == (other.need == Need::Nothing)
    }

    /// How many bytes before and after its value a candidate of this rule depends on.
    ///
    /// A token depends on its own run, one byte after it, and what could call it a digest before it; what is in armour or a
    /// URL, or made of words, on the stretch that its reader looks at.
    pub fn reach(&self) -> usize {
        match &self.kind {
            Kind::Shape(shapes) => {
                shapes.iter().map(|shape| shape.longest()).max().unwrap_or(0) + VALUE_REACH
            }
            Kind::Pem(_) => ARMOUR_REACH,
            Kind::Mnemonic(_) => PHRASE_REACH,
            Kind::Numbers(_) => NUMBERS_REACH,
            Kind::Connection(_) => URL_REACH,
            Kind::Password(..) | Kind::Anchored(..) => PASSWORD_REACH,
            Kind::Random(_, longest) => usize::from(*longest) + VALUE_REACH,
            Kind::Chosen(..) => 0,
        }
    }
}

/// What stands before a value and could name it, in bytes.
const VALUE_REACH: usize = 32;
/// The longest private key block that is read, in bytes with its armour.
pub const ARMOUR_REACH: usize = 16 * 1024;
/// The longest stretch in which the words of a phrase are read, in bytes.
pub const PHRASE_REACH: usize = 2 * 1024;
/// The longest array of numbers that is read, in bytes.
pub const NUMBERS_REACH: usize = 2 * 1024;
/// The longest stretch in which a name and its value are read, in bytes.
pub const PASSWORD_REACH: usize = 256;
/// The longest URL with a password that is read, in bytes.
pub const URL_REACH: usize = 512;

/// What must stand around a value before it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it identifies or proves itself.
    Nothing,
    /// A telling name or call.
    Name,
    /// A telling name or position, and evidence of the provider.
    Context,
    /// One of the rule's own names, and evidence of the provider.
    Both,
    /// Another part of the same credential.
    Partner,
}

/// How a value is recognised.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A token of one of these shapes.
    Shape(List<Shape>),
    /// A value of one of these shapes, searched for by one of these literals, which is its core.
    Anchored(List<Text>, List<Shape>),
    /// A private key in armour or bare DER of one of these kinds.
    Pem(List<PemKind>),
    /// A seed phrase of one of these word counts; the rule's check is its scheme.
    Mnemonic(List<u8>),
    /// An array of so many numbers from 0 to 255 that is a key pair.
    Numbers(u16),
    /// A URL of one of these schemes with a password.
    Connection(List<Text>),
    /// A value people choose, of these lengths, found by its name beside a partner.
    Chosen(u16, u16),
    /// A value people choose, of these lengths, found by its name alone.
    Password(u16, u16),
    /// Any random-looking token of these lengths.
    Random(u16, u16),
}

/// What kind of private key stands in armour or DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PemKind {
    /// RSA in PKCS#1 or PKCS#8.
    Rsa,
    /// An elliptic curve other than P-256.
    Ec,
    /// The curve P-256.
    EcP256,
    /// Ed25519 in PKCS#8.
    Ed25519,
    /// DSA.
    Dsa,
    /// OpenSSH's own format, not encrypted.
    Openssh,
    /// An OpenPGP private key block.
    Pgp,
    /// An account key in the armour of the Cosmos SDK, under a passphrase.
    Cosmos,
    /// Encrypted with a passphrase, in any format.
    Encrypted,
    /// Any other private key.
    Other,
}

impl PemKind {
    /// The kind of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "rsa" => Self::Rsa,
            "ec" => Self::Ec,
            "ec-p256" => Self::EcP256,
            "ed25519" => Self::Ed25519,
            "dsa" => Self::Dsa,
            "openssh" => Self::Openssh,
            "pgp" => Self::Pgp,
            "cosmos" => Self::Cosmos,
            "encrypted" => Self::Encrypted,
            "other" => Self::Other,
            _ => return None,
        })
    }
}

/// A token shape: items from left to right and the run in it that is searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Everything from left to right.
    pub items: List<Item>,
    /// The searched run is items `core_start..core_end`.
    pub core_start: usize,
    /// See `core_start`.
    pub core_end: usize,
    /// The alphabet the run is cut in.
    pub alphabet: Alphabet,
    /// How many characters at the front are the same in every value, such as `ghp_`.
    pub prefix: usize,
}

impl Shape {
    /// What stands before the run that is searched for, the run itself, and what stands after it.
    pub fn split(&self) -> (&[Item], &[Item], &[Item]) {
        let (left, rest) = self.items.split_at(self.core_start);
        let (core, right) = rest.split_at(self.core_end - self.core_start);
        (left, core, right)
    }

    /// Longest value in bytes.
    pub fn longest(&self) -> usize {
        self.items.iter().map(|item| usize::from(item.max)).sum()
    }

    /// Shortest and longest searched run.
    pub fn core_lengths(&self) -> (usize, usize) {
        let core = &self.items[self.core_start..self.core_end];
        core.iter()
            .fold((0, 0), |(min, max), item| (min + usize::from(item.min), max + usize::from(item.max)))
    }

    /// Whether its values are hexadecimal digits, with dashes or `0x` at most, behind what is the same in all of them.
    pub fn is_hexadecimal(&self) -> bool {
        let digits = b"0123456789abcdefABCDEFx-".iter().fold(0, |set: AsciiSet, &byte| set | 1 << byte);
        let literals = self.items.iter().take_while(|item| item.set.is_power_of_two()).count();
        let first = self.core_start.max(literals).min(self.core_end);
        self.items[first..self.core_end].iter().all(|item| item.set & !digits == 0)
    }

    /// Every character that the searched run may hold.
    pub fn core_set(&self) -> AsciiSet {
        self.items[self.core_start..self.core_end].iter().fold(0, |set, item| set | item.set)
    }
}

fn is_literal(item: &Item) -> bool {
    item.set.is_power_of_two() && item.min == item.max
}

impl From<Pattern> for Shape {
    fn from(pattern: Pattern) -> Self {
        let literals = pattern.items.iter().take_while(|item| is_literal(item));
        let prefix = literals.map(|item| usize::from(item.min)).sum();
        Self {
            items: Cow::Owned(pattern.items),
            core_start: pattern.core.0,
            core_end: pattern.core.1,
            alphabet: pattern.alphabet,
            prefix,
        }
    }
}

/// Character classes, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(pub u8);

impl Classes {
    /// `a-z`
    pub const LOWER: u8 = 1;
    /// `A-Z`
    pub const UPPER: u8 = 2;
    /// `0-9`
    pub const DIGIT: u8 = 4;

    /// The classes that occur in `value`.
    pub fn of(value: &[u8]) -> Self {
        Self(value.iter().fold(0, |classes, byte| {
            classes
                | match byte {
                    b'a'..=b'z' => Self::LOWER,
                    b'A'..=b'Z' => Self::UPPER,
                    b'0'..=b'9' => Self::DIGIT,
                    _ => 0,
                }
        }))
    }

    /// Whether every class of `other` is here too.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
