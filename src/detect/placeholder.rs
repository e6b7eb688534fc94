//! Values that are no secrets although they stand where one would: placeholders, sequences, references.
//!
//! Must not know: rules, names, documents.
//! Invariant: a pure function of the value; a random value of 16 or more characters passes with a chance above 99.9 %.

/// Words that people put where a secret will be. Five letters or more, so that random text does not hold them.
const WORDS: &[&str] = &[
    "your",
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "dummy",
    "sample",
    "replace",
    "insert",
    "redacted",
    "secret_here",
    "key_here",
    "_here",
    "todo",
    "xxxx",
    "fixme",
    "fake",
    "mock",
    "notreal",
    "not_real",
    "not-real",
    "invalid",
    "undefined",
    "none",
    "null",
    "hogehoge",
    "fugafuga",
    "deadbeef",
    "cafebabe",
    "lorem",
    "ipsum",
    "foobar",
    "testtest",
    "my_api",
    "my_secret",
    "mysecret",
    "myapi",
    "api_key",
    "apikey",
    "api-key",
    "secret_key",
    "secretkey",
    "password",
    "passphrase",
    "0123456789",
    "1234567890",
    "123456789",
    "abcdefgh",
    "qwerty",
];
/// Short words count only where they are a word of their own.
const SHORT: usize = 5;

/// Whether a token-like value was written by hand to hold a place.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let lower: Vec<u8> = value.to_ascii_lowercase();
    has_word(&lower)
        || is_monotonous(&lower)
        || is_alphabet(value)
        || is_sequence(&lower)
        || is_repetition(&lower)
}

/// The same for a value that identifies itself, whose fixed parts may hold any word, and the rest of one that has a sum
/// of its own, too.
pub(crate) fn is_blank(value: &[u8], has_sum: bool) -> bool {
    let lower = value.to_ascii_lowercase();
    let told = ["your", "example", "placeholder", "redacted", "xxxx"];
    (!has_sum && told.iter().any(|word| contains(&lower, word.as_bytes())))
        || is_monotonous(&lower)
        || is_sequence(&lower)
        || is_repetition(&lower)
}

/// Whether a password or passphrase is no literal, or one that says so.
pub(crate) fn is_no_password(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let reference = lower.first().is_some_and(|byte| matches!(byte, b'$' | b'{' | b'<' | b'%' | b'*' | b'['))
        || contains(&lower, b"${")
        || contains(&lower, b"{{")
        || contains(&lower, b"process.env")
        || contains(&lower, b"os.environ")
        || contains(&lower, b"getenv")
        || contains(&lower, b"env.")
        || contains(&lower, b"secrets.")
        || [b"vault:".as_slice(), b"op://", b"enc[", b"arn:", b"ssm:", b"file:", b"env:", b"!vault", b"ref+"]
            .iter()
            .any(|head| lower.starts_with(head))
        // A secret of Google's Secret Manager by its name.
        || (lower.starts_with(b"projects/") && contains(&lower, b"/secrets/"));
    reference
        || is_masked(value)
        || is_constant(value)
        || is_date(value)
        || is_hash(&lower)
        || says_itself(&lower)
}

/// What people write where a password will be, and what comes with servers.
const COMMON: &[&[u8]] = &[
    b"password",
    b"passwd",
    b"pass",
    b"pw",
    b"pwd",
    b"secret",
    b"test",
    b"testing",
    b"admin",
    b"root",
    b"guest",
    b"user",
    b"username",
    b"postgres",
    b"mysql",
    b"redis",
    b"mongo",
    b"mongodb",
    b"rabbitmq",
    b"example",
    b"none",
    b"null",
    b"nil",
    b"true",
    b"false",
    b"undefined",
    b"string",
    b"str",
    b"passphrase",
    b"token",
    b"key",
    b"apikey",
    b"api_key",
    b"password123",
    b"foo",
    b"bar",
    b"baz",
    b"dbpass",
    b"dbpassword",
    b"mypassword",
    b"pass123",
    b"undefined",
    b"optional",
    b"required",
    b"empty",
    b"default",
    b"prompt",
];

