//! Clients: they write with a key and send again after an unknown outcome, on any node; they read
//! from any node what must not be too old; and they write down what they did and saw.

use std::sync::Arc;
use std::time::Duration;

use openraft::ReadPolicy;
use openraft::errors::{ClientWriteError, RaftError};
use uuid::Uuid;

use super::history::{Deed, Look, Operation, Saying};
use super::node::Running;
use super::world::{World, lock};
use super::{REGISTERS, SimRaft, Slip};
use crate::cluster::raft_types::Proposal;
use crate::domain::command::{Command, ENVELOPE_VERSION, Envelope, Once, Outcome};
use crate::domain::id::{InterviewId, PersonId};
use crate::domain::room::Act;
use crate::domain::time::Time;
use crate::store::query;

/// The only room.
pub(super) const ROOM: InterviewId = InterviewId(Uuid::from_u128(0x7000_8000_0000_0000_0001));

/// A register is somebody's name; person 0 is the admin.
pub(super) fn person(n: usize) -> PersonId {
    PersonId(Uuid::from_u128(0x7000_8000_0000_0000_0100 + n as u128))
}

/// What a write is known by.
pub(super) struct Wish {
    pub(super) once: Option<Once>,
    pub(super) command: Command,
    /// How often it is sent before its sender gives up.
    pub(super) tries: u64,
}

/// Does things until told to stop.
pub(super) async fn live(world: Arc<World>, client: usize, go_on: impl Fn() -> bool + Send) {
    let mut deed = 0;
    while go_on() {
        deed += 1;
        world.sleep(world.chance.millis(1, 400)).await;
        match world.chance.between(0, 9) {
            0..=2 => write_register(&world, (client as u64 + 1) * 100_000 + deed).await,
            3..=4 => read_register(&world).await,
            5..=7 => say(&world, format!("{client}.{deed}")).await,
            _ => look(&world).await,
        }
    }
}

async fn write_register(world: &Arc<World>, value: u64) {
    let register = world.chance.between(0, REGISTERS as u64 - 1) as usize;
    let n = {
        let mut history = lock(&world.history);
        let began = history.moment();
        let operations = history.registers.entry(register).or_default();
        operations.push(Operation { began, ended: None, deed: Deed::Write(value) });
        operations.len() - 1
    };
    let once = Once {
        scope: format!("person:{}", person(0)),
        key: format!("write {value}"),
        fingerprint: "PATCH".to_owned(),
    };
    let command = Command::ChangePerson {
        person: person(register + 1),
        display_name: Some(value.to_string()),
        role: None,
        disabled: None,
    };
    let tries = world.chance.between(1, 12);
    match write(world, Wish { once: Some(once), command, tries }).await {
        Some(Outcome::Person { .. }) => {
            let mut history = lock(&world.history);
            let ended = history.moment();
            history.registers.entry(register).or_default()[n].ended = Some(ended);
        }
        Some(other) => world.violated(format!("writing {value} led to {other:?}")),
        None => {}
    }
}

async fn read_register(world: &Arc<World>) {
    let register = world.chance.between(0, REGISTERS as u64 - 1) as usize;
    let began = lock(&world.history).moment();
    let name = move |db: &query::Connection| {
        Ok(query::person::by_id(db, person(register + 1))?.map(|person| person.display_name))
    };
    let Some(name) = read(world, name).await else { return };
    let value = name.as_deref().unwrap_or_default().parse().unwrap_or(0);
    let mut history = lock(&world.history);
    let ended = Some(history.moment());
    let operations = history.registers.entry(register).or_default();
    operations.push(Operation { began, ended, deed: Deed::Read(value) });
}

async fn say(world: &Arc<World>, text: String) {
    let n = {
        let mut history = lock(&world.history);
        let began = history.moment();
        history.sayings.push(Saying { began, ended: None, text: text.clone(), seq: None });
        history.sayings.len() - 1
    };
    let once = Once {
        scope: format!("room:{ROOM}:{}", person(0)),
        key: text.clone(),
        fingerprint: String::new(),
    };
    let act = Box::new(Act::Say { question_id: None, text, words: None });
    let command = Command::Act { interview: ROOM, act };
    let tries = world.chance.between(1, 12);
    match write(world, Wish { once: Some(once), command, tries }).await {
        Some(Outcome::Acted { seq, .. }) => {
            let mut history = lock(&world.history);
            let ended = Some(history.moment());
            // The room's first event is its start, which nobody said.
            (history.sayings[n].ended, history.sayings[n].seq) = (ended, seq.map(|seq| seq - 1));
        }
        Some(other) => world.violated(format!("saying led to {other:?}")),
        None => {}
    }
}

