//! One run: a cluster is founded, grows to three, lives through harm, is put right, and is judged.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use openraft::AsyncRuntime;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::type_config::TypeConfigExt;
use openraft_rt_sim::SimRuntime;
use std::collections::BTreeMap;

use super::client::{self, PATIENCE, ROOM, Wish, person};
use super::history::{Deed, Operation};
use super::node::Crash;
use super::world::{World, lock};
use super::{REGISTERS, SimTypes, Slip, chaos};
use crate::cluster::raft_types::Peer;
use crate::domain::command::{Command, NewPerson, Outcome};
use crate::domain::id::{ClusterId, SessionId};
use crate::domain::interview::{Kind, Member, Part, Plan};
use crate::domain::person::{Role, Session};
use crate::domain::room::Act;
use crate::domain::text::Email;
use crate::domain::time::Time;
use crate::store::query;

/// How many clients there are.
const CLIENTS: usize = 4;

/// What a run came to.
pub(super) struct Report {
    pub(super) verdict: Result<(), String>,
    pub(super) trace: u64,
    pub(super) counts: BTreeMap<&'static str, u64>,
}

/// Runs a seed.
pub(super) fn run(seed: u64, slip: Slip) -> Report {
    let folder = folder();
    let world = {
        let mut runtime = SimRuntime::with_seed(seed);
        runtime.block_on(async {
            let world = World::new(seed, slip, folder.path().to_owned());
            let verdict = live_and_judge(&world).await;
            if let Err(why) = verdict {
                world.violated(why);
            }
            // Tasks hold the world that holds them.
            for id in world.ids() {
                world.crash(id, Crash::Process);
            }
            world
        })
    };
    Report { verdict: world.verdict(), trace: world.trace_sum(), counts: world.counts() }
}

/// In memory where there is such a place: the moment of durability is simulated anyway.
fn folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

async fn live_and_judge(world: &Arc<World>) -> Result<(), String> {
    found(world).await?;
    for _ in 0..2 {
        chaos::admit(world).await;
    }
    world.verdict()?;
    let is_over = Arc::new(AtomicBool::new(false));
    let living = Arc::new(AtomicUsize::new(0));
    for n in 0..CLIENTS {
        let (world, is_over, living) = (world.clone(), is_over.clone(), living.clone());
        living.fetch_add(1, Ordering::Relaxed);
        chaos::beside(async move {
            let go_on = || !is_over.load(Ordering::Relaxed) && world.verdict().is_ok();
            client::live(world.clone(), n, go_on).await;
            living.fetch_sub(1, Ordering::Relaxed);
        });
    }
    let watched = is_over.clone();
    chaos::beside(chaos::supervise(world.clone(), move || !watched.load(Ordering::Relaxed)));
    world.set_calm(false);
    chaos::rage(world, world.chance.millis(6_000, 18_000), &living).await;
    is_over.store(true, Ordering::Relaxed);
    settle(world, &living).await?;
    judge(world).await
}

/// One node, an organisation, people, and a room that has begun.
async fn found(world: &Arc<World>) -> Result<(), String> {
    world.add_node(1).await;
    let first = world.running(1).ok_or("node 1 does not run")?;
    first
        .raft
        .initialize(BTreeMap::from([(1, Peer::default())]))
        .await
        .map_err(|e| e.to_string())?;
    let at = Time(world.wall_ms(1));
    let admin = new_person(0, Role::Admin);
    let session = Session {
        id: SessionId(person(0).0),
        person: person(0),
        generation: 0,
        created_at: at,
        expires_at: at,
        revoked_at: None,
    };
    let plan = Plan {
        id: ROOM,
        owner: person(0),
        kind: Kind::Live,
        title: "Trial".to_owned(),
        role: None,
        mode: None,
        kit_id: None,
        auto_ask: false,
        created_at: at,
        scheduled_at: None,
    };
    let members = vec![Member { person: person(0), part: Part::Interviewer }];
    let (signing_key, link_key) = (String::new(), String::new());
    let cluster_id = ClusterId(person(0).0);
    let mut commands = vec![
        Command::Found { cluster_id, signing_key, link_key },
        Command::SetUp { organisation: "Lighthouse".to_owned(), admin, session },
        Command::CreateInterview { plan: Box::new(plan), members, questions: Vec::new() },
        Command::Act { interview: ROOM, act: Box::new(Act::Start {}) },
    ];
    let people = (1..=REGISTERS).map(|n| new_person(n, Role::Candidate));
    commands.extend(people.map(|person| Command::AddPerson { person }));
    for command in commands {
        let wish = Wish { once: None, command, tries: 20 };
        match client::write(world, wish).await {
            None | Some(Outcome::Refused { .. }) => return Err("founding failed".to_owned()),
            Some(_) => {}
        }
    }
    Ok(())
}