/// Whether an account is one that documentation has had for decades.
pub(crate) fn is_published_account(user: &[u8], password: &[u8]) -> bool {
    user.eq_ignore_ascii_case(b"scott") && password.eq_ignore_ascii_case(b"tiger")
}

/// Words beside [`COMMON`] ones: `some_pass`, `the%20password`.
const FILLERS: &[&[u8]] = &[
    b"some", b"the", b"my", b"your", b"a", b"an", b"any", b"this", b"new", b"old", b"db", b"word", b"super",
];

/// Whether a password consists of words for one.
fn says_itself(lower: &[u8]) -> bool {
    let is_said = |word: &[u8]| {
        let numbered = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let word = if numbered <= 3 { &word[..word.len() - numbered] } else { word };
        let joined = |filler: &&[u8]| word.strip_prefix(*filler).is_some_and(|rest| COMMON.contains(&rest));
        COMMON.contains(&word) || FILLERS.contains(&word) || FILLERS.iter().any(joined)
    };
    let spaced = without_percent_escapes(lower);
    let mut words =
        spaced.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    COMMON.contains(&lower) || has_word(lower) || (words.peek().is_some() && words.all(is_said))
}

/// With a space for each `%20`, `%23` and so on: what is escaped in a URL is no letter.
fn without_percent_escapes(text: &[u8]) -> Vec<u8> {
    let mut spaced = text.to_vec();
    for at in memchr::memchr_iter(b'%', text) {
        if text.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            spaced[at..at + 3].fill(b' ');
        }
    }
    spaced
}

fn is_masked(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'-' | b'_'))
}

