//! The state is a function of the journal: however its commands are cut into batches, wherever they
//! are applied, the rows and the outcomes are equal.

mod draws;

use std::path::Path;

use greenroom::domain::command::{Envelope, Outcome};
use greenroom::store::journal::{Done, Journal};
use greenroom::store::state::{Entry, Payload, State};
use greenroom::store::{digest, snapshot};
use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

use draws::{Draw, journal};

/// Applies a journal, cut after so many commands each time.
fn apply(
    state: &State,
    journal: &[Envelope],
    batches: &mut dyn Iterator<Item = usize>,
) -> Vec<Outcome> {
    let (mut outcomes, mut done) = (Vec::new(), 0);
    while done < journal.len() {
        let end = (done + batches.next().unwrap_or(1).max(1)).min(journal.len());
        let entries: Vec<Entry<'_>> = (done..end)
            .map(|n| Entry {
                log_id: n.to_string().into_bytes(),
                what: Payload::Command(&journal[n]),
            })
            .collect();
        let applied = state.apply(&entries).unwrap();
        outcomes.extend(applied.into_iter().map(|applied| applied.outcome.unwrap()));
        done = end;
    }
    outcomes
}

/// Every row of every table.
fn dump(path: &Path) -> String {
    let page = digest::dump(&Connection::open(path).unwrap()).unwrap();
    let tables = page.lines().filter(|line| !line.starts_with(' ')).count();
    assert!(tables >= 15, "{tables} tables: {page}");
    page
}

/// A copy that lives through something: its log in a real journal, its state fed from there.
struct Copy {
    dir: TempDir,
    journal: Option<Journal>,
    state: Option<State>,
}

impl Copy {
    fn new() -> Copy {
        // In memory where that is possible: nothing here is about the disk.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let mut copy = Copy { dir, journal: None, state: None };
        copy.restart();
        copy
    }

    fn restart(&mut self) {
        (self.journal, self.state) = (None, None);
        let journal = self.dir.path().join("journal.db");
        self.journal = Some(Journal::open(&journal, Box::new(|_| {})).unwrap());
        self.state = Some(State::open(&self.dir.path().join("state.db")).unwrap());
    }

    fn state(&self) -> &State {
        self.state.as_ref().unwrap()
    }

    fn written(&self, write: impl FnOnce(&Journal, Done)) {
        let (tell, told) = std::sync::mpsc::channel();
        write(self.journal.as_ref().unwrap(), Box::new(move |done| tell.send(done).unwrap()));
        told.recv().unwrap().unwrap();
    }

    fn append(&self, first: usize, envelopes: &[Envelope]) {
        let entry = |(n, envelope)| (n, serde_json::to_vec(envelope).unwrap());
        let entries = (first as u64..).zip(envelopes).map(entry).collect();
        self.written(|journal, done| journal.append(entries, done));
    }

    /// The place in the log behind the last applied command.
    fn applied(&self) -> u64 {
        let last = self.state().applied().unwrap().0;
        last.map_or(0, |bytes| String::from_utf8(bytes).unwrap().parse::<u64>().unwrap() + 1)
    }

    /// Applies what the journal has and the state does not.
    fn catch_up(&self) {
        let from = self.applied();
        for (n, payload) in (from..).zip(self.journal.as_ref().unwrap().read(from..).unwrap()) {
            let envelope: Envelope = serde_json::from_slice(&payload).unwrap();
            let (log_id, what) = (n.to_string().into_bytes(), Payload::Command(&envelope));
            self.state().apply(&[Entry { log_id, what }]).unwrap();
        }
    }

    /// What may happen to a node between two writes.
    fn suffer(&mut self, fate: u8) {
        let snapshots = self.dir.path().to_owned();
        match fate % 4 {
            0 => self.restart(),
            1 => {
                snapshot::build(self.state(), &snapshots).unwrap();
                let upto = self.applied() - 1;
                self.written(|journal, done| journal.purge(upto, b"here".to_vec(), done));
            }
            2 => {
                // The state is lost: it begins with the snapshot, if there is one.
                self.state = None;
                for name in ["state.db", "state.db-wal", "state.db-shm"] {
                    let _ = std::fs::remove_file(self.dir.path().join(name));
                }
                self.restart();
                if let Some(taken) = snapshot::current(&snapshots).unwrap() {
                    self.state().install(&taken.path).unwrap();
                }
                self.catch_up();
            }
            _ => {
                // A snapshot over a state that is further already, and on from there.
                if let Some(taken) = snapshot::current(&snapshots).unwrap() {
                    self.state().install(&taken.path).unwrap();
                    self.catch_up();
                }
            }
        }
    }
}