async fn look(world: &Arc<World>) {
    let began = lock(&world.history).moment();
    let Some(texts) = read(world, texts).await else { return };
    let mut history = lock(&world.history);
    let ended = history.moment();
    history.looks.push(Look { began, ended, texts });
}

/// What was said in the room, in order.
pub(super) fn texts(db: &query::Connection) -> Result<Vec<String>, crate::store::Fault> {
    let events = query::event::after(db, ROOM, 1, 10_000)?;
    let text = |data: &str| -> Option<String> {
        let data: serde_json::Value = serde_json::from_str(data).ok()?;
        Some(data.get("text")?.as_str()?.to_owned())
    };
    Ok(events.iter().map(|event| text(&event.data).unwrap_or_default()).collect())
}

/// Sends a write until its outcome is known or nobody has the patience any more.
pub(super) async fn write(world: &Arc<World>, wish: Wish) -> Option<Outcome> {
    let mut next = None;
    for _ in 0..wish.tries {
        let known = next.take().or_else(|| world.leader().map(|(id, _)| id));
        let id = match known {
            Some(id) if !world.chance.permille(100) => id,
            _ => world.chance.pick(&world.running_ids())?,
        };
        world.sleep(world.chance.micros(20, 3_000)).await;
        let Some(running) = world.running(id) else {
            world.sleep(world.chance.millis(50, 300)).await;
            continue;
        };
        let at = Time(running.now(world.wall_ms(id)));
        let once = wish.once.clone().filter(|_| world.slip != Slip::ForgetsKeys);
        let command = wish.command.clone();
        let by = Some(person(0));
        let envelope =
            Envelope { v: ENVELOPE_VERSION, at, by, request_id: None, from: None, once, command };
        let time = world.chance.millis(200, 3_000);
        let proposal = Proposal::new(envelope);
        let writing = |raft: SimRaft| async move { raft.client_write(proposal).await };
        match running.ask(time, writing).await {
            // The answer may be lost on its way back.
            Some(Ok(_)) if !world.is_calm() && world.chance.permille(60) => {
                world.count("answers lost");
            }
            Some(Ok(written)) => {
                world.sleep(world.chance.micros(20, 3_000)).await;
                world.count("writes acknowledged");
                return match written.data.0? {
                    Outcome::Replayed { first } => {
                        world.count("writes recognised");
                        Some(*first)
                    }
                    outcome => Some(outcome),
                };
            }
            Some(Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to)))) => {
                next = to.leader_id;
                world.sleep(world.chance.millis(5, 200)).await;
            }
            Some(Err(_)) | None => world.count("outcomes unknown"),
        }
    }
    None
}

/// Reads on some node what is at least as new as this moment.
async fn read<T: Send + 'static>(
    world: &Arc<World>,
    look: impl FnOnce(&query::Connection) -> Result<T, crate::store::Fault> + Send + 'static,
) -> Option<T> {
    world.sleep(world.chance.micros(20, 3_000)).await;
    let id = world.chance.pick(&world.running_ids())?;
    let here = world.running(id)?;
    let by_lease = world.chance.permille(250);
    let time = world.chance.millis(200, 2_000);
    if world.slip != Slip::ReadsWhatIsThere {
        let policy = if by_lease { ReadPolicy::LeaseRead } else { ReadPolicy::ReadIndex };
        linearize(world, &here, policy, time).await?;
    }
    let found = here.state.read(look);
    world.sleep(world.chance.micros(20, 3_000)).await;
    match found {
        Ok(found) => {
            world.count("reads");
            Some(found)
        }
        Err(fault) => {
            world.violated(format!("node {id} cannot be read: {fault}"));
            None
        }
    }
}

/// Asks the leader which place of the log is new enough and waits until this node's state is there.
async fn linearize(
    world: &Arc<World>,
    here: &Running,
    policy: ReadPolicy,
    time: Duration,
) -> Option<()> {
    let there = world.running(here.leader()?)?;
    world.sleep(world.chance.micros(20, 3_000)).await;
    let asking = |raft: SimRaft| async move { raft.get_read_linearizer(policy).await.ok() };
    let linearizer = there.ask(time, asking).await??;
    world.sleep(world.chance.micros(20, 3_000)).await;
    let waiting = |raft: SimRaft| async move { linearizer.await_ready(&raft).await.is_ok() };
    here.ask(time, waiting).await?.then_some(())
}

/// How long a barrier may take once everything is well again.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);
