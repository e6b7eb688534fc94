//! What the tests of rules work with: the packs, the detector, the fixtures, and values that belong together.
//!
//! Must not know single providers.

use std::path::{Path, PathBuf};

use keyfence::detect::{Detector, Scratch};
use keyfence::model::{Chunk, Confidence, FilePath, Finding, Provenance};
use keyfence::rules::format::{Pack, PartSpec, SEAM};

/// A detector with everything it needs.
pub struct Desk {
    detector: Detector,
    scratch: Scratch,
}

impl Default for Desk {
    fn default() -> Self {
        Self { detector: Detector::builtin(), scratch: Scratch::default() }
    }
}

impl Desk {
    /// The findings in a text that is the content of `path`.
    pub fn findings(&mut self, path: &str, text: &str) -> Vec<Finding> {
        let provenance = Provenance::file(FilePath::from_bytes(path));
        self.detector.detect(&Chunk::whole(text.as_bytes(), &provenance), &mut self.scratch).findings
    }

    /// The ids of the rules that fire, for messages.
    pub fn rules(&mut self, path: &str, text: &str) -> Vec<String> {
        self.findings(path, text).into_iter().map(|finding| finding.rule).collect()
    }

    /// The values that a rule finds in its own examples, with the path and the text they stand in.
    pub fn values_of(&mut self, part: &PartSpec) -> Vec<(String, String, String)> {
        let mut values = Vec::new();
        for example in &part.matches {
            let (path, text) = example.open();
            for finding in self.findings(&path, &text).into_iter().filter(|finding| finding.rule == part.id) {
                let value = String::from_utf8_lossy(finding.secret.expose()).into_owned();
                values.push((path.clone(), text.clone(), value));
            }
        }
        values
    }
}

/// Whether somebody would be told of it by default.
pub fn believed(finding: &Finding) -> bool {
    finding.verdict.is_open() && finding.confidence >= Confidence::Likely
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the folder can be read") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// All packs with their paths, in the order of the build.
pub fn packs() -> Vec<(PathBuf, Pack)> {
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a pack is UTF-8");
        let pack = Pack::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, pack)
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let packs: Vec<_> = files(&root)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(read)
        .collect();
    assert!(packs.len() >= 20, "the packs were not found");
    packs
}

/// The files of a folder of fixtures: path within it, and text without seams.
pub fn fixtures(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    files(&root)
        .into_iter()
        .map(|path| {
            let text = std::fs::read(&path).expect("a fixture can be read");
            let name = path.strip_prefix(&root).expect("it was found there").display().to_string();
            (name, String::from_utf8_lossy(&text).replace(SEAM, ""))
        })
        .collect()
}

/// One value and what it is called.
#[derive(Clone)]
pub struct Named {
    /// The rule that must find it.
    pub rule: String,
    /// The words of its name: `["api", "key"]`.
    pub words: Vec<String>,
    /// The header that carries it.
    pub header: Option<String>,
    /// The value.
    pub value: String,
}

/// Values that are written down together.
pub struct Spot {
    /// The parts in the order of their set, identifier first.
    pub parts: Vec<Named>,
}

impl Spot {
    /// Every credential of a pack that consists of tokens: complete sets, and parts that are in no set.
    pub fn all(desk: &mut Desk, pack: &Pack) -> Vec<Self> {
        let is_token = |part: &PartSpec| part.shape.is_some();
        let may_stand_along = |part: &PartSpec| is_token(part) || !part.chosen.is_empty();
        let find = |name: &String| pack.parts.iter().find(|part| part.part == *name);
        let mut groups: Vec<Vec<&PartSpec>> =
            pack.sets.iter().filter_map(|set| set.parts.iter().map(find).collect()).collect();
        groups.extend(
            pack.parts
                .iter()
                .filter(|part| !pack.sets.iter().any(|set| set.parts.contains(&part.part)))
                .map(|part| vec![part]),
        );
        groups
            .into_iter()
            .filter(|group| {
                group.iter().all(|part| may_stand_along(part)) && group.iter().any(|part| is_token(part))
            })
            .flat_map(|group| Self::of(desk, pack, &group))
            .collect()
    }

    fn of(desk: &mut Desk, pack: &Pack, group: &[&PartSpec]) -> Vec<Self> {
        let columns: Vec<Vec<Named>> = group
            .iter()
            .map(|part| {
                let named = |value| Named {
                    rule: part.id.clone(),
                    words: part.names[0].split(' ').map(str::to_owned).collect(),
                    header: header_of(pack, &part.part),
                    value,
                };
                desk.values_of(part).into_iter().map(|(_, _, value)| named(value)).collect()
            })
            .collect();
        let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
        (0..rows)
            .map(|row| Self { parts: columns.iter().map(|column| column[row].clone()).collect() })
            .collect()
    }

    /// Every rule and the value it must find.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.iter().map(|part| (part.rule.as_str(), part.value.as_str()))
    }
}

fn header_of(pack: &Pack, part: &str) -> Option<String> {
    pack.headers.iter().find(|(_, carried)| *carried == part).map(|(header, _)| header.clone())
}
