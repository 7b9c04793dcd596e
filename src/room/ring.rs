//! The newest events as frames, for those who come back after a short while.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::limit;

/// The newest events as frames.
#[derive(Default)]
pub(super) struct Ring {
    frames: VecDeque<(u64, Arc<str>)>,
    bytes: usize,
}

impl Ring {
    /// Takes the next event.
    pub(super) fn push(&mut self, seq: u64, frame: Arc<str>) {
        self.bytes += frame.len();
        self.frames.push_back((seq, frame));
        while self.frames.len() > limit::RING_EVENTS || self.bytes > limit::RING_BYTES_MAX {
            match self.frames.pop_front() {
                Some((_, frame)) => self.bytes -= frame.len(),
                None => return,
            }
        }
    }

    /// The frames after a place up to the head, if all of them are here.
    pub(super) fn after(&self, seq: u64, head: u64) -> Option<Vec<(u64, Arc<str>)>> {
        let first = self.frames.front()?.0;
        if seq >= head || first > seq + 1 {
            return None;
        }
        Some(self.frames.iter().filter(|(at, _)| *at > seq).cloned().collect())
    }
}
