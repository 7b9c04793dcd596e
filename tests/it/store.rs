//! The state is a function of the journal: however its commands are cut into batches, wherever they
//! are applied, the rows and the outcomes are equal.

use std::fmt::Write;
use std::path::Path;

use greenroom::domain::command::{Command, ENVELOPE_VERSION, Envelope, NewPerson, Once, Outcome};
use greenroom::domain::file::NewFile;
use greenroom::domain::id::{InterviewId, PersonId};
use greenroom::domain::interview::{Kind, Member, Part, Plan, Question};
use greenroom::domain::number::Milli;
use greenroom::domain::person::{CandidateContext, Role, Session};
use greenroom::domain::room::Act;
use greenroom::domain::text::Email;
use greenroom::domain::time::Time;
use greenroom::store::journal::{Done, Journal};
use greenroom::store::schema;
use greenroom::store::snapshot;
use greenroom::store::state::{Entry, Payload, State};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

/// Numbers from which a command is made; small, so that commands meet the same things.
type Draw = (u8, u8, u8, u8);

/// People who are always there, because whoever asks for something is there; and interviews.
const FEW: u8 = 4;

fn id<T: std::str::FromStr>(noun: u8, n: u8) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f{noun:02x}{n:02x}").parse().unwrap()
}

fn person(n: u8) -> PersonId {
    id(1, n % FEW)
}

fn interview(n: u8) -> InterviewId {
    id(2, n % FEW)
}

fn session(n: u8, at: Time) -> Session {
    Session {
        id: id(3, n),
        person: person(n),
        generation: 0,
        created_at: at,
        expires_at: at.plus_ms(i64::from(n) * 500),
        revoked_at: None,
    }
}

/// The n-th person; only the first few ever ask for something.
fn new_person(n: u8, joined: bool, at: Time) -> Box<NewPerson> {
    let roles = [Role::Admin, Role::Candidate, Role::Interviewer, Role::Observer];
    Box::new(NewPerson {
        id: id(1, n),
        email: Email::parse("email", &format!("p{n}@example.org")).unwrap(),
        display_name: format!("Person {n}"),
        role: roles[usize::from(n % 4)],
        password_hash: joined.then(|| "hash".to_owned()),
        invite_expires_at: (!joined).then(|| at.plus_ms(20_000)),
    })
}

/// A new interview; its owner and members are people who are always there, as they are when one
/// asks for it.
fn create((_, a, b, c): Draw, at: Time) -> Command {
    let question = |n: u8| Question {
        id: id(4, (a % FEW) * 16 + n),
        text: format!("Question {n}?"),
        competency: None,
        focus: vec!["night".to_owned()],
        asked_seq: None,
        answer_id: None,
    };
    let plan = Plan {
        id: interview(a),
        owner: person(0),
        kind: if b % 2 == 0 { Kind::Practice } else { Kind::Live },
        title: "Trial".to_owned(),
        role: None,
        mode: None,
        kit_id: None,
        auto_ask: b % 3 > 0,
        created_at: at,
        scheduled_at: (c % 4 == 0).then_some(at),
    };
    let part = if b % 2 == 0 { Part::Candidate } else { Part::Interviewer };
    let members = vec![Member { person: person(0), part }];
    Command::CreateInterview {
        plan: Box::new(plan),
        members,
        questions: (0..c % 4).map(question).collect(),
    }
}

fn act((_, a, b, c): Draw, n: u8) -> Command {
    let question_id = id(4, (a % FEW) * 16 + c % 6);
    let text = format!("Words {n}");
    let part = [Part::Candidate, Part::Interviewer, Part::Observer][usize::from(c % 3)];
    let act = match b % 14 {
        0..=2 => Act::Start {},
        3 => Act::Finish {},
        4 if c % 4 == 0 => Act::Cancel {},
        4 | 5 => Act::Ask { question_id: id(5, n), text },
        6 => Act::Say { question_id: (c % 2 == 0).then_some(question_id), text, words: None },
        7 | 8 => Act::Answer {
            answer_id: id(6, n),
            question_id,
            text,
            words: None,
            duration_s: Some(Milli(1_500)),
            analysis: None,
        },
        9 => Act::Note { note_id: id(7, n), text, question_id: None },
        10 | 11 => Act::AddMember { person: person(c), part },
        12 => Act::RemoveMember { person: person(c) },
        _ => Act::ReportReady { report: "{}".to_owned(), score: Some(Milli(n.into())) },
    };
    Command::Act { interview: interview(a), act: Box::new(act) }
}

fn command(draw: Draw, n: u8, at: Time) -> Command {
    let (kind, a, b, c) = draw;
    let expires_at = at.plus_ms(i64::from(c) * 300);
    let text = || format!("Text {n}");
    match kind % 32 {
        0 => Command::AddPerson { person: new_person(a % (3 * FEW), b % 2 == 0, at) },
        1 => Command::ChangePerson {
            person: person(a),
            display_name: (b % 2 == 0).then(text),
            role: (b % 3 == 0).then_some(Role::Manager),
            disabled: (c % 2 == 0).then_some(c % 4 == 0),
        },
        2 => Command::RenewInvite { person: person(a), expires_at },
        3 => Command::AcceptInvite {
            person: person(a),
            generation: u32::from(b % 3),
            display_name: None,
            password_hash: text(),
            session: Session { person: person(a), ..session(n, at) },
        },
        4 => Command::OpenSession { session: session(n, at) },
        5 => {
            Command::RefreshSession { session: id(3, a), generation: u32::from(b % 2), expires_at }
        }
        6 => Command::CloseSession { session: id(3, a) },
        7 => Command::SetContext {
            person: person(0),
            context: Box::new(CandidateContext { cv_text: text(), ..Default::default() }),
        },
        8 => Command::Share {
            share: id(8, n),
            interview: interview(a),
            token_hash: format!("{n:064x}"),
            expires_at,
        },
        9 => Command::Unshare { share: id(8, b), interview: interview(a) },
        10 => Command::GiveFeedback {
            feedback: id(9, n),
            interview: interview(a),
            accurate: b % 2 == 0,
            note: None,
        },
        11 => create((kind, a, b, c), at),
        12 => Command::KeepFilePart {
            person: person(a),
            file: id(10, (a % FEW) * 2 + b % 2),
            number: u32::from(c % 4 == 3),
            content: "Q1Y6".to_owned(),
        },
        13 => {
            let file = NewFile {
                id: id(10, (a % FEW) * 2 + b % 2),
                name: text(),
                media_type: "text/plain".to_owned(),
                bytes: 3,
                sha256: String::new(),
            };
            Command::KeepCv { person: person(a), file: Box::new(file), text: text() }
        }
        14..=19 => of_cluster(kind % 32 - 2, draw, n, at),
        _ => act(draw, n),
    }
}

