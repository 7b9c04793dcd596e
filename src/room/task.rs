//! One loop per room: all that touches a room goes through it, one input after the other.
//!
//! Durable acts are proposed in the order in which they came and acknowledged when they are applied; the
//! loop does not wait for the disk meanwhile, so ephemeral frames never do either.
//!
//! **Invariant:** events are handed out in the order of the log, each once; a gap in what the log tells is
//! filled from the store.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::auth::ticket::Holder;
use crate::cluster::{Unavailable, fresh};
use crate::domain::command::{Command, ENVELOPE_VERSION, Envelope, Once, Outcome};
use crate::domain::event::{Event, Happening};
use crate::domain::id::{ConnectionId, InterviewId, PersonId, QuestionId, SessionId};
use crate::domain::interview::{Kind, Part, State};
use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::room::{self, Act, Room};
use crate::domain::time::Time;
use crate::store::query::{self, event::StoredEvent};
use crate::store::Fault;
use crate::telemetry::metrics::ResumeSource;

use super::answer::{Draft, Unfit, simple};
use super::hub::Hub;
use super::live::{self, Coach};
use super::member::{Outbox, Outgoing, closing};
use super::protocol::{self, Bye, ClientFrame, Wish};
use super::roster::{self, Connection, Roster};
use super::{catch_up, view};

/// All that can happen to a room.
pub(super) enum Input {
    /// Somebody wants in.
    Join(Join),
    /// A connection is gone.
    Leave(ConnectionId),
    /// A connection sent a frame.
    Frame(ConnectionId, ClientFrame),
    /// A connection that was fed from the store has everything up to here.
    CaughtUp(ConnectionId, u64),
    /// A login ended.
    SessionEnded(SessionId),
    /// An account was closed.
    PersonGone(PersonId),
    /// The node stops.
    Drain,
}

/// Somebody who wants in.
pub(super) struct Join {
    pub(super) holder: Holder,
    pub(super) after: Option<u64>,
    pub(super) outbox: Outbox,
    pub(super) joined: oneshot::Sender<Option<ConnectionId>>,
}

/// What the log tells a room.
pub(super) type Commits = mpsc::Receiver<Arc<Vec<Event>>>;

