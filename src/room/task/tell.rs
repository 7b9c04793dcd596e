//! What the log tells a room: folded, and handed out in order.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Task;
use crate::domain::event::{Event, Happening};
use crate::domain::interview::Kind;
use crate::domain::{limit, room};
use crate::room::member::come_back_ms;
use crate::room::protocol::Bye;
use crate::room::ring::Ring;
use crate::room::view;
use crate::store::Fault;
use crate::store::query::{self, event::StoredEvent};

impl Task {
    /// Takes what the log tells: folds it and hands it out.
    pub(super) async fn take(&mut self, events: &[Event]) {
        for event in events {
            if event.seq <= self.room.last_seq {
                continue;
            }
            if event.seq > self.room.last_seq + 1 {
                if let Err(fault) = self.fill_gap().await {
                    let interview = self.room.plan.id;
                    tracing::error!(%fault, %interview, "a room lost its place");
                    self.roster.dismiss(Bye::LeaderChanged, || Some(1_000), |_| true);
                }
                break;
            }
            room::fold(&mut self.room, event);
            match StoredEvent::of(event) {
                Ok(stored) => self.hand_out(&stored),
                Err(fault) => tracing::error!(%fault, "an event cannot be written as JSON"),
            }
            if let Happening::MemberAdded { .. } = event.what {
                self.learn_names().await;
            }
            self.follow(&event.what);
        }
        self.say_goodbye_if_over();
    }

    /// Something was erased. A room that is gone says goodbye; one that others go on with begins
    /// anew, so that nothing of what was erased stays in memory.
    pub(super) fn erased(&mut self, now: Option<&room::Room>) {
        self.ring = Ring::default();
        let Some(now) = now else {
            self.roster.dismiss(Bye::Removed, || None, |_| true);
            self.stale = true;
            return;
        };
        let (here, there) = (&self.room, now);
        if here.members != there.members || here.plan != there.plan {
            self.roster.dismiss(Bye::LeaderChanged, || Some(come_back_ms()), |_| true);
            self.stale = true;
        }
    }

    /// Whoever joins later sees the new member by name.
    async fn learn_names(&mut self) {
        let room = self.room.clone();
        match self.hub.replica().read(move |db| view::names(db, &room)).await {
            Ok(names) => self.names = names,
            Err(fault) => {
                let interview = self.room.plan.id;
                tracing::error!(%fault, %interview, "the members' names could not be read");
            }
        }
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
            Happening::Said { question_id: Some(question), .. } => {
                self.begun.insert(*question);
            }
            Happening::Answered { text, .. } if self.room.plan.kind == Kind::Practice => {
                self.coach.heard(text);
            }
            Happening::MemberRemoved { person_id } => {
                let person = *person_id;
                self.roster.dismiss(Bye::Removed, || None, |c| c.person == person);
                self.presence_changed();
            }
            Happening::Finished {} => {
                self.deadline = Some(Instant::now() + Duration::from_secs(limit::GOODBYE_SECONDS));
            }
            _ => {}
        }
    }
}
