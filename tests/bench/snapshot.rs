//! Writes while a snapshot is made: `cargo bench --bench snapshot`.
//!
//! A state of a gigabyte (`STATE_MB` for another size) is filled with CVs. Then a writer does what
//! the node does for each acknowledgement, one write at a time: journal, fsync, apply. It does so
//! alone, while a snapshot is made, while the state is copied in one go as a control, and while the
//! snapshot is installed. Nothing here passes or fails: it prints, and people compare.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on panics, as a test does")]

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use greenroom::domain::command::{Command, Envelope, NewPerson};
use greenroom::domain::id::PersonId;
use greenroom::domain::person::{CandidateContext, Role};
use greenroom::domain::text::Email;
use greenroom::domain::time::Time;
use greenroom::store::journal::Journal;
use greenroom::store::state::{Entry, Payload, State};
use greenroom::store::{mend, snapshot};
use uuid::Uuid;

/// Runs of each figure; the median is printed.
const RUNS: usize = 5;

/// How long writes are measured without a snapshot, each time.
const ALONE: Duration = Duration::from_secs(10);

/// One CV.
const CV_BYTES: usize = 190_000;

/// What is added to one person's page with each measured write.
const WRITE_BYTES: usize = 1_000;

struct Writer<'a> {
    state: &'a State,
    journal: &'a Journal,
    person: PersonId,
    index: u64,
}

/// Times of writes, sorted.
struct Times(Vec<Duration>);

fn main() {
    let megabytes = std::env::var("STATE_MB").ok().and_then(|mb| mb.parse().ok()).unwrap_or(1_000);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let state = State::open(&path).unwrap();
    let person = fill(&state, megabytes);
    println!("state                       {} MB", bytes(&path) / 1_000_000);
    let journal = Journal::open(&dir.path().join("journal.db"), Box::new(|_| {})).unwrap();
    let mut writer = Writer { state: &state, journal: &journal, person, index: 1 };

    let (mut alone, mut building, mut at_once, mut took) = (vec![], vec![], vec![], vec![]);
    for _ in 0..RUNS {
        alone.push(writer.during(|| std::thread::sleep(ALONE)));
        building.push(writer.during(|| {
            took.push(timed(|| drop(snapshot::build(&state, dir.path()).unwrap())));
        }));
        at_once.push(writer.during(|| in_one_go(&path, &dir.path().join("control.db"))));
    }
    show("alone", &mut alone);
    show("while a snapshot is made", &mut building);
    show("while it is copied in one go", &mut at_once);
    println!("one snapshot takes          {:.1} s", median(&mut took).as_secs_f64());

    let kept = snapshot::current(dir.path()).unwrap().unwrap();
    let reads = AtomicBool::new(true);
    let (installed, longest) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| longest_read(&state, &reads));
        let installed = timed(|| state.install(&kept.path).unwrap());
        reads.store(false, Ordering::Relaxed);
        (installed, reader.join().unwrap())
    });
    println!("installing it takes         {:.1} s", installed.as_secs_f64());
    println!("longest read meanwhile      {:.1} ms", ms(longest));
    drop(state);
    let opened = timed(|| drop(mend::open(&path).unwrap()));
    println!("opening with quick_check    {:.2} s", opened.as_secs_f64());
    let opened = timed(|| drop(State::open(&path).unwrap()));
    println!("opening without             {:.2} s", opened.as_secs_f64());
}

/// People with long CVs; gives one of them.
fn fill(state: &State, megabytes: usize) -> PersonId {
    let mut person = PersonId(Uuid::now_v7());
    for n in 0..(megabytes * 1_000_000 / CV_BYTES).max(1) {
        person = PersonId(Uuid::now_v7());
        let new = NewPerson {
            id: person,
            email: Email::parse("email", &format!("p{n}@example.org")).unwrap(),
            display_name: format!("Person {n}"),
            role: Role::Candidate,
            password_hash: None,
            invite_expires_at: None,
        };
        let add = Envelope::own(Time(1), Command::AddPerson { person: Box::new(new) });
        let set = Envelope::own(Time(1), context(person, CV_BYTES, n as u64));
        let entry = |envelope| Entry { log_id: vec![0], what: Payload::Command(envelope) };
        state.apply(&[entry(&add), entry(&set)]).unwrap();
        if state.is_checkpoint_due() {
            state.checkpoint().unwrap();
        }
    }
    state.checkpoint().unwrap();
    person
}

fn context(person: PersonId, bytes: usize, n: u64) -> Command {
    let words = format!("year {n} of moving parcels through a warehouse without losing any; ");
    let cv_text = words.repeat(bytes / words.len() + 1);
    Command::SetContext {
        person,
        context: Box::new(CandidateContext { cv_text, ..CandidateContext::default() }),
    }
}

impl Writer<'_> {
    /// Writes until the work is done.
    fn during(&mut self, work: impl FnOnce() + Send) -> Times {
        let done = AtomicBool::new(false);
        let mut times = Vec::new();
        std::thread::scope(|scope| {
            let done = &done;
            scope.spawn(move || {
                work();
                done.store(true, Ordering::Relaxed);
            });
            while !done.load(Ordering::Relaxed) {
                times.push(timed(|| self.write()));
                if self.state.is_checkpoint_due() {
                    // Beside the writer, as the node does it.
                    let state = self.state;
                    scope.spawn(move || state.checkpoint().unwrap());
                }
            }
        });
        times.sort_unstable();
        Times(times)
    }

    fn write(&mut self) {
        let envelope = Envelope::own(Time(2), context(self.person, WRITE_BYTES, self.index));
        let payload = serde_json::to_vec(&envelope).unwrap();
        let (tell, told) = channel();
        let done = Box::new(move |result| tell.send(result).unwrap());
        self.journal.append(vec![(self.index, payload)], done);
        told.recv().unwrap().unwrap();
        let log_id = self.index.to_string().into_bytes();
        self.state.apply(&[Entry { log_id, what: Payload::Command(&envelope) }]).unwrap();
        self.index += 1;
    }
}

/// The control: all pages in one go, then one fsync for all of them.
fn in_one_go(from: &Path, to: &Path) {
    let _ = std::fs::remove_file(to);
    let source = rusqlite::Connection::open(from).unwrap();
    let mut copy = rusqlite::Connection::open(to).unwrap();
    let backup = rusqlite::backup::Backup::new(&source, &mut copy).unwrap();
    backup.step(-1).unwrap();
    drop(backup);
    drop(copy);
    File::open(to).unwrap().sync_all().unwrap();
}

fn longest_read(state: &State, goes_on: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while goes_on.load(Ordering::Relaxed) {
        let read = timed(|| {
            state.read(greenroom::store::query::cluster::newest_time).unwrap();
        });
        longest = longest.max(read);
    }
    longest
}

fn show(what: &str, runs: &mut [Times]) {
    let pick = |percent: usize| {
        let mut picked: Vec<Duration> = runs
            .iter()
            .map(|run| run.0[(run.0.len() * percent / 1_000).min(run.0.len() - 1)])
            .collect();
        ms(median(&mut picked))
    };
    let (p50, p99, worst) = (pick(500), pick(990), pick(1_000));
    println!("{what:<28}p50 {p50:.1} ms, p99 {p99:.1} ms, longest {worst:.1} ms");
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}
