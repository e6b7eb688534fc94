//! Trains `src/detect/trigrams.bin` and measures it. Deterministic: the same files give the same bytes.
//!
//! `train_trigrams train OUT DIR…` counts the trigrams of identifiers and words in the source files below the
//! directories, writes the table, and prints mean and sigma for each alphabet from simulated random values. One
//! directory is one package; a word counts once in each package, so that no package and no loop variable drowns the
//! rest.
//! `train_trigrams measure DIR…` prints recall on simulated values and the hits among the values of keyword
//! assignments (K) and quoted strings (A) with the table that is compiled in. Only counts are printed, never values.
//!
//! Left out of training: lock files, minified files, lines over 300 bytes, and words that look random themselves:
//! hex, and, in a second round, what the first round's model takes for random. Otherwise hashes and test vectors in
//! sources would teach the model that random is normal.

#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use keyfence::detect::randomness::{
    Alphabet, LANGUAGE, STEPS_OF_BIT, SYMBOLS, alphabet, class_balance, distinct, fold, is_random, score,
};

const EXTENSIONS: [&str; 13] =
    ["py", "rs", "js", "ts", "mjs", "jsx", "tsx", "go", "java", "c", "h", "toml", "yml"];
const LONGEST_LINE: usize = 300;
const LONGEST_WORD: usize = 60;
/// Words of this length and with a digit may be hashes and ids.
const SUSPECT_WORD: usize = 12;
/// Above this z-score in the first round's model such a word is left out of the second.
const SUSPECT_SCORE: f64 = -2.0;
/// Weight of the next lower order in the interpolation, in counts.
const BACKOFF: f64 = 4.0;
const SAMPLES: usize = 20_000;
const LENGTHS: [usize; 7] = [16, 20, 24, 32, 40, 64, 88];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((mode, [out, directories @ ..])) if mode == "train" => train(Path::new(out), directories),
        Some((mode, directories)) if mode == "measure" => measure(directories),
        _ => Err("usage: train_trigrams train OUT DIR… | train_trigrams measure DIR…".into()),
    }
}

fn train(out: &Path, packages: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let words = words(packages)?;
    println!("{} packages, {} distinct words", packages.len(), words.len());
    let first = Model::of(words.iter());
    let model = Model::of(words.iter().filter(|(word, _)| !first.suspects(word)));
    std::fs::write(out, &model.table)?;
    for (alphabet, (mean, sigma)) in Alphabet::ALL.iter().zip(model.calibration) {
        println!("({mean:.3}, {sigma:.3}), // {alphabet:?}");
    }
    Ok(())
}

/// The words of all packages and the number of packages that have each.
fn words(packages: &[String]) -> std::io::Result<BTreeMap<Vec<u8>, u64>> {
    let mut words = BTreeMap::new();
    for package in packages {
        let mut own = HashSet::new();
        for line in lines(Path::new(package))? {
            for word in line.split(|&byte| !is_word(byte)) {
                if (3..=LONGEST_WORD).contains(&word.len()) && !is_hash(word) {
                    own.insert(word.to_vec());
                }
            }
        }
        for word in own {
            *words.entry(word).or_insert(0) += 1;
        }
    }
    Ok(words)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn is_hash(word: &[u8]) -> bool {
    word.len() >= 16 && word.iter().all(u8::is_ascii_hexdigit) && has_digit(word)
}

fn has_digit(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit)
}

fn index(three: &[u8]) -> usize {
    three.iter().fold(0, |index, &byte| index * SYMBOLS + usize::from(fold(byte)))
}

/// A table with its calibration.
struct Model {
    table: Vec<u8>,
    calibration: [(f64, f64); 9],
}

impl Model {
    fn of<'a>(words: impl Iterator<Item = (&'a Vec<u8>, &'a u64)>) -> Self {
        let mut counts = vec![0u64; SYMBOLS * SYMBOLS * SYMBOLS];
        for (word, packages) in words {
            for three in word.windows(3) {
                counts[index(three)] += packages;
            }
        }
        let table = table(&counts);
        let calibration = Alphabet::ALL.map(|alphabet| calibrate(&table, alphabet));
        Self { table, calibration }
    }

    /// Whether a training word looks random to this model.
    fn suspects(&self, word: &[u8]) -> bool {
        if word.len() < SUSPECT_WORD || !has_digit(word) {
            return false;
        }
        let (mean, sigma) = self.calibration[alphabet(word) as usize];
        (surprise(&self.table, word) - mean) * ((word.len() - 2) as f64).sqrt() / sigma > SUSPECT_SCORE
    }
}

/// Interpolated probabilities as sixteenths of a bit.
fn table(counts: &[u64]) -> Vec<u8> {
    let (mut pairs, mut singles) = (vec![0u64; SYMBOLS * SYMBOLS], vec![0u64; SYMBOLS]);
    for (index, &count) in counts.iter().enumerate() {
        pairs[index % (SYMBOLS * SYMBOLS)] += count;
        singles[index % SYMBOLS] += count;
    }
    let total: u64 = singles.iter().sum();
    let before: Vec<u64> = pairs.chunks(SYMBOLS).map(|row| row.iter().sum()).collect();
    (0..counts.len())
        .map(|index| {
            let (third, second) = (index % SYMBOLS, index / SYMBOLS % SYMBOLS);
            let one = (singles[third] as f64 + 1.0) / (total as f64 + SYMBOLS as f64);
            let two =
                (pairs[second * SYMBOLS + third] as f64 + BACKOFF * one) / (before[second] as f64 + BACKOFF);
            let context: u64 = counts[index / SYMBOLS * SYMBOLS..][..SYMBOLS].iter().sum();
            let three = (counts[index] as f64 + BACKOFF * two) / (context as f64 + BACKOFF);
            (-three.log2() * f64::from(STEPS_OF_BIT)).round().clamp(0.0, 255.0) as u8
        })
        .collect()
}

