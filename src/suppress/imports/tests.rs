//! Files of other tools as their documentation shows them, with invented values.
//!
//! Must not know: single values; what is counted is what became of each line.

use super::{Fate, Format, Taken, import};

fn notes(taken: &Taken, fate: Fate) -> usize {
    taken.notes.iter().filter(|note| note.fate == fate).count()
}

/// The format, a file, and how many: allow entries, left-out patterns, known secrets, notes that need somebody.
type Case = (Format, &'static str, [usize; 4]);

const CASES: &[Case] = &[
    (
        Format::GitleaksConfig,
        r#"
title = "ours"
[extend]
useDefault = true
disabledRules = ["generic-api-key"]
[allowlist]
description = "global"
paths = ['''(.*?)\.lock$''', '''[a-z]+/x''']
regexes = ['''^test_''', '''(''']
stopwords = ["example", "sample"]
commits = ["0123456789"]
[[allowlists]]
condition = "AND"
paths = ["a"]
regexes = ["b"]
[[allowlists]]
regexTarget = "line"
regexes = ["c"]
[[rules]]
id = "own-token"
regex = "own_[a-z]{20}"
[[rules.allowlists]]
paths = ["z"]
"#,
        [3, 0, 0, 7],
    ),
    (
        Format::GitleaksIgnore,
        "# why\nbot/.env:generic-api-key:3\n0123456789abcdef0123456789abcdef01234567:a/b.py:aws:12\nnonsense\n",
        [0, 0, 2, 1],
    ),
    (
        Format::DetectSecrets,
        r#"{"filters_used": [
            {"path": "detect_secrets.filters.regex.should_exclude_file", "pattern": ["^vendor/"]},
            {"path": "detect_secrets.filters.regex.should_exclude_secret", "pattern": ["^fake"]},
            {"path": "detect_secrets.filters.regex.should_exclude_line", "pattern": ["x"]},
            {"path": "detect_secrets.filters.heuristic.is_sequential_string"}],
          "results": {"a.py": [
            {"type": "Secret Keyword", "hashed_secret": "a9993e364706816aba3e25717850c26c9cd0d89d", "line_number": 3},
            {"type": "Private Key", "hashed_secret": "a9993e364706816aba3e25717850c26c9cd0d89d", "line_number": 9}]}}"#,
        [2, 0, 2, 1],
    ),
    (Format::Ggshield, "secret:\n  ignored_paths: [\"a.md\\n*\", '', '#b', \"c\\rd\", e.md]\n", [0, 1, 0, 4]),
    (
        Format::KingfisherConfig,
        "filters:\n  skip_file_extensions: [\"md\\n/src/\", txt]\n  exclude: [\"a\\n*\"]\n",
        [0, 1, 0, 2],
    ),
    (Format::TrufflehogPaths, "^vendor/\n# c\n(a+)+\n", [1, 0, 0, 1]),
    (
        Format::GitSecrets,
        "allowed = AKIAIOSFODNN7EXAMPLE\nallowed = docs/.*:1\npatterns = x{20}\nproviders = cat f\n",
        [1, 0, 0, 2],
    ),
    (Format::GitAllowed, "^EXAMPLE$\na b\n", [1, 0, 0, 1]),
    (
        Format::Talisman,
        "fileignoreconfig:\n- filename: keys.txt\n  checksum: 00\n- filename: '*.snap'\nallowed_patterns: [^x]\ncustom_patterns: [y]\nthreshold: high\n",
        [1, 1, 1, 1],
    ),
    (Format::Ripsecrets, "tests/\n# c\n[secrets]\nmade-up\n", [0, 1, 1, 1]),
    (
        Format::Ggshield,
        "version: 2\nsecret:\n  ignored_paths: ['**/*.md']\n  ignored_detectors: [Generic]\n  ignored_matches:\n  - {name: a, match: made-up}\n",
        [0, 1, 1, 1],
    ),
    (Format::Ggshield, "paths-ignore: [a]\nmatches-ignore: [made-up]\n", [0, 1, 1, 0]),
    (
        Format::KingfisherConfig,
        "scan: { confidence: high }\nrules: { enabled: [all], disabled: [betterleaks.x], paths: [own/] }\n\
         filters:\n  exclude: [vendor/, '**/gen/**', '*.md', 'docs/*.md']\n  skip_words: [made-up, EXAMPLE]\n  \
         skip_regex: [^test_]\n  skip_path_prefixes: [third, ./x]\n  skip_file_extensions: [lock]\n  \
         extra_ignore_comments: [nosec]\nbaseline: { file: known.yml }\n",
        [2, 5, 0, 5],
    ),
    (
        Format::KingfisherBaseline,
        "version: 2\nfingerprint_algorithm: kingfisher-v1\nrepositories:\n- id: git://example.org/a\n  findings:\n  \
         - { path: a.py, fingerprint: '5684735876828608313', rule_id: x, line: 2 }\n  - { path: b.py }\n",
        [0, 0, 1, 1],
    ),
    (
        Format::KingfisherBaseline,
        "ExactFindings:\n  matches:\n  - { filepath: a, fingerprint: '056876f00ffd0622', linenum: 5 }\n  \
         - { filepath: b, fingerprint: 389162583612032034 }\n",
        [0, 0, 2, 0],
    ),
    (Format::KingfisherBaseline, "fingerprint_algorithm: kingfisher-v9\nrepositories: []\n", [0, 0, 0, 1]),
];

#[test]
fn files_of_other_tools_are_taken_over() {
    for (format, text, expected) in CASES {
        let taken = import(*format, text).unwrap_or_else(|error| panic!("{format:?}: {error}"));
        let counts =
            [taken.allow.len(), taken.left_out.len(), taken.known.len(), notes(&taken, Fate::NeedsYou)];
        assert_eq!(counts, *expected, "{format:?}: {:#?}", taken.notes);
        assert!(!format!("{taken:?}").contains("made-up"), "{format:?}: a value is shown");
    }
}

#[test]
fn what_is_no_file_of_a_tool_is_an_error() {
    for (format, text) in [
        (Format::GitleaksConfig, "= made-up"),
        (Format::DetectSecrets, "made-up"),
        (Format::DetectSecrets, "{}"),
        (Format::Talisman, "a: ["),
        (Format::Ggshield, "a: ["),
        (Format::KingfisherConfig, "- made-up"),
        (Format::KingfisherBaseline, "made-up"),
    ] {
        let error = import(format, text).expect_err(text);
        assert!(!error.contains("made-up"), "{error}");
    }
}
