//! Makers of repositories with a history.
//!
//! Must not know: what is looked for in them.
//! Invariant: the same seed makes the same contents everywhere; values are invented.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::fs;

use super::common::Repository;

/// A generator of numbers that is the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    pub fn value(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(LETTERS[self.below(LETTERS.len())])).collect()
    }

    /// A line of code, sometimes with something to find in it.
    pub fn line(&mut self) -> String {
        match self.below(12) {
            0 => format!("BINANCE_API_KEY={}", self.value(64)),
            1 => format!("BINANCE_API_SECRET={}", self.value(64)),
            2 => format!("db = \"postgres://bot:{}@db.internal:5432/x\"", self.value(12)),
            3 => format!("# commit {:040x}", self.0),
            4 => format!("    \"bybit\": {{\"apiKey\": \"{}\"}},", self.value(18)),
            _ => format!("    value_{} = compute(number, {})", self.below(90), self.below(9999)),
        }
    }
}

/// One change to one of the files of a random repository.
pub fn edit(dice: &mut Dice, files: &mut BTreeMap<String, Vec<u8>>) {
    let names: Vec<String> = files.keys().cloned().collect();
    let name = names.get(dice.below(names.len())).cloned().unwrap_or_else(|| "bot/main.py".to_owned());
    let content = files.entry(name.clone()).or_default();
    let at = dice.below(content.len() + 1);
    let end = (at + dice.below(300)).min(content.len());
    match dice.below(10) {
        0..=3 => drop(content.splice(at..at, format!("\n{}\n", dice.line()).into_bytes())),
        4 => drop(content.drain(at..end)),
        5 => {
            let copy = content[at..end].to_vec();
            let to = dice.below(content.len() + 1);
            drop(content.splice(to..to, copy));
        }
        6 => {
            let moved = files.remove(&name).unwrap_or_default();
            files.insert(format!("moved/{}/{name}", dice.below(3)), moved);
        }
        7 => {
            let text: String = (0..dice.below(200) + 1).map(|_| dice.line() + "\n").collect();
            files.insert(format!("src/part{}.env", dice.below(9)), text.into_bytes());
        }
        8 => {
            let line: String = (0..dice.below(400) + 50).map(|_| dice.line() + ";").collect();
            files.insert("dist/app.min.js".to_owned(), line.into_bytes());
        }
        _ => {
            let bytes: Vec<u8> = (0..dice.below(3000)).map(|_| dice.below(256) as u8).collect();
            files.insert("data.bin".to_owned(), bytes);
        }
    }
}

pub fn random_repository(seed: u64) -> Repository {
    let mut dice = Dice(seed);
    let repository = match seed % 4 {
        3 => Repository::with_options(&["--object-format=sha256"]),
        _ => Repository::new(),
    };
    let mut files = BTreeMap::new();
    for number in 0..12 + dice.below(10) {
        for _ in 0..dice.below(4) + 1 {
            edit(&mut dice, &mut files);
        }
        for entry in fs::read_dir(repository.path()).expect("it is there").flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with(".git") {
                fs::remove_dir_all(&path).expect("it is ours");
            } else if path.is_file() {
                fs::remove_file(&path).expect("it is ours");
            }
        }
        files.iter().for_each(|(path, bytes)| repository.write(path, bytes));
        repository.git(&["add", "-A"]);
        repository.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", &format!("commit {number}")]);
        let depth = format!("--depth={}", dice.below(30) + 1);
        match dice.below(6) {
            0 => drop(repository.git(&["repack", "-q", "-d", &depth])),
            1 => drop(repository.git(&["repack", "-q", "-a", "-d", "-f", "--window=30", &depth])),
            2 => drop(repository.git(&["checkout", "-q", "-b", &format!("branch{number}"), "HEAD"])),
            _ => {}
        }
    }
    match seed % 3 {
        0 => drop(repository.git(&["gc", "-q", "--aggressive"])),
        1 => drop(repository.git(&["multi-pack-index", "write"])),
        _ => {}
    }
    repository
}

pub fn pair(seed: u64) -> String {
    let mut dice = Dice(seed);
    format!("BINANCE_API_KEY={}\nBINANCE_API_SECRET={}\n", dice.value(64), dice.value(64))
}
