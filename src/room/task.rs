//! One loop per room: all that touches a room goes through it, one input after the other.
//!
//! Durable acts are proposed in the order in which they came and acknowledged when they are
//! applied; the loop does not wait for the disk meanwhile, so ephemeral frames never do either.
//!
//! **Invariant:** events are handed out in the order of the log, each once; a gap in what the log
//! tells is filled from the store.

mod input;
mod presence;
mod propose;
mod tell;
mod whisper;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::cluster::{Seat, Unavailable, fresh};
use crate::domain::command::Outcome;
use crate::domain::event::Event;
use crate::domain::id::{ConnectionId, InterviewId, PersonId, QuestionId};
use crate::domain::interview::State;
use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::room::Room;
use crate::store::{Fault, query};
use crate::telemetry::metrics::ResumeSource;

use super::gate::SharedRate;
use super::hub::Hub;
use super::live::Coach;
use super::member::{closing, come_back_ms, jitter_ms};
use super::outbox::Outbox;
use super::protocol::{self, Bye, ClientFrame, Welcome};
use super::ring::Ring;
use super::roster::{Connection, Roster};
use super::{catch_up, view};

pub(super) use input::{Input, Join};
pub use presence::Parting;
use presence::Presence;
use propose::{Prepared, Proposed, Waiting};

/// What the log tells a room.
pub(super) type Commits = mpsc::Receiver<Arc<Vec<Event>>>;

