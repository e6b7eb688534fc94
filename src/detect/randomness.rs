//! How much a value looks like random characters instead of names and words, in a unit that is the same for all
//! lengths and alphabets: standard deviations from what a random generator would give.
//!
//! Shannon entropy cannot do this: a fixed limit in bits per character loses a fifth of all 32-digit hex keys. Here a
//! trigram model of source code (`trigrams.bin`, see `trigrams.md`) says how surprising a value is, and the surprise
//! is compared with that of simulated random strings of the same alphabet.
//! Must not know names, context or files. Invariant: pure, no allocation, one pass over the bytes for each score.

/// Folded symbols: `a`-`z` of either case, digits, `_`, `-`, `.`, everything else.
pub const SYMBOLS: usize = 40;
/// Steps of the table in one bit of surprise.
pub const STEPS_OF_BIT: f32 = 16.0;

/// `-log2 p(third | first, second)` in sixteenths of a bit, at `(first * 40 + second) * 40 + third`.
static TRIGRAMS: &[u8; SYMBOLS * SYMBOLS * SYMBOLS] = include_bytes!("trigrams.bin");

/// Symbol of every byte, made at compile time.
static FOLDED: [u8; 256] = folded();

/// The smallest usual alphabet that holds every character of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// `0-9a-f`.
    HexLower,
    /// `0-9A-F`.
    HexUpper,
    /// `A-Z2-7`.
    Base32,
    /// `0-9a-z`.
    Base36Lower,
    /// `0-9A-Z`.
    Base36Upper,
    /// `0-9A-Za-z`.
    Base62,
    /// Base62 with `+` and `/`.
    Base64,
    /// Base62 with `-` and `_`.
    Base64Url,
    /// Anything else.
    Other,
}

/// Below this z-score a value looks like language: about 1 % of random values do, whatever their length.
pub const LANGUAGE: f32 = -2.6;
/// The same for values of letters alone, which foreign words and abbreviations imitate.
pub const LETTERS_LANGUAGE: f32 = -1.0;
/// The shortest value of letters alone that is believed.
const SHORTEST_LETTERS: usize = 24;
/// A worse balance of classes is no accident.
const UNBALANCED: f32 = -3.2;
/// Fewer distinct characters are no accident. Further out than the other limits, as short values spread more.
const REPETITIVE: f32 = -4.0;
/// Digits of hex keys and ids.
const HEX_LENGTHS: [usize; 10] = [16, 20, 24, 32, 40, 48, 56, 64, 96, 128];

/// Characters of one kind in an alphabet: digits, lower, upper, symbols.
type Classes = [f32; 4];

impl Alphabet {
    /// All alphabets, in the order of the calibration.
    pub const ALL: [Alphabet; 9] = [
        Alphabet::HexLower,
        Alphabet::HexUpper,
        Alphabet::Base32,
        Alphabet::Base36Lower,
        Alphabet::Base36Upper,
        Alphabet::Base62,
        Alphabet::Base64,
        Alphabet::Base64Url,
        Alphabet::Other,
    ];

    /// The characters a generator draws from; for `Other` those of base64 as the nearest guess.
    pub const fn characters(self) -> &'static [u8] {
        match self {
            Alphabet::HexLower => b"0123456789abcdef",
            Alphabet::HexUpper => b"0123456789ABCDEF",
            Alphabet::Base32 => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            Alphabet::Base36Lower => b"0123456789abcdefghijklmnopqrstuvwxyz",
            Alphabet::Base36Upper => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            Alphabet::Base62 => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            Alphabet::Base64Url => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_",
            Alphabet::Base64 | Alphabet::Other => {
                b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/"
            }
        }
    }

    /// Mean and standard deviation of the surprise of one trigram, in bits: printed by `examples/train_trigrams.rs`.
    const fn calibration(self) -> (f32, f32) {
        CALIBRATION[self as usize]
    }

    const fn classes(self) -> Classes {
        match self {
            Alphabet::HexLower => [10.0, 6.0, 0.0, 0.0],
            Alphabet::HexUpper => [10.0, 0.0, 6.0, 0.0],
            Alphabet::Base32 => [6.0, 0.0, 26.0, 0.0],
            Alphabet::Base36Lower => [10.0, 26.0, 0.0, 0.0],
            Alphabet::Base36Upper => [10.0, 0.0, 26.0, 0.0],
            Alphabet::Base62 => [10.0, 26.0, 26.0, 0.0],
            Alphabet::Base64 | Alphabet::Base64Url | Alphabet::Other => [10.0, 26.0, 26.0, 2.0],
        }
    }
}

/// In the order of [`Alphabet::ALL`]; belongs to the table and changes with it.
const CALIBRATION: [(f32, f32); 9] = [
    (5.356, 2.086),
    (5.356, 2.086),
    (9.507, 4.527),
    (9.666, 4.540),
    (9.666, 4.540),
    (9.458, 4.512),
    (9.509, 4.405),
    (9.291, 4.534),
    (9.509, 4.405),
];

