//! Which wallets the reported keys open, so that people see at once whether it is theirs and what is in it.
//!
//! Must not know: keys, curves, formats.
//! Invariant: nothing is asked where nothing is reported, and of a report of any length a bounded number of values.

use std::collections::HashMap;

use crate::detect::Detector;
use crate::model::{Finding, Fingerprint, Report};

/// How many values are asked for. A phrase takes milliseconds; whoever plants thousands shall not keep a hook waiting.
const MOST: usize = 256;

/// Adds to the evidence of what is open which address it opens.
pub(super) fn tell_addresses(report: &mut Report, detector: &Detector) {
    let mut known: HashMap<(String, Fingerprint), Vec<String>> = HashMap::new();
    let mut asked = 0;
    for finding in report.findings.iter_mut().filter(|finding| finding.verdict.is_open()) {
        let key = (finding.rule.clone(), finding.fingerprint.clone());
        if !known.contains_key(&key) && asked == MOST {
            continue;
        }
        let addresses = known.entry(key).or_insert_with(|| detector.addresses(finding));
        // What opens none costs nothing.
        asked += usize::from(!addresses.is_empty());
        tell(finding, addresses);
    }
}

fn tell(finding: &mut Finding, addresses: &[String]) {
    finding.evidence.context.extend(addresses.iter().cloned());
}