/// One room's loop.
pub(super) struct Task {
    hub: Hub,
    room: Room,
    names: BTreeMap<PersonId, String>,
    epoch: String,
    roster: Roster,
    coach: Coach,
    ring: Ring,
    inputs: mpsc::Receiver<Input>,
    mailbox: mpsc::Sender<Input>,
    commits: Commits,
    waiting: VecDeque<Waiting>,
    preparing: Option<Boxed<(Waiting, Prepared)>>,
    proposing: FuturesUnordered<Boxed<(Proposed, Result<Outcome, Unavailable>)>>,
    /// When the room says goodbye, or leaves memory.
    deadline: Option<Instant>,
    /// Whether the report was waited for long enough.
    waited: bool,
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A durable frame that waits for its turn.
struct Waiting {
    from: ConnectionId,
    by: PersonId,
    id: String,
    wish: Option<Wish>,
}

/// What became of an answer while it was prepared.
enum Prepared {
    Act(Act),
    Before(Outcome),
    Unfit(Unfit),
}

/// A proposal on its way.
struct Proposed {
    from: ConnectionId,
    by: PersonId,
    id: String,
    at: Time,
    /// A note's words, for the other interviewers.
    note: Option<(String, Option<QuestionId>)>,
}

/// The newest events as frames.
#[derive(Default)]
struct Ring {
    frames: VecDeque<(u64, Arc<str>)>,
    bytes: usize,
}

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
            let epoch = query::cluster::identity(db)?.map(|i| i.cluster_id.to_string());
            Ok(Some((room, names, epoch.unwrap_or_default())))
        };
        let Some((room, names, epoch)) = hub.replica().read(read).await? else { return Ok(None) };
        Ok(Some(Task {
            hub,
            room,
            names,
            epoch,
            roster: Roster::default(),
            coach: Coach::default(),
            ring: Ring::default(),
            inputs,
            mailbox,
            commits,
            waiting: VecDeque::new(),
            preparing: None,
            proposing: FuturesUnordered::new(),
            deadline: None,
            waited: false,
        }))
    }

    /// Runs until nobody is connected any more.
    pub(super) async fn run(mut self) {
        self.rest();
        loop {
            let deadline = self.deadline;
            tokio::select! {
                biased;
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
                }
                Some(input) = self.inputs.recv() => self.handle(input),
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
            Input::Leave(id) => {
                self.roster.remove(id);
                self.tell_presence();
                self.rest();
            }
            Input::Frame(from, frame) => self.frame(from, frame),
            Input::CaughtUp(id, cursor) => self.caught_up(id, cursor),
            Input::SessionEnded(session) => {
                self.roster.dismiss(Bye::SessionEnded, || None, |c| c.session == Some(session));
            }
            Input::PersonGone(person) => {
                self.roster.dismiss(Bye::SessionEnded, || None, |c| c.person == person);
            }
            Input::Drain => {
                self.roster.dismiss(Bye::Draining, || Some(500 + jitter_ms(2_000)), |_| true);
            }
        }
    }

    fn join(&mut self, join: Join) {
        let Join { holder, after, outbox, joined } = join;
        let Some(part) = self.room.part(holder.person) else {
            roster::close(&outbox, closing(Bye::Removed, None));
            let _ = joined.send(None);
            return;
        };
        if self.roster.of_person(holder.person) >= limit::SOCKETS_PER_PERSON_MAX {
            roster::close(&outbox, closing(Bye::TooManySockets, None));
            let _ = joined.send(None);
            return;
        }
        let id = ConnectionId(fresh());
        let head = self.room.last_seq;
        let missed = after.is_some_and(|seq| seq > head);
        let seen = view::interview(&self.room, &self.names, holder.person);
        let you = json!({"person_id": holder.person, "part": part});
        let interview = json!(seen);
        let welcome = protocol::welcome(id, you, &interview, head, &self.epoch, missed);
        let _ = outbox.try_send(Outgoing::Frame(welcome.into()));
        let connection = Connection {
            person: holder.person,
            session: holder.session,
            cursor: after.unwrap_or(head).min(head),
            live: false,
            assist_intensity: 2,
            outbox,
        };
        let cursor = connection.cursor;
        self.roster.insert(id, connection);
        self.deadline = None;
        let _ = joined.send(Some(id));
        if let Some(after) = after {
            self.hub.metrics().resume(match self.ring.after(after, head) {
                _ if missed => ResumeSource::Snapshot,
                Some(_) => ResumeSource::Ring,
                None => ResumeSource::Store,
            });
        }
        self.tell_presence();
        self.caught_up(id, cursor);
    }

    /// Feeds a connection from here on: from the ring if that reaches back, else from the store.
    fn caught_up(&mut self, id: ConnectionId, cursor: u64) {
        let head = self.room.last_seq;
        let Some(connection) = self.roster.get_mut(id) else { return };
        connection.cursor = cursor;
        if let Some(frames) = self.ring.after(cursor, head) {
            for (seq, frame) in frames {
                if connection.outbox.try_send(Outgoing::Frame(frame)).is_err() {
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

    /// Takes what the log tells: folds it and hands it out.
    async fn take(&mut self, events: &[Event]) {
        for event in events {
            if event.seq <= self.room.last_seq {
                continue;
            }
            if event.seq > self.room.last_seq + 1 {
                if let Err(fault) = self.fill_gap().await {
                    tracing::error!(%fault, interview = %self.room.plan.id, "a room lost its place");
                    self.roster.dismiss(Bye::LeaderChanged, || Some(1_000), |_| true);
                }
                return;
            }
            room::fold(&mut self.room, event);
            match StoredEvent::of(event) {
                Ok(stored) => self.hand_out(&stored),
                Err(fault) => tracing::error!(%fault, "an event cannot be written as JSON"),
            }
            self.follow(&event.what);
        }
        self.say_goodbye_if_over();
    }

    /// Reads what was missed from the store.
    async fn fill_gap(&mut self) -> Result<(), Fault> {
        let (interview, from) = (self.room.plan.id, self.room.last_seq);
        let read = move |db: &query::Connection| {
            let Some(room) = query::room::load(db, interview)? else {
                return Err(Fault::plain("the interview is gone"));
            };
            let names = view::names(db, &room)?;
            let mut events: Vec<StoredEvent> = Vec::new();
            // Bounded by the events that an interview can have.
            loop {
                let cursor = events.last().map_or(from, |event| event.seq);
                let page = query::event::after(db, interview, cursor, limit::EVENTS_PAGE)?;
                if page.is_empty() {
                    return Ok((room, names, events));
                }
                events.extend(page);
            }
        };
        let (room, names, events) = self.hub.replica().read(read).await?;
        self.room = room;
        self.names = names;
        for event in &events {
            self.hand_out(event);
        }
        let members = self.room.members.clone();
        self.roster.dismiss(Bye::Removed, || None, |c| !members.contains_key(&c.person));
        Ok(())
    }

    fn hand_out(&mut self, event: &StoredEvent) {
        let began = std::time::Instant::now();
        let frame: Arc<str> = event.json("\"type\":\"event\",").into();
        self.ring.push(event.seq, frame.clone());
        for id in self.roster.hand_out(event.seq, &frame) {
            if let Some(connection) = self.roster.get(id) {
                self.feed(id, connection.cursor, connection.outbox.clone());
            }
        }
        self.hub.metrics().fanout.observe(began.elapsed().as_secs_f64());
    }

    /// What an event means for the connections.
    fn follow(&mut self, what: &Happening) {
        match what {
            Happening::MemberRemoved { person_id } => {
                let person = *person_id;
                self.roster.dismiss(Bye::Removed, || None, |c| c.person == person);
                self.tell_presence();
            }
            Happening::Finished {} => {
                self.deadline = Some(Instant::now() + Duration::from_secs(limit::GOODBYE_SECONDS));
            }
            _ => {}
        }
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
            ClientFrame::Partial { question_id, text } => self.partial(from, by, question_id, &text),
            ClientFrame::Signal { to, data } => self.signal(from, by, to, &data),
            ClientFrame::Set { assist_intensity } => {
                if let Some(connection) = self.roster.get_mut(from) {
                    connection.assist_intensity = assist_intensity;
                }
            }
            ClientFrame::Ping { at } => self.roster.answer(from, protocol::pong(&at)),
        }
    }

    fn partial(&mut self, from: ConnectionId, by: PersonId, on: Option<QuestionId>, text: &str) {
        let refusal = match (self.room.part(by), self.room.state) {
            (Some(Part::Observer) | None, _) => Some(Refusal::denied("observers read")),
            (_, State::Live) => None,
            (_, state) if state.is_over() => {
                Some(Refusal::new(Code::RoomClosed, "the interview is over"))
            }
            _ => Some(Refusal::conflict("the interview has not begun; its owner starts it")),
        };
        if let Some(refusal) = refusal {
            self.roster.answer(from, protocol::refused(None, &refusal));
            return;
        }
        let frame: Arc<str> = protocol::partial(by, on, text).into();
        self.roster.whisper(&frame, |id, _| id != from);
        if self.room.plan.kind == Kind::Practice {
            let engine = self.hub.engine().clone();
            let meters: Arc<str> = live::meters(&engine, &self.room, on, text).into();
            self.roster.whisper(&meters, |_, c| c.person == by);
            let intensity = self.roster.get(from).map_or(0, |c| c.assist_intensity);
            if let Some(hint) = self.coach.hint(&engine, &self.room, by, on, text, intensity) {
                self.roster.whisper(&hint.into(), |_, c| c.person == by);
            }
        }
    }

    fn signal(&self, from: ConnectionId, by: PersonId, to: PersonId, data: &RawValue) {
        if self.room.part(to).is_none() {
            let refusal = Refusal::not_found("member");
            self.roster.answer(from, protocol::refused(None, &refusal));
            return;
        }
        self.roster.whisper(&protocol::signal(by, data).into(), |_, c| c.person == to);
    }

    /// Takes the next waiting acts in order. An answer is prepared only when all before it is applied, so
    /// that the question it answers is known.
    fn pump(&mut self) {
        while self.preparing.is_none() {
            let Some(next) = self.waiting.front() else { return };
            let is_answer = matches!(next.wish, Some(Wish::Answer { .. }));
            if is_answer && !self.proposing.is_empty() {
                return;
            }
            let Some(mut waiting) = self.waiting.pop_front() else { return };
            let Some(wish) = waiting.wish.take() else { continue };
            match simple(wish) {
                Ok(act) => self.propose(waiting, act),
                Err(draft) => self.prepare(waiting, draft),
            }
        }
    }

    fn prepare(&mut self, waiting: Waiting, draft: Draft) {
        let (analyst, room) = (self.hub.analyst().clone(), self.room.clone());
        let (once, at) = (self.once(&waiting), self.hub.replica().now());
        self.preparing = Some(Box::pin(async move {
            let read = move |db: &query::Connection| query::once::find(db, &once, at);
            let prepared = match analyst.replica.read(read).await {
                Ok(Some((_, first))) => Prepared::Before(first),
                Ok(None) => match analyst.answer(&room, waiting.by, draft).await {
                    Ok(act) => Prepared::Act(act),
                    Err(unfit) => Prepared::Unfit(unfit),
                },
                Err(fault) => Prepared::Unfit(Unfit::Fault(fault)),
            };
            (waiting, prepared)
        }));
    }

    fn submit(&mut self, waiting: Waiting, prepared: Prepared) {
        let (from, id) = (waiting.from, waiting.id.clone());
        match prepared {
            Prepared::Act(act) => self.propose(waiting, act),
            Prepared::Before(outcome) => self.roster.answer(from, reply(&id, outcome)),
            Prepared::Unfit(Unfit::Refused(refusal)) => {
                self.hub.metrics().refusal(refusal.code);
                self.roster.answer(from, protocol::refused(Some(&id), &refusal));
            }
            Prepared::Unfit(Unfit::Fault(fault)) => {
                tracing::error!(%fault, interview = %self.room.plan.id, "an answer was not analysed");
                self.part_from(from);
            }
        }
    }

    fn once(&self, waiting: &Waiting) -> Once {
        Once {
            scope: format!("room:{}:{}", self.room.plan.id, waiting.by),
            key: waiting.id.clone(),
            fingerprint: String::new(),
        }
    }

    fn propose(&mut self, waiting: Waiting, act: Act) {
        let replica = self.hub.replica().clone();
        let at = replica.now();
        let note = match &act {
            Act::Note { text, question_id, .. } => Some((text.clone(), *question_id)),
            _ => None,
        };
        let envelope = Envelope {
            v: ENVELOPE_VERSION,
            at,
            by: Some(waiting.by),
            request_id: Some(waiting.from.to_string()),
            once: Some(self.once(&waiting)),
            command: Command::Act { interview: self.room.plan.id, act: Box::new(act) },
        };
        let Waiting { from, by, id, .. } = waiting;
        let proposed = Proposed { from, by, id, at, note };
        self.proposing.push(Box::pin(async move { (proposed, replica.propose(envelope).await) }));
    }

    fn confirm(&mut self, proposed: Proposed, result: Result<Outcome, Unavailable>) {
        match result {
            Ok(outcome) => {
                if let (Outcome::Acted { note_id: Some(note), .. }, Some((text, on))) =
                    (&outcome, &proposed.note)
                {
                    let mut frame = json!({
                        "type": "note", "note_id": note, "at": proposed.at, "by": proposed.by,
                        "text": text,
                    });
                    if let Some(question) = on {
                        frame["question_id"] = json!(question);
                    }
                    let members = &self.room.members;
                    self.roster.whisper(&frame.to_string().into(), |id, c| {
                        id != proposed.from && members.get(&c.person) == Some(&Part::Interviewer)
                    });
                }
                if let Outcome::Refused { refusal } = &outcome {
                    self.hub.metrics().refusal(refusal.code);
                }
                self.roster.answer(proposed.from, reply(&proposed.id, outcome));
            }
            Err(Unavailable::Busy) => {
                let refusal = Refusal::new(Code::RateLimited, Unavailable::Busy.to_string());
                self.roster.answer(proposed.from, protocol::refused(Some(&proposed.id), &refusal));
            }
            // It may be written or not; saying either would be a guess. The client comes back and sends
            // the same id again.
            Err(unknown) => {
                tracing::warn!(%unknown, interview = %self.room.plan.id, "an act was not confirmed");
                self.part_from(proposed.from);
            }
        }
    }

    fn part_from(&mut self, id: ConnectionId) {
        if let Some(connection) = self.roster.remove(id) {
            let wait = Some(500 + jitter_ms(1_000));
            roster::close(&connection.outbox, closing(Bye::LeaderChanged, wait));
        }
    }

    fn tell_presence(&self) {
        let people: Vec<_> = self
            .roster
            .present(&self.room.members)
            .into_iter()
            .map(|(person, (part, sockets))| {
                json!({"person_id": person, "part": part, "sockets": sockets})
            })
            .collect();
        let frame = json!({"type": "presence", "people": people}).to_string();
        self.roster.whisper(&frame.into(), |_, _| true);
    }

    /// Ends the connections that have seen everything once nothing more can come.
    fn say_goodbye_if_over(&mut self) {
        let nothing_comes = match self.room.state {
            State::Cancelled => true,
            State::Finished => self.room.report_ready || self.waited,
            _ => false,
        };
        if nothing_comes && self.proposing.is_empty() && self.waiting.is_empty() {
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

impl Ring {
    fn push(&mut self, seq: u64, frame: Arc<str>) {
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
    fn after(&self, seq: u64, head: u64) -> Option<Vec<(u64, Arc<str>)>> {
        let first = self.frames.front()?.0;
        if seq >= head || first > seq + 1 {
            return None;
        }
        Some(self.frames.iter().filter(|(at, _)| *at > seq).cloned().collect())
    }
}

fn reply(id: &str, outcome: Outcome) -> String {
    match outcome {
        Outcome::Replayed { first } => reply(id, *first),
        Outcome::Refused { refusal } => protocol::refused(Some(id), &refusal),
        Outcome::Acted { seq, question_id, answer_id, note_id } => {
            let made = question_id
                .map(|made| ("question_id", made.to_string()))
                .or(answer_id.map(|made| ("answer_id", made.to_string())))
                .or(note_id.map(|made| ("note_id", made.to_string())));
            protocol::ack(id, seq, made)
        }
        // No other outcome comes of an act.
        _ => protocol::ack(id, None, None),
    }
}

fn jitter_ms(up_to: u64) -> u64 {
    // The random part of a new id; nothing secret hangs on it.
    u64::from(fresh().as_bytes()[15]) * up_to / 255
}

async fn prepared<T>(preparing: &mut Option<Boxed<T>>) -> T {
    match preparing {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
