//! The hub: which rooms are in memory, and the way to each.
//!
//! A room's loop is started by the first who wants in and ends a while after the last has left. The
//! hub listens to what the log applies and tells the rooms that are here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use crate::auth::ticket::Holder;
use crate::cluster::{self, Replica};
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::event::{Event, Happening};
use crate::domain::id::{ConnectionId, InterviewId, PersonId, SessionId};
use crate::domain::limit;
use crate::insight::Engine;
use crate::store::query;
use crate::store::state::Applied;
use crate::telemetry::metrics::Metrics;

use super::answer::Analyst;
use super::gate::{Gate, SharedRate};
use super::member::{closing, come_back_ms};
use super::outbox::{Outbox, Outgoing};
use super::protocol::{Bye, ClientFrame};
use super::task::{Input, Join, Task};

pub use super::task::Parting;

/// The rooms of this node.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

/// Somebody's place in a room.
pub struct Seat {
    connection: ConnectionId,
    room: mpsc::Sender<Input>,
    outbox: Outbox,
    rate: SharedRate,
    per_second: u32,
}

/// What an admin can set for rooms.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Frames a second that one socket may send.
    pub frames_per_second: u32,
}

struct Inner {
    rules: Rules,
    analyst: Analyst,
    rooms: Mutex<HashMap<InterviewId, Door>>,
    on_finished: OnceLock<OnFinished>,
}

/// Told of each interview that was finished; it must not wait.
pub type OnFinished = Box<dyn Fn(InterviewId) + Send + Sync>;

#[derive(Clone)]
struct Door {
    inputs: mpsc::Sender<Input>,
    commits: mpsc::Sender<Arc<Vec<Event>>>,
}

/// Commits that wait for one room. A room that falls behind them reads the store instead.
const COMMITS_WAITING_MAX: usize = 256;

/// How often a join may meet a room that is just leaving memory.
const JOIN_TRIES: usize = 5;

impl Hub {
    /// A hub that hears of everything that is applied from now on.
    pub fn new(analyst: Analyst, rules: Rules) -> Hub {
        let hub = Hub {
            inner: Arc::new(Inner {
                rules,
                analyst,
                rooms: Mutex::default(),
                on_finished: OnceLock::new(),
            }),
        };
        let rooms = Arc::downgrade(&hub.inner);
        hub.replica().on_applied(Box::new(move |envelope, applied| {
            if let Some(inner) = rooms.upgrade() {
                Hub { inner }.applied(envelope, applied);
            }
        }));
        hub
    }

    /// Lets somebody in; `None` if the room said goodbye on the way out, or does not exist. Whoever
    /// calls has made sure that the state is up to date.
    pub async fn join(&self, holder: Holder, after: Option<u64>, outbox: Outbox) -> Option<Seat> {
        for _ in 0..JOIN_TRIES {
            // Only the leader has rooms: two nodes would have the same room in two halves.
            if self.replica().seat() != cluster::Seat::Here {
                outbox.close(closing(Bye::LeaderChanged, Some(come_back_ms())));
                return None;
            }
            let room = self.door(holder.interview).inputs;
            let (joined, answer) = oneshot::channel();
            let join = Join { holder, after, outbox: outbox.clone(), joined };
            if room.send(Input::Join(join)).await.is_err() {
                continue;
            }
            match answer.await {
                Ok(Some((connection, rate))) => {
                    let per_second = self.inner.rules.frames_per_second;
                    return Some(Seat { connection, room, outbox, rate, per_second });
                }
                Ok(None) => return None,
                // The loop ended between the two; the next try starts another one.
                Err(_) => continue,
            }
        }
        None
    }

    /// Names who is told of finished interviews; only the first one is.
    pub fn on_finished(&self, tell: OnFinished) {
        let _ = self.inner.on_finished.set(tell);
    }

    /// How many rooms are in memory.
    pub fn rooms(&self) -> usize {
        self.open().len()
    }

    /// Says goodbye to everybody, because the node stops.
    pub async fn drain(&self) {
        let doors: Vec<Door> = self.open().values().cloned().collect();
        for door in doors {
            let _ = door.inputs.send(Input::Drain).await;
        }
    }

    pub(super) fn rules(&self) -> Rules {
        self.inner.rules
    }

    pub(super) fn replica(&self) -> &Replica {
        &self.inner.analyst.replica
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.inner.analyst.engine
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.inner.analyst.metrics
    }

    pub(super) fn analyst(&self) -> &Analyst {
        &self.inner.analyst
    }

    /// Takes a room out of memory, unless it was replaced or somebody is on the way in.
    pub(super) fn retire(&self, interview: InterviewId, mailbox: &mpsc::Sender<Input>) -> bool {
        let mut rooms = self.open();
        let ours = rooms.get(&interview).is_some_and(|door| door.inputs.same_channel(mailbox));
        if ours {
            if mailbox.capacity() < mailbox.max_capacity() {
                return false;
            }
            rooms.remove(&interview);
            self.metrics().rooms.set(rooms.len() as i64);
        }
        true
    }