/// What changes who is in the cluster, and the schema that all agree on.
fn of_cluster(kind: u8, (_, a, b, c): Draw, n: u8, at: Time) -> Command {
    let (cluster, http) = (format!("10.0.0.{a}:1"), format!("http://10.0.0.{a}"));
    let node = u64::from(b % 6);
    match kind {
        12 => Command::InviteNode { token: id(10, a % 8), expires_at: at.plus_ms(9_000) },
        13 | 14 => {
            let public_key = format!("{:064x}", b % 5);
            Command::AdmitNode { token: id(10, a % 8), public_key, cluster, http }
        }
        15 => Command::PlaceNode { node, cluster, http },
        16 if c % 3 > 0 => Command::RetireNode { node },
        16 => Command::KeepAuthority {
            certificate: "certificate".to_owned(),
            key: "key".to_owned(),
            node: 1,
            public_key: format!("{n:064x}"),
        },
        _ if c % 4 > 0 => Command::RaiseLevel { to: u32::from(c).min(schema::NEWEST) },
        _ if c % 8 > 0 => Command::LowerLevel { to: 1 },
        _ => Command::Refound {
            cluster_id: id(0, n),
            reason: "recover".to_owned(),
            loss: "nothing".to_owned(),
        },
    }
}

/// A journal: a founded and set-up cluster with interviews, and whatever was drawn.
fn journal(draws: &[Draw]) -> Vec<Envelope> {
    let start = Time(1_795_000_000_000);
    let mut commands = vec![
        Command::Found {
            cluster_id: id(0, 0),
            signing_key: "key".to_owned(),
            link_key: "key".to_owned(),
        },
        Command::RaiseLevel { to: schema::NEWEST },
        Command::SetUp {
            organisation: "Lighthouse".to_owned(),
            admin: new_person(0, true, start),
            session: session(200, start),
        },
    ];
    let joined = |n: u8| Command::AddPerson { person: new_person(n, n == 2, start) };
    commands.extend((1..FEW).map(joined));
    commands.extend((0..FEW).map(|n| create((11, n, n, n + 1), start)));
    let fixed = commands.len();
    let envelope = |(n, command): (usize, Command)| Envelope {
        v: ENVELOPE_VERSION,
        at: start.plus_ms(n as i64 * 1_000),
        by: Some(person(0)),
        request_id: None,
        once: None,
        command,
    };
    let mut journal: Vec<Envelope> = commands.into_iter().enumerate().map(envelope).collect();
    for (n, draw) in draws.iter().enumerate() {
        let at = start.plus_ms((fixed + n) as i64 * 1_000);
        // Each interview is made once: its id comes from the proposer, who never makes it twice.
        let command = match command(*draw, n as u8, at) {
            Command::CreateInterview { .. } => act(*draw, n as u8),
            command => command,
        };
        let key = draw.0 ^ draw.3;
        journal.push(Envelope {
            by: Some(person(if draw.1 % 5 == 0 { draw.2 } else { 0 })),
            once: (key % 3 == 0).then(|| Once {
                scope: "person".to_owned(),
                key: format!("key {}", key % 8),
                fingerprint: format!("{}", draw.2 % 2),
            }),
            ..envelope((fixed + n, command))
        });
    }
    journal
}

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

/// Every row of every table, ordered by primary key.
fn dump(path: &Path) -> String {
    let db = Connection::open(path).unwrap();
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let mut page = String::new();
    let tables = texts("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    assert!(tables.len() >= 15, "{tables:?}");
    for table in tables {
        let key = format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk");
        let key = texts(&key).join(", ");
        assert!(!key.is_empty(), "{table} has no primary key");
        writeln!(page, "{table}").unwrap();
        let mut rows = db.prepare(&format!("SELECT * FROM {table} ORDER BY {key}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Null => page.push_str(" -"),
                    ValueRef::Integer(n) => write!(page, " {n}").unwrap(),
                    ValueRef::Real(n) => write!(page, " {n:?}").unwrap(),
                    ValueRef::Text(text) => {
                        write!(page, " {:?}", std::str::from_utf8(text).unwrap()).unwrap();
                    }
                    ValueRef::Blob(bytes) => write!(page, " {bytes:?}").unwrap(),
                }
            }
            page.push('\n');
        }
    }
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
    for outcome in
        ["Refused", "Replayed", "Person", "SignedIn", "Acted", "Shared", "Thanked", "FileKept", "Invited"]
    {
        assert!(done.get(outcome).is_some_and(|n| *n >= 10), "{outcome} hardly ever: {done:?}");
    }
}