/// The smallest alphabet of a value, without its `=` padding and, if it has the outline of a UUID, its dashes.
pub fn alphabet(value: &[u8]) -> Alphabet {
    alphabet_of(flags(value))
}

/// The surprise of the value in standard deviations: 0 for the mean random value of its alphabet, below -2.6 for
/// language. Values under three characters carry no trigram and score 0.
pub fn score(value: &[u8]) -> f32 {
    score_in(alphabet(value), value)
}

fn score_in(alphabet: Alphabet, value: &[u8]) -> f32 {
    let (mean, sigma) = alphabet.calibration();
    let (surprise, trigrams) = surprise(value);
    if trigrams == 0.0 {
        return 0.0;
    }
    (surprise / STEPS_OF_BIT / trigrams - mean) * trigrams.sqrt() / sigma
}

/// How far the worst class (digits, lower case, upper case, symbols) is from its share in the alphabet: the negated
/// number of standard deviations, 0 at best.
pub fn class_balance(value: &[u8]) -> f32 {
    class_balance_in(alphabet(value), value)
}

fn class_balance_in(alphabet: Alphabet, value: &[u8]) -> f32 {
    let (mut counts, mut length) = ([0f32; 4], 0f32);
    for byte in characters(value) {
        let class = match byte {
            b'0'..=b'9' => 0,
            b'a'..=b'z' => 1,
            b'A'..=b'Z' => 2,
            _ => 3,
        };
        counts[class] += 1.0;
        length += 1.0;
    }
    let classes = alphabet.classes();
    let total: f32 = classes.iter().sum();
    counts.iter().zip(classes).filter(|(_, size)| *size > 0.0 && length > 0.0).fold(
        0.0,
        |worst: f32, (count, size)| {
            let share = size / total;
            let deviation = (count - length * share).abs() / (length * share * (1.0 - share)).sqrt();
            worst.min(-deviation)
        },
    )
}

/// The number of distinct characters against its expectation, in standard deviations: negative when too few.
pub fn distinct(value: &[u8]) -> f32 {
    let (mut seen, mut length) = ([0u64; 4], 0);
    for byte in characters(value) {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
        length += 1;
    }
    let found = seen.iter().map(|bits| bits.count_ones()).sum::<u32>() as f32;
    let size = alphabet(value).characters().len() as f32;
    let (absent, pair_absent) = ((1.0 - 1.0 / size).powi(length), (1.0 - 2.0 / size).powi(length));
    let expected = size * (1.0 - absent);
    let variance = size * absent + size * (size - 1.0) * pair_absent - (size * absent).powi(2);
    if variance > 1e-3 { (found - expected) / variance.sqrt() } else { 0.0 }
}

/// Whether the value could be what a random generator gave: the surprise, the classes and the distinct characters
/// are all within the usual, and it has a digit. Letters alone are believed only when long and far from language, and
/// hex, in which trigrams say little, only in the lengths that keys have. Of random values with a digit at least
/// 98 % pass in every alphabet and usual length; figures in `trigrams.md`. Addresses, hashes and ids pass as well:
/// only names and context tell them from keys.
pub fn is_random(value: &[u8]) -> bool {
    let limit = match (has(value, u8::is_ascii_digit), has(value, u8::is_ascii_alphabetic)) {
        (true, true) => LANGUAGE,
        (false, true) if value.len() >= SHORTEST_LETTERS => LETTERS_LANGUAGE,
        _ => return false,
    };
    let alphabet = alphabet(value);
    let hex = matches!(alphabet, Alphabet::HexLower | Alphabet::HexUpper);
    (!hex || HEX_LENGTHS.contains(&characters(value).count()))
        && score_in(alphabet, value) > limit
        && class_balance_in(alphabet, value) > UNBALANCED
        && distinct(value) > REPETITIVE
}

fn has(value: &[u8], kind: impl Fn(&u8) -> bool) -> bool {
    value.iter().any(kind)
}

/// The symbol (0 to 39) of a byte.
pub const fn fold(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => byte - b'a',
        b'A'..=b'Z' => byte - b'A',
        b'0'..=b'9' => byte - b'0' + 26,
        b'_' => 36,
        b'-' => 37,
        b'.' => 38,
        _ => 39,
    }
}

const fn folded() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = fold(byte as u8);
        byte += 1;
    }
    table
}

/// The sum of the table's steps and the number of trigrams.
fn surprise(value: &[u8]) -> (f32, f32) {
    let mut symbols = characters(value).map(|byte| usize::from(FOLDED[usize::from(byte)]));
    let (Some(mut first), Some(mut second)) = (symbols.next(), symbols.next()) else { return (0.0, 0.0) };
    let (mut steps, mut trigrams) = (0u32, 0u32);
    for third in symbols {
        steps += u32::from(TRIGRAMS[(first * SYMBOLS + second) * SYMBOLS + third]);
        trigrams += 1;
        (first, second) = (second, third);
    }
    (steps as f32, trigrams as f32)
}

/// The characters that count.
fn characters(value: &[u8]) -> impl Iterator<Item = u8> {
    let is_uuid = value.len() == 36 && [8, 13, 18, 23].iter().all(|&at| value[at] == b'-');
    let end = value.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1);
    value[..end].iter().copied().filter(move |&byte| !(is_uuid && byte == b'-'))
}