    fn door(&self, interview: InterviewId) -> Door {
        let mut rooms = self.open();
        if let Some(door) = rooms.get(&interview)
            && !door.inputs.is_closed()
        {
            return door.clone();
        }
        let (inputs, received) = mpsc::channel(limit::MAILBOX_INPUTS_MAX);
        let (commits, told) = mpsc::channel(COMMITS_WAITING_MAX);
        let door = Door { inputs: inputs.clone(), commits };
        rooms.insert(interview, door.clone());
        self.metrics().rooms.set(rooms.len() as i64);
        let hub = self.clone();
        tokio::spawn(async move {
            match Task::load(hub.clone(), interview, received, inputs.clone(), told).await {
                Ok(Some(task)) => task.run().await,
                Ok(None) => {}
                Err(fault) => tracing::error!(%fault, %interview, "a room could not be loaded"),
            }
            hub.forget(interview, &inputs);
        });
        door
    }

    /// Drops the entry of a loop that has ended.
    fn forget(&self, interview: InterviewId, mailbox: &mpsc::Sender<Input>) {
        let mut rooms = self.open();
        if rooms.get(&interview).is_some_and(|door| door.inputs.same_channel(mailbox)) {
            rooms.remove(&interview);
            self.metrics().rooms.set(rooms.len() as i64);
        }
    }

    /// Called by the log for every command, in order; it must not wait.
    fn applied(&self, envelope: &Envelope, applied: &Applied) {
        if let Some((interview, events)) = &applied.events {
            for event in events {
                self.metrics().event(event.what.kind());
                if let (Happening::Finished {}, Some(tell)) =
                    (&event.what, self.inner.on_finished.get())
                    && self.replica().seat() == cluster::Seat::Here
                {
                    tell(*interview);
                }
            }
            let door = self.open().get(interview).cloned();
            if let Some(door) = door {
                // If it is full the room will see the gap and read the store.
                let _ = door.commits.try_send(Arc::new(events.clone()));
            }
        }
        let refused = matches!(applied.outcome, None | Some(Outcome::Refused { .. }));
        if refused {
            return;
        }
        match &envelope.command {
            Command::CloseSession { session } => self.end_session(*session),
            Command::RefreshSession { session, .. } if applied.outcome == Some(Outcome::Done) => {
                self.end_session(*session);
            }
            Command::ChangePerson { person, disabled: Some(true), .. } => {
                self.end_person(*person, None);
            }
            Command::SetContext { person, context } => {
                let (person, intensity) = (*person, context.assist_intensity);
                self.tell_all(|| Input::Assist(person, intensity));
            }
            Command::Consent { interview, person, given, .. } => {
                let door = self.open().get(interview).cloned();
                if let Some(door) = door {
                    tell(door.inputs, Input::Consent(*person, *given));
                }
            }
            Command::Erase { person, .. } => self.look_again(Some(*person)),
            Command::Expire { .. } => self.look_again(None),
            Command::ChangePassword { person, keep, .. } => self.end_person(*person, *keep),
            // A new password ends every older login.
            Command::AcceptInvite { person, session, .. } => {
                self.end_person(*person, Some(session.id));
            }
            _ => {}
        }
    }

    /// Something was erased: each room here is compared with its rows. Who has gone is told before,
    /// in one go, so that they hear that their login has ended and not that somebody removed them.
    fn look_again(&self, gone: Option<PersonId>) {
        for (interview, door) in self.open().iter() {
            let (interview, inputs) = (*interview, door.inputs.clone());
            let replica = self.replica().clone();
            tokio::spawn(async move {
                if let Some(person) = gone {
                    let _ = inputs.send(Input::PersonGone(person, None)).await;
                }
                let read = move |db: &query::Connection| query::room::load(db, interview);
                match replica.read(read).await {
                    Ok(now) => {
                        let _ = inputs.send(Input::Erased(now.map(Box::new))).await;
                    }
                    Err(fault) => tracing::error!(%fault, %interview, "a room was not looked at"),
                }
            });
        }
    }

    fn end_session(&self, session: SessionId) {
        self.tell_all(|| Input::SessionEnded(session));
    }

    fn end_person(&self, person: PersonId, but: Option<SessionId>) {
        self.tell_all(|| Input::PersonGone(person, but));
    }

    fn tell_all(&self, input: impl Fn() -> Input) {
        for door in self.open().values() {
            tell(door.inputs.clone(), input());
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<InterviewId, Door>> {
        self.inner.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rare, and it must arrive: it waits in a task of its own if the room is busy.
fn tell(inputs: mpsc::Sender<Input>, input: Input) {
    tokio::spawn(async move {
        let _ = inputs.send(input).await;
    });
}

impl Seat {
    /// Hands a frame to the room; waits if the room is busy, which slows only this connection.
    pub async fn send(&self, frame: ClientFrame) {
        let _ = self.room.send(Input::Frame(self.connection, frame)).await;
    }

    /// Guards what this connection sends from now on.
    pub fn gate(&self, now: Instant) -> Gate {
        Gate::new(self.per_second, self.rate.clone(), now)
    }

    /// Answers without the room: a refusal of the frame itself. Waits for room, which slows only
    /// this connection.
    pub async fn reply(&self, frame: String) {
        let _ = self.outbox.event_when_room(frame.into()).await;
    }

    /// Says last words and closes.
    pub fn close(&self, last: Option<String>, code: u16) {
        self.outbox.close(Outgoing::Close(last.map(Into::into), code));
    }

    /// Says goodbye and closes.
    pub fn dismiss(&self, why: Bye) {
        self.outbox.close(closing(why, None));
    }

    /// Leaves.
    pub async fn leave(self, parting: Parting) {
        let _ = self.room.send(Input::Leave(self.connection, parting)).await;
    }

    /// Which connection this is.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }
}