/// `FORBIDDEN_VALUE2`: the name of a constant.
fn is_constant(value: &[u8]) -> bool {
    let letters = value.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |last| last + 1);
    let (name, digits) = value.split_at(letters);
    digits.len() <= 2
        && name.contains(&b'_')
        && name.iter().all(|&byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// `2016-09-08T21:47:36Z`: when a password was used or ends.
fn is_date(value: &[u8]) -> bool {
    let fits = |(&byte, mark): (&u8, &u8)| if *mark == b'0' { byte.is_ascii_digit() } else { byte == *mark };
    value.len() >= 10 && value.iter().zip(b"0000-00-00").all(fits)
}

/// What frameworks store instead of a password: the algorithm, its settings, the salt and the hash.
fn is_hash(lower: &[u8]) -> bool {
    let mut parts = lower.split(|byte| matches!(byte, b'$' | b':'));
    parts.next().is_some_and(|first| HASHES.contains(&first)) && parts.count() >= 2
}

const HASHES: &[&[u8]] = &[
    b"pbkdf2",
    b"pbkdf2_sha1",
    b"pbkdf2_sha256",
    b"pbkdf2_sha512",
    b"argon2",
    b"argon2d",
    b"argon2i",
    b"argon2id",
    b"bcrypt",
    b"bcrypt_sha256",
    b"scrypt",
    b"md5",
    b"sha1",
    b"sha256",
    b"sha512",
    b"ssha",
];

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Every word has so many letters.
const FRONT: usize = 4;
/// Which of [`WORDS`] have a byte at each of their first places, one bit for each word.
static WORDS_BY_FRONT: [[u64; 256]; FRONT] = {
    assert!(WORDS.len() <= 64, "a word is a bit");
    let mut table = [[0; 256]; FRONT];
    let mut number = 0;
    while number < WORDS.len() {
        let word = WORDS[number].as_bytes();
        let mut place = 0;
        while place < FRONT {
            table[place][word[place] as usize] |= 1 << number;
            place += 1;
        }
        number += 1;
    }
    table
};

fn has_word(lower: &[u8]) -> bool {
    let is_said = |at: usize, word: &str| {
        lower[at..].starts_with(word.as_bytes())
            && (word.len() > SHORT || word.starts_with('_') || stands_alone(lower, at, word.len()))
            && !is_collection(lower, at, word.len())
    };
    lower.windows(FRONT).enumerate().any(|(at, front)| {
        let places = WORDS_BY_FRONT.iter().zip(front);
        let mut words = places.fold(u64::MAX, |words, (table, &byte)| words & table[usize::from(byte)]);
        std::iter::from_fn(|| {
            let word = WORDS.get(words.trailing_zeros() as usize)?;
            words &= words - 1;
            Some(word)
        })
        .any(|word| is_said(at, word))
    })
}

/// `…/apiKeys/…`: the plural as a segment of a resource's path belongs to every such path.
fn is_collection(text: &[u8], at: usize, length: usize) -> bool {
    text[..at].ends_with(b"/") && matches!(text[at + length..], [b's', b'/' | b'\\', ..])
}

fn stands_alone(text: &[u8], at: usize, length: usize) -> bool {
    let free = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let repeats = text[at..at + length].windows(2).all(|pair| pair[0] == pair[1]);
    repeats || (free(at.checked_sub(1).map(|before| &text[before])) && free(text.get(at + length)))
}

/// Fewer different characters than a random value of that length ever has.
fn is_monotonous(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    value.iter().for_each(|&byte| seen[usize::from(byte)] = true);
    let distinct = seen.iter().filter(|&&seen| seen).count();
    value.len() >= 12 && distinct < 6
}

/// Every character once: the characters that an encoding uses. A random value of that length repeats some.
fn is_alphabet(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    let is_new = |&byte: &u8| !std::mem::replace(&mut seen[usize::from(byte)], true);
    let has = |kind: fn(&u8) -> bool| value.iter().any(kind);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    value.len() >= if mixed { 48 } else { 32 } && value.iter().all(is_new)
}

/// Mostly one step after another, as in `0123456789abcdef` or `1a2b3c4d`.
fn is_sequence(value: &[u8]) -> bool {
    let steps = |distance: usize| {
        value
            .windows(distance + 1)
            .filter(|window| {
                window[distance] == window[0].wrapping_add(1)
                    || (window[0] == b'9' && matches!(window[distance], b'0' | b'a'))
            })
            .count()
    };
    let pairs = value.len().saturating_sub(1);
    pairs >= 11 && (steps(1) * 10 >= pairs * 6 || steps(2) * 10 >= pairs * 8)
}

/// A short piece again and again.
fn is_repetition(value: &[u8]) -> bool {
    (1..=value.len() / 3)
        .filter(|period| *period <= 12)
        .any(|period| value.windows(period + 1).all(|window| window[0] == window[period]))
}

#[cfg(test)]
mod tests {
    use super::{is_no_password, is_placeholder};

    #[test]
    fn placeholders_are_recognised() {
        for value in [
            "your_api_key_goes_here",
            "XXXXXXXXXXXXXXXXXXXXXXXX",
            "0123456789abcdef0123456789abcdef",
            "1a2b3c4d5e6f7g8h9i0j1k2l",
            "abcabcabcabcabcabcabc",
            "YOUR-BINANCE-SECRET",
            "00000000-0000-0000-0000-000000000000",
            "AKIAIOSFODNN7EXAMPLE",
            "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        ] {
            assert!(is_placeholder(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn random_values_are_not() {
        for value in [
            "k3Jd9sLq0PzX7vBn2MwT5rYu",
            "9f8a1c0d7be24365a1b2f03c4d5e6f70",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "groups/f47ac10b-58cc-4372-a567/apiKeys/0e02b2c3d479",
        ] {
            assert!(!is_placeholder(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn references_are_no_passwords() {
        for value in [
            "${DB_PASS}",
            "projects/1/secrets/db/versions/3",
            "<password>",
            "%s",
            "{password}",
            "changeme",
            "*****",
            "$PASSWORD",
        ] {
            assert!(is_no_password(value.as_bytes()), "{value}");
        }
        for value in [
            "some_pass",
            "pass%20pass",
            "FORBIDDEN_VALUE2",
            "pbkdf2_sha256$1000$salt$hash",
            "my-secret-key",
            "test1@secret",
            "somepass",
            "2016-09-08T21:47:36Z",
        ] {
            assert!(is_no_password(value.as_bytes()), "{value}");
        }
        for value in ["Tr4d3r!2024", "hunter2", "s3cr@t", "pass%2Fk9", "WINTER2024", "sha1ny:Pa:9"] {
            assert!(!is_no_password(value.as_bytes()), "{value}");
        }
    }
}
