//! What is on its way to a connection: a queue of bounded size between the room and the socket.
//!
//! Three kinds of frames go through it. Events may not get lost, so a full queue refuses them and
//! the room feeds the connection from the store instead. Answers to the connection's own frames may
//! use a reserve beyond that. Ephemeral frames give way to both, and where the reader is behind a
//! newer one takes the place of an older one on the same subject: a slow reader costs the same
//! memory for ever.
//!
//! **Invariant:** frames that are taken out are in the order in which they were put in.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::id::{PersonId, QuestionId};
use crate::domain::limit;

/// What goes to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text frame.
    Frame(Arc<str>),
    /// The last frame, if any, and the close code.
    Close(Option<Arc<str>>, u16),
}

/// What an ephemeral frame is about; a newer one on the same subject makes an older one useless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What somebody is saying.
    Partial(PersonId),
    /// The signals of what the reader itself is saying.
    Meters(Option<QuestionId>),
    /// Who is here.
    Presence,
    /// Each counts for itself: a hint, a signal from browser to browser.
    Single,
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The reader has to take something first.
    Full,
    /// The reader is gone, or has been told goodbye.
    Closed,
}

/// The room's end.
#[derive(Debug)]
pub struct Outbox(Arc<Shared>);

/// The socket's end.
#[derive(Debug)]
pub struct WayOut(Arc<Shared>);

/// Both ends.
pub fn outbox() -> (Outbox, WayOut) {
    let shared = Arc::new(Shared::default());
    (Outbox(shared.clone()), WayOut(shared))
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something came, or the last sender is gone.
    came: Notify,
    /// Something was taken.
    taken: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    ephemeral: Ephemeral,
    /// Senders besides the first.
    more_senders: usize,
    /// No sender is left.
    abandoned: bool,
    /// Nothing more is taken in.
    closed: bool,
}

/// The part of the queue that may go.
#[derive(Debug, Default)]
struct Ephemeral {
    frames: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    what: Outgoing,
    /// `None`: it may not get lost.
    subject: Option<Subject>,
}

impl Outbox {
    /// Puts in what a connection hears first, however large it is: nothing can stand in its place.
    pub fn greet(&self, frame: Arc<str>) {
        // Only a reader that is gone does not get it.
        let _ = self.put(frame, usize::MAX, usize::MAX);
    }

    /// Puts in a frame that may not get lost, if there is room for it.
    pub fn event(&self, frame: Arc<str>) -> Result<(), NotTaken> {
        self.put(frame, limit::OUTBOX_FRAMES_MAX, limit::OUTBOX_BYTES_MAX)
    }

    /// Puts in an answer to one of the connection's own frames, from the reserve if need be.
    pub fn answer(&self, frame: Arc<str>) -> Result<(), NotTaken> {
        let frames = limit::OUTBOX_FRAMES_MAX + limit::OUTBOX_ANSWERS_MAX;
        self.put(frame, frames, 2 * limit::OUTBOX_BYTES_MAX)
    }

    /// Puts in a frame that may not get lost as soon as there is room for it.
    pub async fn event_when_room(&self, frame: Arc<str>) -> Result<(), NotTaken> {
        loop {
            let taken = self.0.taken.notified();
            match self.event(frame.clone()) {
                Err(NotTaken::Full) => taken.await,
                done => return done,
            }
        }
    }

    /// Puts in a frame that may get lost.
    pub fn ephemeral(&self, subject: Subject, frame: Arc<str>) {
        let mut queue = self.0.open();
        if queue.closed || frame.len() > limit::OUTBOX_EPHEMERAL_BYTES_MAX {
            return;
        }
        // A reader that keeps up gets every one of them.
        if queue.waiting.len() >= limit::OUTBOX_BEHIND_FRAMES {
            queue.forget(subject);
        }
        while queue.ephemeral.frames >= limit::OUTBOX_EPHEMERAL_MAX
            || queue.ephemeral.bytes + frame.len() > limit::OUTBOX_EPHEMERAL_BYTES_MAX
        {
            queue.drop_oldest_ephemeral();
        }
        queue.ephemeral.frames += 1;
        queue.ephemeral.bytes += frame.len();
        queue.push(Waiting { what: Outgoing::Frame(frame), subject: Some(subject) });
        drop(queue);
        self.0.came.notify_one();
    }