/// A register is 0 at the start.
fn new_person(n: usize, role: Role) -> Box<NewPerson> {
    Box::new(NewPerson {
        id: person(n),
        email: Email::parse("email", &format!("p{n}@example.org")).unwrap(),
        display_name: "0".to_owned(),
        role,
        password_hash: Some("hash".to_owned()),
        invite_expires_at: None,
    })
}

/// Puts everything right and waits until all nodes have all that was written.
async fn settle(world: &Arc<World>, living: &AtomicUsize) -> Result<(), String> {
    world.trace("settle");
    world.set_calm(true);
    world.join_all();
    let end = SimTypes::now() + PATIENCE;
    loop {
        world.verdict()?;
        world.join_all();
        for id in world.ids() {
            world.node(id, |node| node.disk.slow_down(1));
            chaos::look_after(world, id).await;
            world.start(id).await;
        }
        if living.load(Ordering::Relaxed) == 0 && is_level(world).await {
            return Ok(());
        }
        if SimTypes::now() > end {
            return Err(format!("not well again after {PATIENCE:?}: {}", standing(world)));
        }
        world.sleep(Duration::from_millis(200)).await;
    }
}

/// Whether there is a leader that can write, and every member has what it has.
async fn is_level(world: &Arc<World>) -> bool {
    let Some((_, leader)) = world.leader() else { return false };
    if !leader.is_confirmed().await {
        return false;
    }
    let metrics = leader.raft.metrics().borrow_watched().clone();
    let last = metrics.last_log_index.unwrap_or(0);
    let config = metrics.membership_config;
    let mut members = config.membership().nodes().map(|(id, _)| *id);
    members.all(|id| world.running(id).is_some_and(|running| running.applied() == last))
}

/// How every node stands, for whoever reads of a failure.
fn standing(world: &World) -> String {
    let of = |id: u64| match world.running(id) {
        Some(running) => {
            let metrics = running.raft.metrics().borrow_watched().clone();
            format!("{id}: applied {}, {metrics}", running.applied())
        }
        None => format!("{id}: down"),
    };
    world.ids().into_iter().map(of).collect::<Vec<_>>().join("; ")
}

/// All that must hold at the end.
async fn judge(world: &Arc<World>) -> Result<(), String> {
    let Some((_, leader)) = world.leader() else { return Err("nobody leads".to_owned()) };
    let config = leader.raft.metrics().borrow_watched().membership_config.clone();
    for (id, _) in config.membership().nodes() {
        world.compare(*id);
    }
    world.verdict()?;
    let read = |db: &query::Connection| {
        let names = (1..=REGISTERS).map(|n| query::person::by_id(db, person(n)));
        let names: Vec<String> = names
            .map(|found| Ok(found?.map(|person| person.display_name).unwrap_or_default()))
            .collect::<Result<_, crate::store::Fault>>()?;
        let events = query::event::after(db, ROOM, 0, 10_000)?;
        Ok((names, events, client::texts(db)?))
    };
    let (names, events, texts) = leader.state.read(read).map_err(|e| e.to_string())?;
    let mut history = lock(&world.history);
    for (register, name) in names.iter().enumerate() {
        let (began, value) = (history.moment(), name.parse().unwrap_or(u64::MAX));
        let ended = Some(history.moment());
        let operations = history.registers.entry(register).or_default();
        operations.push(Operation { began, ended, deed: Deed::Read(value) });
    }
    history.check_registers()?;
    history.check_room(&texts)?;
    for (n, event) in events.iter().enumerate() {
        if event.seq != n as u64 + 1 {
            return Err(format!("the room's event {} stands at {}", event.seq, n + 1));
        }
        if n > 0 && event.at < events[n - 1].at {
            return Err(format!(
                "time went back in the room: event {} at {}, event {} at {}",
                event.seq - 1,
                events[n - 1].at,
                event.seq,
                event.at
            ));
        }
    }
    Ok(())
}