const LOW_HEX: u16 = 1;
const UPPER_HEX: u16 = 2;
const LOW: u16 = 4;
const UPPER: u16 = 8;
const BASE32_DIGIT: u16 = 16;
const DIGIT: u16 = 32;
const BASE64_SYMBOL: u16 = 64;
const URL_SYMBOL: u16 = 128;
const FOREIGN: u16 = 256;

/// Which kinds of characters occur.
fn flags(value: &[u8]) -> u16 {
    characters(value).fold(0, |flags, byte| flags | FLAGS[usize::from(byte)])
}

/// The kind of each character.
static FLAGS: [u16; 256] = {
    let mut flags = [FOREIGN; 256];
    let mut byte = 0;
    while byte < 256 {
        flags[byte] = match byte as u8 {
            b'a'..=b'f' => LOW_HEX,
            b'A'..=b'F' => UPPER_HEX,
            b'g'..=b'z' => LOW,
            b'G'..=b'Z' => UPPER,
            b'2'..=b'7' => BASE32_DIGIT,
            b'0'..=b'9' => DIGIT,
            b'+' | b'/' => BASE64_SYMBOL,
            b'-' | b'_' => URL_SYMBOL,
            _ => FOREIGN,
        };
        byte += 1;
    }
    flags
};

fn alphabet_of(flags: u16) -> Alphabet {
    let only = |allowed: u16| flags & !allowed == 0;
    let digits = DIGIT | BASE32_DIGIT;
    let letters = LOW_HEX | UPPER_HEX | LOW | UPPER;
    match flags {
        _ if only(digits | LOW_HEX) => Alphabet::HexLower,
        _ if only(digits | UPPER_HEX) => Alphabet::HexUpper,
        _ if only(UPPER_HEX | UPPER | BASE32_DIGIT) => Alphabet::Base32,
        _ if only(digits | LOW_HEX | LOW) => Alphabet::Base36Lower,
        _ if only(digits | UPPER_HEX | UPPER) => Alphabet::Base36Upper,
        _ if only(digits | letters) => Alphabet::Base62,
        _ if only(digits | letters | BASE64_SYMBOL) => Alphabet::Base64,
        _ if only(digits | letters | URL_SYMBOL) => Alphabet::Base64Url,
        _ => Alphabet::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_score_below_the_limit_and_random_text_above() {
        for name in ["connection_timeout_seconds", "createOrderFromTemplate", "application.settings.default"]
        {
            assert!(score(name.as_bytes()) < -2.6, "{name}: {}", score(name.as_bytes()));
        }
        for pieces in [
            ["q7Xv2Lk9", "ZbR4tWm8", "Hc3YpJf6", "NdG5sKx1"],
            ["9f3a71c4", "e80b2d65", "17fa94bc", "3d0e58a2"],
        ] {
            assert!(score(pieces.concat().as_bytes()) > -2.6);
        }
    }

    #[test]
    fn only_balanced_values_with_a_digit_or_long_letters_are_random() {
        let table: [(&[&str], bool); 9] = [
            (&["q7Xv2Lk9", "ZbR4tWm8", "Hc3YpJf6", "NdG5sKx1"], true),
            (&["9f3a71c4", "e80b2d65", "17fa94bc", "3d0e58a2"], true),
            (&["9f3a71c4", "e80b2d65", "17fa94bc", "3d0e58a"], false),
            (&["qXvkLzJw", "ZbRqtWmx", "HcXYpJfz"], true),
            (&["qXvkLzJw", "ZbRqtWmx"], false),
            (&["20260101", "12345678"], false),
            (&["0xeeeeexxxxeeeee"], false),
            (&["create_order_v2_with_client_id"], false),
            (&[""], false),
        ];
        for (pieces, expected) in table {
            assert_eq!(is_random(pieces.concat().as_bytes()), expected, "{pieces:?}");
        }
    }

    #[test]
    fn the_smallest_alphabet_is_found() {
        let table = [
            ("09af", Alphabet::HexLower),
            ("09AF", Alphabet::HexUpper),
            ("AZ27", Alphabet::Base32),
            ("az09", Alphabet::Base36Lower),
            ("AZ09", Alphabet::Base36Upper),
            ("aZ09", Alphabet::Base62),
            ("aZ0+/==", Alphabet::Base64),
            ("aZ0_-", Alphabet::Base64Url),
            ("a b", Alphabet::Other),
            ("f03a5284-5c39-4aaa-9b20-dea10bdcf8e3", Alphabet::HexLower),
        ];
        for (value, expected) in table {
            assert_eq!(alphabet(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn repetition_and_missing_classes_are_far_from_random() {
        assert!(distinct(b"abababababababababab") < -3.2);
        assert!(class_balance(b"abcdefghijklmnopqrstuvwxyzabcdefgh") < -3.2);
        for value in [&b""[..], b"=", b"ab"] {
            assert!(score(value) == 0.0 && distinct(value).is_finite() && class_balance(value).is_finite());
        }
    }
}
