//! What is written in another encoding: base64 and hexadecimal of text, as Kubernetes secrets and wrapped files have it.
//!
//! An encoded run is a candidate of its own (`runs`): its first bytes tell. Judgement then sees the text with the runs
//! replaced by what they hold (`splice`), so that names, neighbours and sections around them speak as they do for
//! plain values, and everything found inside is told where the run stands.
//!
//! Must not know: rules, names, files.
//! Invariant: what is decoded is bounded in size and depth, and no span leaves this room but that of the run itself.

mod runs;
mod splice;

pub(crate) use runs::{REACH, encoded};
pub(crate) use splice::{Layers, Splice};
