//! Ctrl-C, and whatever else asks a program to end: the scan ends with what it has found; if it does not end within a
//! second, the program does.
//!
//! Must not know: what is being done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::failure::{Ending, tell};
use crate::source::can_start_thread;

/// How long a scan may take to end by itself. Reading from a terminal or a slow disk cannot be woken up.
const PATIENCE: Duration = Duration::from_millis(800);

/// Whether the person asked to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    asked: Arc<AtomicBool>,
    scan_ended: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens from now on. Without the listener (another one exists, or its thread cannot be started) Ctrl-C ends the
    /// program at once, as always.
    pub(crate) fn listen() -> Self {
        let interrupt = Self::default();
        let listener = interrupt.clone();
        // Asked first: a listener without its thread would swallow every Ctrl-C.
        if can_start_thread() {
            let _ = ctrlc::set_handler(move || listener.heard());
        }
        interrupt
    }

    /// From now on the first one to ask is heard, and what is being done is done to its end: what is half written would be
    /// left lying about. Where a scan listens already, nothing changes.
    pub(crate) fn hold() {
        Self::listen().scan_ended();
    }

    /// The flag that sources look at.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// The scan is over: what follows (writing the report) is not cut off by the first Ctrl-C.
    pub(crate) fn scan_ended(&self) {
        self.scan_ended.store(true, Ordering::Relaxed);
    }

    fn heard(&self) {
        if self.asked.swap(true, Ordering::Relaxed) {
            leave();
        }
        let waiting = self.clone();
        if std::thread::Builder::new().spawn(move || waiting.lose_patience()).is_err() {
            // A second Ctrl-C is heard late then.
            self.lose_patience();
        }
    }

    fn lose_patience(&self) {
        std::thread::sleep(PATIENCE);
        if !self.scan_ended.load(Ordering::Relaxed) {
            leave();
        }
    }
}

fn leave() -> ! {
    tell("error: interrupted; nothing can be said about what was not scanned\n");
    std::process::exit(i32::from(Ending::Interrupted.code()))
}