/// Bits for each trigram, on average.
fn surprise(table: &[u8], value: &[u8]) -> f64 {
    let steps: f64 = value.windows(3).map(|three| f64::from(table[index(three)])).sum();
    steps / (value.len() - 2) as f64 / f64::from(STEPS_OF_BIT)
}

/// Mean of a trigram and the sigma that makes the mean of a 32-character value have unit deviation. Neighbouring
/// trigrams share characters; simulating whole values puts that dependence into sigma.
fn calibrate(table: &[u8], alphabet: Alphabet) -> (f64, f64) {
    let mut random = Random(1);
    let means: Vec<f64> =
        (0..SAMPLES).map(|_| surprise(table, &random.value(alphabet.characters(), 32))).collect();
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let variance = means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / means.len() as f64;
    (mean, (variance * 30.0).sqrt())
}

/// SplitMix64, so that every run simulates the same values.
struct Random(u64);

impl Random {
    fn value(&mut self, characters: &[u8], length: usize) -> Vec<u8> {
        (0..length).map(|_| characters[(self.next() % characters.len() as u64) as usize]).collect()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn measure(directories: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    for alphabet in Alphabet::ALL {
        for length in LENGTHS {
            print_recall(alphabet, length);
        }
    }
    let (mut assigned, mut quoted) = (BTreeSet::new(), BTreeSet::new());
    for directory in directories {
        for line in lines(Path::new(directory))? {
            collect_values(&line, &mut assigned, &mut quoted);
        }
    }
    for (name, values) in [("K", assigned), ("A", quoted)] {
        print_hits(name, &values);
    }
    Ok(())
}

fn print_recall(alphabet: Alphabet, length: usize) {
    let mut random = Random(2);
    let values: Vec<_> = (0..SAMPLES).map(|_| random.value(alphabet.characters(), length)).collect();
    let with_digit: Vec<_> = values.iter().filter(|value| has_digit(value)).collect();
    let share = |found: usize, all: usize| found as f64 / all.max(1) as f64;
    println!(
        "recall {alphabet:?} {length}: score {:.4}, is_random {:.4}, is_random with a digit {:.4}",
        share(values.iter().filter(|value| score(value) > LANGUAGE).count(), values.len()),
        share(values.iter().filter(|value| is_random(value)).count(), values.len()),
        share(with_digit.iter().filter(|value| is_random(value)).count(), with_digit.len()),
    );
}

fn print_hits(name: &str, values: &BTreeSet<Vec<u8>>) {
    let count = |accept: &dyn Fn(&[u8]) -> bool| values.iter().filter(|value| accept(value)).count();
    let random = |value: &[u8]| score(value) > LANGUAGE;
    println!(
        "{name}: {} values; score {}, with digit {}, and balance {}, and distinct {}; is_random {}",
        values.len(),
        count(&random),
        count(&|value| random(value) && has_digit(value)),
        count(&|value| random(value) && has_digit(value) && class_balance(value) > -3.2),
        count(&|value| {
            random(value) && has_digit(value) && class_balance(value) > -3.2 && distinct(value) > -4.0
        }),
        count(&is_random),
    );
}

/// Adds the quoted values of a line that are one token of 16 to 100 characters; what the engine would offer.
fn collect_values(line: &[u8], assigned: &mut BTreeSet<Vec<u8>>, quoted: &mut BTreeSet<Vec<u8>>) {
    for quote in [b'"', b'\''] {
        let mut place = 0;
        for (number, value) in line.split(|&byte| byte == quote).enumerate() {
            if number % 2 == 1 && is_token(value) && !is_hex_by_construction(value) {
                if is_keyword_assignment(&line[..place - 1]) {
                    assigned.insert(value.to_vec());
                }
                quoted.insert(value.to_vec());
            }
            place += value.len() + 1;
        }
    }
}

fn is_token(value: &[u8]) -> bool {
    (16..=100).contains(&value.len())
        && value.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+/_-=".contains(&byte))
}

/// Whether what stands before a value assigns it to a name with a key word.
fn is_keyword_assignment(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let Some(name) = before.strip_suffix(b"=").or_else(|| before.strip_suffix(b":")) else { return false };
    let end = name.iter().rposition(|byte| byte.is_ascii_alphanumeric()).map_or(0, |last| last + 1);
    let start = name[..end].iter().rposition(|&byte| !is_word(byte)).map_or(0, |last| last + 1);
    let name = name[start..end].to_ascii_lowercase();
    ["key", "secret", "token", "passw", "passphrase", "credential"]
        .iter()
        .any(|word| name.windows(word.len()).any(|part| part == word.as_bytes()))
}

/// Hex with a digit: addresses, hashes and ids, which no statistic can tell from keys.
fn is_hex_by_construction(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"0x").unwrap_or(value);
    digits.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') && has_digit(digits)
}

/// The lines of all source files below a directory.
fn lines(directory: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    collect(directory, &mut files)?;
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read(file)?;
        let lines = text.split(|&byte| byte == b'\n').filter(|line| line.len() <= LONGEST_LINE);
        all.extend(lines.map(<[u8]>::to_vec));
    }
    Ok(all)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if EXTENSIONS.contains(&&*extension) && !name.contains(".min.") && !name.contains("lock") {
            files.push(path);
        }
    }
    Ok(())
}