/// One room's loop.
pub(super) struct Task {
    hub: Hub,
    room: Room,
    names: BTreeMap<PersonId, String>,
    /// Questions to which somebody has said something.
    begun: BTreeSet<QuestionId>,
    /// People whose words may not be kept, and so are not shown either.
    declined: BTreeSet<PersonId>,
    epoch: String,
    roster: Roster,
    coach: Coach,
    presence: Presence,
    ring: Ring,
    inputs: mpsc::Receiver<Input>,
    mailbox: mpsc::Sender<Input>,
    commits: Commits,
    seats: watch::Receiver<Seat>,
    waiting: VecDeque<Waiting>,
    preparing: Option<Boxed<(Waiting, Prepared)>>,
    proposing: FuturesUnordered<Boxed<(Proposed, Result<Outcome, Unavailable>)>>,
    /// When the room says goodbye, or leaves memory.
    deadline: Option<Instant>,
    /// Whether the report was waited for long enough.
    waited: bool,
    /// Whether the rows say something else than the room: it ends, and begins anew from them.
    stale: bool,
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Task {
    /// Loads the room; `None` if there is none.
    pub(super) async fn load(
        hub: Hub,
        interview: InterviewId,
        inputs: mpsc::Receiver<Input>,
        mailbox: mpsc::Sender<Input>,
        commits: Commits,
    ) -> Result<Option<Task>, Fault> {
        let read = move |db: &query::Connection| {
            let Some(room) = query::room::load(db, interview)? else { return Ok(None) };
            let names = view::names(db, &room)?;
            let begun = query::event::begun(db, &room)?;
            let epoch = query::cluster::identity(db)?.map(|i| i.cluster_id.to_string());
            let coach = Coach::read(db, &room)?;
            let declined = query::privacy::declined(db, interview)?.into_iter().collect();
            Ok(Some((room, names, begun, declined, coach, epoch.unwrap_or_default())))
        };
        let Some((room, names, begun, declined, coach, epoch)) = hub.replica().read(read).await?
        else {
            return Ok(None);
        };
        Ok(Some(Task {
            seats: hub.replica().watch_seat(),
            hub,
            room,
            names,
            begun,
            declined,
            epoch,
            roster: Roster::default(),
            coach,
            presence: Presence::default(),
            ring: Ring::default(),
            inputs,
            mailbox,
            commits,
            waiting: VecDeque::new(),
            preparing: None,
            proposing: FuturesUnordered::new(),
            deadline: None,
            waited: false,
            stale: false,
        }))
    }

    /// Runs until nobody is connected any more, or another node leads: a room that went on here
    /// would be half a room.
    pub(super) async fn run(mut self) {
        self.rest();
        loop {
            let (deadline, presence) = (self.deadline, self.presence.due());
            tokio::select! {
                biased;
                () = deposed(&mut self.seats) => {
                    let wait = || Some(come_back_ms());
                    self.roster.dismiss(Bye::LeaderChanged, wait, |_| true);
                    return;
                }
                Some(events) = self.commits.recv() => self.take(&events).await,
                Some((proposed, result)) = self.proposing.next() => {
                    // What the proposal led to was told before its outcome: take that first.
                    while let Ok(events) = self.commits.try_recv() {
                        self.take(&events).await;
                    }
                    self.confirm(proposed, result);
                    self.pump();
                }
                (waiting, prepared) = prepared(&mut self.preparing) => {
                    self.preparing = None;
                    self.submit(waiting, prepared);
                    self.pump();
                    self.say_goodbye_if_over();
                }
                () = sleep_until(presence) => self.tell_presence(),
                Some(input) = self.inputs.recv() => {
                    self.handle(input);
                    if self.stale {
                        return;
                    }
                }
                () = sleep_until(deadline) => {
                    if self.on_deadline() {
                        return;
                    }
                }
            }
        }
    }

    fn handle(&mut self, input: Input) {
        match input {
            Input::Join(join) => self.join(join),
            Input::Leave(id, parting) => {
                // One that the room dismissed is forgotten already.
                if let Some(connection) = self.roster.remove(id) {
                    self.left(connection.person, parting);
                }
                self.rest();
            }
            Input::Frame(from, frame) => self.frame(from, frame),
            Input::CaughtUp(id, cursor) => self.caught_up(id, cursor),
            Input::SessionEnded(session) => {
                let ended = |c: &Connection| c.session == Some(session);
                if self.roster.dismiss(Bye::SessionEnded, || None, ended) {
                    self.presence_changed();
                }
            }
            Input::PersonGone(person, but) => {
                if self.roster.dismiss_person(person, but) {
                    self.presence_changed();
                }
            }
            Input::Assist(person, intensity) => self.assist(person, intensity),
            Input::Consent(person, true) => {
                self.declined.remove(&person);
            }
            Input::Consent(person, false) => {
                self.declined.insert(person);
            }
            Input::Erased(now) => self.erased(now.as_deref()),
            Input::Drain => {
                // As many as this node has are to come back elsewhere; a thousand a second can.
                let spread = self.hub.metrics().sockets.get().clamp(2_000, 20_000) as u64;
                self.roster.dismiss(Bye::Draining, || Some(500 + jitter_ms(spread)), |_| true);
            }
        }
    }

    fn join(&mut self, join: Join) {
        let Join { holder, after, outbox, joined } = join;
        let Some(part) = self.room.part(holder.person) else {
            outbox.close(closing(Bye::Removed, None));
            let _ = joined.send(None);
            return;
        };
        if self.roster.of_person(holder.person) >= limit::SOCKETS_PER_PERSON_MAX {
            outbox.close(closing(Bye::TooManySockets, None));
            let _ = joined.send(None);
            return;
        }
        let id = ConnectionId(fresh());
        let head = self.room.last_seq;
        let missed = after.is_some_and(|seq| seq > head);
        let seen = view::interview(&self.room, &self.names, &self.begun, holder.person);
        let frames_per_second = self.hub.rules().frames_per_second;
        let rate = self
            .roster
            .rate_of(holder.person)
            .unwrap_or_else(|| SharedRate::new(frames_per_second, std::time::Instant::now()));
        let welcome = protocol::welcome(&Welcome {
            connection: id,
            person: holder.person,
            part,
            interview: &json!(seen),
            seq: head,
            epoch: &self.epoch,
            frames_per_second,
            missed,
        });
        outbox.greet(welcome.into());
        let connection = Connection {
            person: holder.person,
            session: holder.session,
            cursor: after.unwrap_or(head).min(head),
            live: false,
            assist_intensity: self.coach.intensity,
            outbox,
            rate: rate.clone(),
        };
        let cursor = connection.cursor;
        self.roster.insert(id, connection);
        self.deadline = None;
        let _ = joined.send(Some((id, rate)));
        if let Some(after) = after {
            self.hub.metrics().resume(match self.ring.after(after, head) {
                _ if missed => ResumeSource::Snapshot,
                Some(_) => ResumeSource::Ring,
                None => ResumeSource::Store,
            });
        }
        self.presence_changed();
        self.caught_up(id, cursor);
    }

    /// Feeds a connection from here on: from the ring if that reaches back, else from the store.
    fn caught_up(&mut self, id: ConnectionId, cursor: u64) {
        let head = self.room.last_seq;
        let Some(connection) = self.roster.get_mut(id) else { return };
        connection.cursor = cursor;
        if let Some(frames) = self.ring.after(cursor, head) {
            for (seq, frame) in frames {
                if connection.outbox.event(frame).is_err() {
                    break;
                }
                connection.cursor = seq;
            }
        }
        if connection.cursor == head {
            connection.live = true;
            self.say_goodbye_if_over();
        } else {
            let (cursor, outbox) = (connection.cursor, connection.outbox.clone());
            self.feed(id, cursor, outbox);
        }
    }

    fn feed(&self, id: ConnectionId, cursor: u64, outbox: Outbox) {
        let (replica, interview) = (self.hub.replica().clone(), self.room.plan.id);
        let (upto, room) = (self.room.last_seq, self.mailbox.clone());
        tokio::spawn(catch_up::run(replica, interview, id, cursor, upto, outbox, room));
    }

    fn frame(&mut self, from: ConnectionId, frame: ClientFrame) {
        let Some(connection) = self.roster.get(from) else { return };
        let by = connection.person;
        match frame {
            ClientFrame::Act { id, wish } => {
                if self.waiting.len() >= limit::ACTS_WAITING_MAX {
                    let refusal = Refusal::new(
                        Code::RateLimited,
                        "this room has more waiting than it can write; send it again in a moment",
                    );
                    self.roster.answer(from, protocol::refused(Some(&id), &refusal));
                    return;
                }
                self.waiting.push_back(Waiting { from, by, id, wish: Some(wish) });
                self.pump();
            }
            ClientFrame::Partial { question_id, text } => {
                self.partial(from, by, question_id, &text)
            }
            ClientFrame::Signal { to, data } => self.signal(from, by, to, &data),
            ClientFrame::Set { assist_intensity } => {
                if let Some(connection) = self.roster.get_mut(from) {
                    connection.assist_intensity = assist_intensity;
                }
            }
            ClientFrame::Ping { at } => self.roster.answer(from, protocol::pong(&at)),
        }
    }

    fn part_from(&mut self, id: ConnectionId) {
        if let Some(connection) = self.roster.remove(id) {
            connection.outbox.close(closing(Bye::LeaderChanged, Some(come_back_ms())));
        }
    }

    /// Ends the connections that have seen everything once nothing more can come.
    fn say_goodbye_if_over(&mut self) {
        let nothing_comes = match self.room.state {
            State::Cancelled => true,
            State::Finished => self.room.report_ready || self.waited,
            _ => false,
        };
        let settled = self.preparing.is_none() && self.proposing.is_empty();
        if nothing_comes && settled && self.waiting.is_empty() {
            self.roster.dismiss(Bye::RoomFinished, || None, |c| c.live);
            self.rest();
        } else if self.room.state.is_over() && self.deadline.is_none() && !self.waited {
            self.deadline = Some(Instant::now() + Duration::from_secs(limit::GOODBYE_SECONDS));
        }
    }

    /// Begins the time after which an empty room leaves memory.
    fn rest(&mut self) {
        if self.roster.is_empty() {
            self.deadline = Some(Instant::now() + Duration::from_secs(limit::ROOM_IDLE_SECONDS));
        }
    }

    /// Whether the loop ends.
    fn on_deadline(&mut self) -> bool {
        if self.roster.is_empty() {
            let busy = !self.waiting.is_empty()
                || !self.proposing.is_empty()
                || self.preparing.is_some()
                || !self.inputs.is_empty();
            if !busy && self.hub.retire(self.room.plan.id, &self.mailbox) {
                return true;
            }
            self.rest();
        } else {
            self.deadline = None;
            self.waited = true;
            self.say_goodbye_if_over();
        }
        false
    }
}

async fn deposed(seats: &mut watch::Receiver<Seat>) {
    // Without consensus there is no leader either.
    let _ = seats.wait_for(|seat| *seat != Seat::Here).await;
}

async fn prepared<T>(preparing: &mut Option<Boxed<T>>) -> T {
    match preparing {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    let Some(deadline) = deadline else { return std::future::pending().await };
    tokio::time::sleep_until(deadline).await;
}