    /// Says goodbye: nothing is taken in after it, and there is always room for it.
    pub fn close(&self, goodbye: Outgoing) {
        let mut queue = self.0.open();
        if queue.closed {
            return;
        }
        queue.closed = true;
        queue.push(Waiting { what: goodbye, subject: None });
        drop(queue);
        self.0.came.notify_one();
        self.0.taken.notify_waiters();
    }

    fn put(&self, frame: Arc<str>, frames: usize, bytes: usize) -> Result<(), NotTaken> {
        let mut queue = self.0.open();
        if queue.closed {
            return Err(NotTaken::Closed);
        }
        // A single frame may be larger than all the room there is: a welcome to a room of five
        // hundred.
        let fits = |queue: &Queue| {
            queue.waiting.is_empty()
                || (queue.waiting.len() < frames && queue.bytes + frame.len() <= bytes)
        };
        while !fits(&queue) && queue.ephemeral.frames > 0 {
            queue.drop_oldest_ephemeral();
        }
        if !fits(&queue) {
            return Err(NotTaken::Full);
        }
        queue.push(Waiting { what: Outgoing::Frame(frame), subject: None });
        drop(queue);
        self.0.came.notify_one();
        Ok(())
    }
}

impl Clone for Outbox {
    fn clone(&self) -> Outbox {
        self.0.open().more_senders += 1;
        Outbox(self.0.clone())
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let mut queue = self.0.open();
        match queue.more_senders.checked_sub(1) {
            Some(senders) => queue.more_senders = senders,
            None => {
                queue.abandoned = true;
                drop(queue);
                self.0.came.notify_one();
            }
        }
    }
}

impl WayOut {
    /// Takes what waits, waiting for something to come; false when nothing can come any more.
    pub async fn take(&mut self, batch: &mut Vec<Outgoing>, frames_max: usize) -> bool {
        loop {
            let came = self.0.came.notified();
            let ended = {
                let mut queue = self.0.open();
                let frames = queue.waiting.len().min(frames_max);
                for _ in 0..frames {
                    batch.extend(queue.pop());
                }
                if queue.waiting.is_empty() && queue.waiting.capacity() > QUEUE_KEPT {
                    queue.waiting = VecDeque::new();
                }
                queue.abandoned
            };
            if !batch.is_empty() {
                self.0.taken.notify_waiters();
                return true;
            }
            if ended {
                return false;
            }
            came.await;
        }
    }
}

/// Places that an idle connection keeps: most never have more frames under way.
const QUEUE_KEPT: usize = 16;

impl Drop for WayOut {
    fn drop(&mut self) {
        let mut queue = self.0.open();
        queue.closed = true;
        queue.waiting = VecDeque::new();
        drop(queue);
        self.0.taken.notify_waiters();
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.what.bytes();
        self.waiting.push_back(waiting);
    }

    fn pop(&mut self) -> Option<Outgoing> {
        let waiting = self.waiting.pop_front()?;
        self.count_out(&waiting);
        Some(waiting.what)
    }

    /// Takes out the oldest frame on a subject.
    fn forget(&mut self, subject: Subject) {
        if self.ephemeral.frames > 0 && subject != Subject::Single {
            self.remove_first(|waiting| waiting.subject == Some(subject));
        }
    }

    fn drop_oldest_ephemeral(&mut self) {
        self.remove_first(|waiting| waiting.subject.is_some());
    }

    fn remove_first(&mut self, which: impl Fn(&Waiting) -> bool) {
        if let Some(place) = self.waiting.iter().position(which)
            && let Some(waiting) = self.waiting.remove(place)
        {
            self.count_out(&waiting);
        }
    }

    fn count_out(&mut self, waiting: &Waiting) {
        let bytes = waiting.what.bytes();
        self.bytes -= bytes;
        if waiting.subject.is_some() {
            self.ephemeral.frames -= 1;
            self.ephemeral.bytes -= bytes;
        }
    }
}

impl Outgoing {
    fn bytes(&self) -> usize {
        match self {
            Outgoing::Frame(text) => text.len(),
            Outgoing::Close(text, _) => text.as_ref().map_or(0, |text| text.len()),
        }
    }
}

#[cfg(test)]
mod tests;
