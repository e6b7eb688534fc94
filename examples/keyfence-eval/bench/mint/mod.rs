//! An invented value for a rule: of its shape, with every checksum right.
//!
//! Must not know: where the value will stand.
//! Invariant: what is handed out has one of the rule's shapes, its classes, and passes its checks as the crate runs them.

mod armour;
mod codex;
mod encoded;
mod phrase;
mod shape;
mod tokens;

use data_encoding::BASE64;
use ed25519_dalek::SigningKey;
use keyfence::detect::checks::{Check, run};
use keyfence::model::Role;
use keyfence::rules::{Kind, Rule, SetRule, Text};

use super::random::Random;

pub use encoded::base58check;

/// A check of one in 2^14 is passed by chance well within this.
const ATTEMPTS: usize = 60_000;

/// A value of a rule; `None` when no way to make one is known, which the corpus reports.
pub fn value(rule: &Rule, random: &mut Random) -> Option<String> {
    match &rule.kind {
        Kind::Shape(shapes) | Kind::Anchored(_, shapes) => shaped(rule, shapes, random),
        Kind::Pem(kinds) => Some(armour::block(*random.pick(kinds), random)),
        Kind::Mnemonic(lengths) => phrase::phrase(rule.checks.first()?, *random.pick(lengths), random),
        Kind::Numbers(64) => Some(numbers(random)),
        Kind::Numbers(_) => None,
        Kind::Connection(schemes) => Some(connection(random.pick::<Text>(schemes), random)),
        Kind::Chosen(shortest, longest) | Kind::Password(shortest, longest) => {
            Some(chosen(rule, usize::from(*shortest), usize::from(*longest), random))
        }
        Kind::Random(shortest, longest) => {
            let length = random.between(usize::from(*shortest).max(24), usize::from(*longest).min(72));
            let alphabet = *random.pick::<&[u8]>(&[shape::HEX, shape::BASE62, shape::BASE64URL]);
            // Programs print whole bytes, and a round number of them.
            let length = if alphabet == shape::HEX { (length / 8 * 8).max(24) } else { length };
            Some(random.text(alphabet, length))
        }
    }
}

/// The values of a set's first two parts, public and secret, between which its proof holds.
pub fn pair(set: &SetRule, random: &mut Random) -> Option<[String; 2]> {
    let key = SigningKey::from_bytes(&random.array());
    (set.proof.as_deref() == Some("ed25519-seed"))
        .then(|| [BASE64.encode(key.verifying_key().as_bytes()), BASE64.encode(key.as_bytes())])
}

fn shaped(rule: &Rule, shapes: &[keyfence::rules::Shape], random: &mut Random) -> Option<String> {
    let checks: Vec<Check> = rule.checks.iter().map(|name| Check::parse(name)).collect::<Option<_>>()?;
    let wanted: Vec<usize> = shape::lengths(shapes);
    (0..ATTEMPTS).find_map(|_| {
        let plain = shape::fill(random.pick(shapes), random);
        let value = match rule.checks.first() {
            Some(check) => proven(check, &plain, &wanted, random).unwrap_or(plain),
            None => plain,
        };
        let fits = shape::matches(shapes, value.as_bytes())
            && keyfence::rules::Classes::of(value.as_bytes()).contains(rule.require)
            && checks.iter().all(|&check| run(check, value.as_bytes()));
        fits.then_some(value)
    })
}

/// A value that passes `check` where chance would take too long, made from `plain`, which has the shape.
fn proven(check: &str, plain: &str, lengths: &[usize], random: &mut Random) -> Option<String> {
    let (name, numbers) = check.split_once(':').unwrap_or((check, ""));
    if name == "mixed-hex" {
        return Some(random.text(b"0123456789abcdefABCDEF", plain.len()));
    }
    encoded::proven(name, numbers, plain, random)
        .or_else(|| tokens::proven(name, numbers, plain, lengths, random))
        .or_else(|| codex::proven(name, plain))
        .or_else(|| armour::proven(name, random))
}

fn numbers(random: &mut Random) -> String {
    let pair = encoded::ed25519_pair(random);
    let separator = *random.pick(&[",", ", "]);
    format!("[{}]", pair.map(|byte| byte.to_string()).join(separator))
}

fn connection(scheme: &str, random: &mut Random) -> String {
    let user = random.pick(&["app", "trader", "postgres", "svc_bot", "admin", "candles"]);
    let password = password(random, 12, 24);
    let host =
        random.pick(&["db.grid-bot.internal", "10.20.4.17", "pg-1.eu.candlehouse.io", "queue.deskops.net"]);
    let tail = random.pick(&[":5432/trading", ":6379/0", "/orders", ":8333", ""]);
    if scheme == "lndhub" {
        let (login, key) = (random.text(shape::HEX, 20), random.text(shape::HEX, 40));
        return format!("lndhub://{login}:{key}@https://hub.satsdesk.io");
    }
    format!("{scheme}://{user}:{password}@{host}{tail}")
}

/// What a person types: words with something between and behind.
fn chosen(rule: &Rule, shortest: usize, longest: usize, random: &mut Random) -> String {
    if rule.role == Role::Identifier {
        let length = random.between(shortest, longest.min(shortest + 4));
        let digits = rule.require.0 == keyfence::rules::Classes::DIGIT;
        return random.text(if digits { b"0123456789" } else { shape::BASE36 }, length);
    }
    password(random, shortest.max(9), longest.min(28))
}

fn password(random: &mut Random, shortest: usize, longest: usize) -> String {
    const WORDS: &[&str] = &[
        "Quarry", "lantern", "Mosaic", "pepper", "Tundra", "violin", "Harbour", "marble", "Cobalt",
        "thistle", "Osprey", "ginger",
    ];
    if random.one_in(2) {
        let length = random.between(shortest.max(14).min(longest), longest.min(24));
        return random.text(shape::BASE62, length);
    }
    let joint = *random.pick(&["-", "_", "!", ".", ""]);
    let mut text = random.pick(WORDS).to_string();
    while text.len() + 3 < shortest {
        text += &format!("{joint}{}", random.pick(WORDS));
    }
    text.truncate(longest.saturating_sub(3));
    format!("{text}{}", random.below(900) + 100)
}
