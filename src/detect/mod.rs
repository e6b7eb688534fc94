//! Bytes to findings; a pure function of (bytes, rules).
//!
//! Five steps: long tokens and anchors (`tokens`, `gatherer`, which makes `candidates`), the shapes that admit them
//! (`shapes`), their context (`naming`, `structure`, `evidence`, `judgement`), offline proofs (`checks`), and the parts
//! that belong together (`sets`). What is written in another form is read and judged where it stands (`decode`,
//! `reading`). The first two are local and cost memory speed; the rest is paid only by texts with a candidate.
//!
//! Must not know: files, git, the clock, the environment, threads, printing.
//! Invariants: the prefilter never loses a finding; detection is local within a stated reach. Both are property tests.

#[cfg(feature = "addresses")]
mod address;
mod candidates;
pub mod checks;
mod connection;
mod copies;
mod decode;
mod detector;
mod digest;
mod document;
mod evidence;
mod fingerprint;
mod gatherer;
mod judgement;
mod lines;
mod names;
mod naming;
mod neighbourhood;
mod neighbours;
mod numbers;
mod password;
mod pem;
mod phrase;
mod placeholder;
mod probes;
pub mod randomness;
mod reading;
mod sets;
mod shapes;
mod stretches;
mod strides;
mod structure;
mod text;
mod tokens;
mod tongue;
mod trace;
mod veto;
mod vocabulary;
mod words;

pub use detector::{Decoded, Detection, Detector, Scratch};
pub use trace::Trace;