fn fresh() -> (TempDir, State) {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(&dir.path().join("state.db")).unwrap();
    (dir, state)
}

proptest! {
    // The seed of a failure is printed with the smallest list that fails.
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn batches_make_no_difference(
        draws in prop::collection::vec(any::<Draw>(), 1..120),
        cuts in prop::collection::vec(1_usize..12, 1..40),
    ) {
        let journal = journal(&draws);
        let (_one, whole) = fresh();
        let (_two, single) = fresh();
        let (_three, cut) = fresh();
        let outcomes = apply(&whole, &journal, &mut std::iter::repeat(journal.len()));
        prop_assert_eq!(&apply(&single, &journal, &mut std::iter::repeat(1)), &outcomes);
        prop_assert_eq!(&apply(&cut, &journal, &mut cuts.iter().copied().cycle()), &outcomes);
        let rows = dump(whole.path());
        prop_assert_eq!(&dump(single.path()), &rows);
        prop_assert_eq!(&dump(cut.path()), &rows);
        // The text of the journal is what other nodes get.
        let told: Vec<Envelope> =
            serde_json::from_str(&serde_json::to_string(&journal).unwrap()).unwrap();
        let (_four, copy) = fresh();
        prop_assert_eq!(&apply(&copy, &told, &mut cuts.iter().copied().cycle()), &outcomes);
        prop_assert_eq!(&dump(copy.path()), &rows);
        // And a snapshot is the same rows again, into an empty state and over a used one.
        let (folder, empty) = fresh();
        let taken = snapshot::build(&whole, folder.path()).unwrap();
        empty.install(&taken.path).unwrap();
        prop_assert_eq!(&dump(empty.path()), &rows);
        prop_assert_eq!(empty.applied().unwrap(), whole.applied().unwrap());
        let (_five, used) = fresh();
        apply(&used, &journal[..journal.len() / 2], &mut std::iter::repeat(7));
        used.install(&taken.path).unwrap();
        prop_assert_eq!(&dump(used.path()), &rows);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn restarts_snapshots_and_losses_make_no_difference(
        draws in prop::collection::vec(any::<Draw>(), 1..100),
        fates in prop::collection::vec((1_usize..16, any::<u8>()), 4..12),
    ) {
        let journal = journal(&draws);
        let (_dir, straight) = fresh();
        apply(&straight, &journal, &mut std::iter::repeat(9));
        let mut copy = Copy::new();
        let (mut done, mut fates) = (0, fates.iter().cycle());
        while done < journal.len() {
            let (count, fate) = fates.next().unwrap();
            let end = (done + count).min(journal.len());
            copy.append(done, &journal[done..end]);
            copy.catch_up();
            copy.suffer(*fate);
            done = end;
        }
        prop_assert_eq!(copy.applied(), journal.len() as u64);
        prop_assert_eq!(dump(copy.state().path()), dump(straight.path()));
    }
}

#[test]
fn the_journals_of_the_property_are_worth_it() {
    let draws: Vec<Draw> = (0_u32..4_000)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes())
        .map(|[a, b, c, d]| (a, b, c, d))
        .collect();
    let mut done = std::collections::BTreeMap::new();
    for draws in draws.chunks(100) {
        let journal = journal(draws);
        let (_dir, state) = fresh();
        for outcome in apply(&state, &journal, &mut std::iter::repeat(journal.len())) {
            let name = format!("{outcome:?}");
            let name = name.split([' ', '{']).next().unwrap_or_default().to_owned();
            *done.entry(name).or_insert(0) += 1;
        }
    }
    for outcome in [
        "Refused", "Replayed", "Person", "SignedIn", "Acted", "Shared", "Thanked", "FileKept",
        "Invited",
    ] {
        assert!(done.get(outcome).is_some_and(|n| *n >= 10), "{outcome} hardly ever: {done:?}");
    }
}
