//! Trains `src/detect/trigrams.bin` and measures it. Deterministic: the same files give the same bytes.
//!
//! `train_trigrams train OUT DIR…` counts the trigrams of identifiers and words in the source files below the
//! directories, writes the table, and prints mean and sigma for each alphabet from simulated random values.
//! `train_trigrams measure DIR…` prints false positives on keyword assignments and quoted strings, and recall on
//! simulated values, at z > -2.6 with the table that is compiled in.
//!
//! Left out: lock files, minified files, lines over 300 bytes, and words that look random themselves (16 and more
//! hex characters with a digit), so that hashes in sources do not teach the model that random is normal.

#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyfence::detect::randomness::{Alphabet, STEPS_OF_BIT, SYMBOLS, fold, score};

const EXTENSIONS: [&str; 10] = ["py", "rs", "js", "ts", "go", "java", "c", "h", "toml", "yml"];
const LONGEST_LINE: usize = 300;
const LIMIT: f32 = -2.6;
/// Weight of the next lower order in the interpolation, in counts.
const BACKOFF: f64 = 4.0;
const SAMPLES: usize = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((mode, [out, directories @ ..])) if mode == "train" => train(Path::new(out), directories),
        Some((mode, directories)) if mode == "measure" => measure(directories),
        _ => Err("usage: train_trigrams train OUT DIR… | train_trigrams measure DIR…".into()),
    }
}

fn train(out: &Path, directories: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let mut counts = vec![0u64; SYMBOLS * SYMBOLS * SYMBOLS];
    let mut words = 0u64;
    for line in lines(directories)? {
        for word in line.split(|&byte| !is_word(byte)).filter(|word| word.len() >= 3 && !looks_random(word)) {
            words += 1;
            for three in word.windows(3) {
                counts[index(three)] += 1;
            }
        }
    }
    let table = table(&counts);
    std::fs::write(out, &table)?;
    println!("{words} words");
    for alphabet in Alphabet::ALL {
        let (mean, sigma) = calibrate(&table, alphabet);
        println!("({mean:.3}, {sigma:.3}), // {alphabet:?}");
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn looks_random(word: &[u8]) -> bool {
    let is_hex = word.iter().all(u8::is_ascii_hexdigit) && word.iter().any(u8::is_ascii_digit);
    word.len() > 60 || (word.len() >= 16 && is_hex)
}

fn index(three: &[u8]) -> usize {
    three.iter().fold(0, |index, &byte| index * SYMBOLS + usize::from(fold(byte)))
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

/// Mean of a trigram and the sigma that makes the mean of a 32-character value have unit deviation.
fn calibrate(table: &[u8], alphabet: Alphabet) -> (f64, f64) {
    let mut random = Random(1);
    let means: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let value = random.value(alphabet.characters(), 32);
            value.windows(3).map(|three| f64::from(table[index(three)])).sum::<f64>()
                / 30.0
                / f64::from(STEPS_OF_BIT)
        })
        .collect();
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
    let mut random = Random(2);
    for alphabet in Alphabet::ALL {
        for length in [16, 20, 32, 40, 64, 88] {
            let kept =
                (0..SAMPLES).filter(|_| score(&random.value(alphabet.characters(), length)) > LIMIT).count();
            println!("recall {alphabet:?} {length}: {:.4}", kept as f64 / SAMPLES as f64);
        }
    }
    let (mut assigned, mut quoted) = (BTreeSet::new(), BTreeSet::new());
    for line in lines(directories)? {
        let has_keyword = ["key", "secret", "token", "passw"]
            .iter()
            .any(|word| line.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes())));
        for quote in [b'"', b'\''] {
            for value in line.split(|&byte| byte == quote).skip(1).step_by(2) {
                let is_value =
                    (16..=100).contains(&value.len()) && value.iter().all(|byte| byte.is_ascii_graphic());
                if !is_value || is_random_by_construction(value) {
                    continue;
                }
                if has_keyword {
                    assigned.insert(value.to_vec());
                }
                quoted.insert(value.to_vec());
            }
        }
    }
    for (name, values) in [("K", assigned), ("A", quoted)] {
        let kept = values.iter().filter(|value| score(value) > LIMIT).count();
        println!("{name}: {kept} of {} = {:.4}", values.len(), kept as f64 / values.len().max(1) as f64);
    }
    Ok(())
}

/// Hex with a digit: addresses, hashes and ids, which no statistic can tell from keys.
fn is_random_by_construction(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"0x").unwrap_or(value);
    digits.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
        && digits.iter().any(u8::is_ascii_digit)
}

/// The lines of all source files, in the order of their paths.
fn lines(directories: &[String]) -> std::io::Result<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for directory in directories {
        collect(Path::new(directory), &mut files)?;
    }
    files.sort();
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
