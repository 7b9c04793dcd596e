//! Every command, in an envelope, as it lies in journals.

use std::collections::BTreeSet;

use greenroom::domain::analysis::TimedWord;
use greenroom::domain::command::{
    Command, ENVELOPE_VERSION, Envelope, Factor, KeyStep, NewPerson, Once, Outsider, Witnessed,
};
use greenroom::domain::file::NewFile;
use greenroom::domain::id::PersonId;
use greenroom::domain::interview::{Because, Kind, Member, Part, Plan, Question};
use greenroom::domain::kit::{Competency, Kit, KitQuestion};
use greenroom::domain::number::Milli;
use greenroom::domain::person::{CandidateContext, Role, Session};
use greenroom::domain::privacy::{self, Kept, Subject};
use greenroom::domain::rate::{Class, Rule, Tier};
use greenroom::domain::room::Act;
use greenroom::domain::text::Email;
use greenroom::domain::time::Time;

use super::{analysis, id, kept_for_ever};

const AT: Time = Time(1_795_000_000_120);

fn text(text: &str) -> String {
    text.to_owned()
}

fn session() -> Session {
    Session {
        id: id(4),
        person: id(1),
        generation: 2,
        created_at: AT,
        expires_at: AT.plus_ms(60_000),
        revoked_at: Some(AT),
    }
}

fn person(password_hash: Option<String>) -> Box<NewPerson> {
    Box::new(NewPerson {
        id: id(1),
        email: Email::parse("email", "ada@example.org").unwrap(),
        display_name: text("Ada"),
        role: Role::Admin,
        invite_expires_at: password_hash.is_none().then_some(AT),
        password_hash,
    })
}

fn account_commands() -> Vec<Command> {
    let context = CandidateContext {
        cv_text: text("Baker, 2019"),
        job_description: text("Bake."),
        target_role: text("Head baker"),
        mode: text("general"),
        assist_intensity: 2,
    };
    let (signing_key, link_key) = (text("c2lnbg=="), text("bGluaw=="));
    vec![
        Command::Found { cluster_id: id(9), signing_key, link_key },
        Command::SetUp {
            organisation: text("Lighthouse"),
            admin: person(Some(text("$argon2id$"))),
            session: session(),
        },
        Command::AddPerson { person: person(None) },
        Command::ChangePerson {
            person: id(1),
            display_name: Some(text("Ada L.")),
            role: Some(Role::Manager),
            disabled: Some(true),
        },
        Command::ChangePerson { person: id(1), display_name: None, role: None, disabled: None },
        Command::RenewInvite { person: id(1), expires_at: AT },
        Command::AcceptInvite {
            person: id(1),
            generation: 3,
            display_name: None,
            password_hash: text("$argon2id$"),
            session: Session { revoked_at: None, ..session() },
        },
        Command::OpenSession { session: session() },
        Command::RefreshSession { session: id(4), generation: 1, expires_at: AT },
        Command::CloseSession { session: id(4) },
        Command::SetContext { person: id(1), context: Box::new(context) },
    ]
}

fn cluster_commands() -> Vec<Command> {
    vec![
        Command::KeepAuthority {
            certificate: text("-----BEGIN CERTIFICATE-----"),
            key: text("-----BEGIN PRIVATE KEY-----"),
            node: 1,
            public_key: text("ab12"),
        },
        Command::InviteNode { token: id::<PersonId>(7).0, expires_at: AT },
        Command::AdmitNode {
            token: id::<PersonId>(7).0,
            public_key: text("cd34"),
            cluster: text("10.0.0.2:8081"),
            http: text("http://10.0.0.2:8080"),
        },
        Command::PlaceNode {
            node: 2,
            cluster: text("10.0.0.3:8081"),
            http: text("http://10.0.0.3:8080"),
        },
        Command::RetireNode { node: 2 },
        Command::Refound {
            cluster_id: id(8),
            reason: text("recover"),
            loss: text("whatever nodes 2 and 3 had alone"),
        },
    ]
}

fn file_commands() -> Vec<Command> {
    let file = NewFile {
        id: id(10),
        name: text("cv.md"),
        media_type: text("text/markdown; charset=utf-8"),
        bytes: 3,
        sha256: "0f".repeat(32),
    };
    vec![
        Command::KeepFilePart { person: id(1), file: id(10), number: 0, content: text("Q1Y6") },
        Command::KeepCv { person: id(1), file: Box::new(file), text: text("CV:") },
    ]
}

fn door_commands() -> Vec<Command> {
    let (class, tier) = (Class::Upload, Tier::Anonymous);
    let outsider = Outsider {
        issuer: text("https://id.example.org"),
        subject: text("ada-1"),
        said_at: AT,
        own_address: Email::parse("email", "ada-1@outside.invalid").unwrap(),
    };
    vec![
        Command::SetRateLimits {
            rules: vec![Rule { class, tier, requests: 300, window_seconds: 60 }],
        },
        Command::Welcome { outsider: Box::new(outsider), person: person(None) },
    ]
}

fn privacy_commands() -> Vec<Command> {
    let uuid = |n| id::<PersonId>(n).0;
    let (interview, person) = (id(5), id(1));
    let (hold, receipt) = (uuid(11), uuid(12));
    let held = |subject| Command::Hold { hold, subject, reason: text("case 7") };
    vec![
        Command::Consent {
            interview,
            person,
            given: false,
            text: text("I agree."),
            sha256: "0f".repeat(32),
        },
        Command::SetRetention { rules: vec![privacy::Rule { kind: Kept::Practice, days: 90 }] },
        held(Subject::Person(person)),
        held(Subject::Interview(interview)),
        Command::Release { hold },
        Command::Erase { person, receipt },
        Command::Expire { receipt, interviews: vec![interview], contexts: vec![person] },
        Command::Witness { what: Witnessed::DataExport, subject: text("1") },
        Command::ChangePassword { person, password_hash: text("$argon2id$"), keep: Some(id(4)) },
        Command::BeginTotp { person, secret: text("GEZDGNBV") },
        Command::ConfirmTotp { person, step: 37, recovery: vec!["0f".repeat(32)] },
        Command::DropTotp { person },
        Command::OpenSessionWith { session: session(), factor: Factor::Step(38) },
        Command::OpenSessionWith { session: session(), factor: Factor::Recovery("0f".repeat(32)) },
    ]
}

fn interview_commands() -> Vec<Command> {
    let kit = Kit {
        id: text("porter"),
        version: 3,
        title: text("Porter"),
        role: text("Porter"),
        description: text("Who watches."),
        competencies: vec![Competency {
            id: text("calm"),
            name: text("Calm"),
            about: text("Stays calm."),
            anchors: ["one", "two", "three", "four", "five"].map(text).to_vec(),
        }],
        questions: vec![KitQuestion {
            id: text("q1"),
            text: text("What woke you?"),
            competency: text("calm"),
            looks_for: vec![text("a time")],
            focus: vec![text("night")],
        }],
    };
    let plan = Plan {
        id: id(5),
        owner: id(1),
        kind: Kind::Practice,
        title: text("Trial"),
        role: Some(text("Porter")),
        mode: None,
        kit_id: Some(text("porter")),
        auto_ask: true,
        created_at: AT,
        scheduled_at: Some(AT),
    };
    let question = Question {
        id: id(2),
        text: text("What woke you?"),
        competency: Some(text("calm")),
        focus: vec![text("night")],
        asked_seq: None,
        answer_id: None,
        skipped_seq: None,
    };
    let (share, interview) = (id(6), id(5));
    let mut commands = vec![
        Command::PutKit { kit: Box::new(kit) },
        Command::CreateInterview {
            plan: Box::new(plan),
            members: vec![Member { person: id(1), part: Part::Candidate }],
            questions: vec![question],
        },
        Command::Share { share, interview, token_hash: "0f".repeat(32), expires_at: AT },
        Command::Unshare { share, interview },
        Command::GiveFeedback { feedback: id(7), interview, accurate: false, note: None },
    ];
    commands.extend(acts().into_iter().map(|act| Command::Act { interview, act: Box::new(act) }));
    commands
}

fn acts() -> Vec<Act> {
    let words = vec![TimedWord(text("caf\u{e9}"), Milli(120), Milli::whole(1))];
    vec![
        Act::Start {},
        Act::Finish {},
        Act::Cancel {},
        Act::Ask { question_id: id(2), text: text("Why?") },
        Act::Say { question_id: None, text: text("So."), words: Some(words.clone()) },
        Act::Answer {
            answer_id: id(3),
            question_id: id(2),
            text: text("caf\u{e9}"),
            words: Some(words),
            duration_s: Some(Milli(1_500)),
            analysis: Some(Box::new(analysis())),
        },
        Act::Note { note_id: id(8), text: text("Calm."), question_id: Some(id(2)) },
        Act::AddMember { person: id(1), part: Part::Interviewer },
        Act::RemoveMember { person: id(1) },
        Act::ReportReady { report: text("{}"), score: Some(Milli(53_250)) },
    ]
}

/// The place of a command. A new one does not compile here until it has a place, and then lacks a
/// sample.
fn place(command: &Command) -> usize {
    match command {
        Command::Found { .. } => 0,
        Command::SetUp { .. } => 1,
        Command::AddPerson { .. } => 2,
        Command::ChangePerson { .. } => 3,
        Command::RenewInvite { .. } => 4,
        Command::AcceptInvite { .. } => 5,
        Command::OpenSession { .. } => 6,
        Command::RefreshSession { .. } => 7,
        Command::CloseSession { .. } => 8,
        Command::SetContext { .. } => 9,
        Command::PutKit { .. } => 10,
        Command::CreateInterview { .. } => 11,
        Command::Share { .. } => 12,
        Command::Unshare { .. } => 13,
        Command::GiveFeedback { .. } => 14,
        Command::Act { act, .. } => match **act {
            Act::Start {} => 15,
            Act::Finish {} => 16,
            Act::Cancel {} => 17,
            Act::Ask { .. } => 18,
            Act::Say { .. } => 19,
            Act::Answer { .. } => 20,
            Act::Note { .. } => 21,
            Act::AddMember { .. } => 22,
            Act::RemoveMember { .. } => 23,
            Act::ReportReady { .. } => 24,
            Act::Skip { .. } => 35,
            Act::Lapse { .. } => 36,
            Act::Next { .. } => 41,
        },
        Command::KeepAuthority { .. } => 25,
        Command::InviteNode { .. } => 26,
        Command::AdmitNode { .. } => 27,
        Command::PlaceNode { .. } => 28,
        Command::RetireNode { .. } => 29,
        Command::Refound { .. } => 30,
        Command::RaiseLevel { .. } => 31,
        Command::LowerLevel { .. } => 32,
        Command::KeepFilePart { .. } => 33,
        Command::KeepCv { .. } => 34,
        Command::PutCalibration { .. } => 37,
        Command::ActivateCalibration { .. } => 38,
        Command::SetRateLimits { .. } => 39,
        Command::Welcome { .. } => 40,
        Command::Consent { .. } => 42,
        Command::SetRetention { .. } => 43,
        Command::Hold { .. } => 44,
        Command::Release { .. } => 45,
        Command::Erase { .. } => 46,
        Command::Expire { .. } => 47,
        Command::Witness { .. } => 48,
        Command::ChangePassword { .. } => 49,
        Command::BeginTotp { .. } => 50,
        Command::ConfirmTotp { .. } => 51,
        Command::DropTotp { .. } => 52,
        Command::OpenSessionWith { .. } => 53,
        Command::OpenToken { .. } => 54,
        Command::RotateKey { .. } => 55,
        Command::NextKey { step: KeyStep::Prepare { .. } } => 56,
        Command::NextKey { step: KeyStep::Turn { .. } } => 57,
        Command::NoteUses { .. } => 58,
    }
}

#[test]
fn every_command_is_read_as_it_was_written() {
    let mut commands = account_commands();
    commands.extend(interview_commands());
    commands.extend(cluster_commands());
    commands.extend([Command::RaiseLevel { to: 2 }, Command::LowerLevel { to: 1 }]);
    commands.extend(file_commands());
    let because = Because { rule: text("next.bank"), text: text("Why."), about: Some(id(2)) };
    let next = Act::Next { question_id: id(3), text: text("And then?"), because };
    let turns = [Act::Skip { question_id: id(2) }, Act::Lapse { seen: 7 }, next];
    let act = |act| Command::Act { interview: id(4), act: Box::new(act) };
    commands.extend(turns.map(act));
    commands.push(Command::PutCalibration {
        version: text("own-1"),
        sha256: "0f".repeat(32),
        toml: text("version = \"own-1\"\n"),
        golden: text("[]"),
    });
    commands.push(Command::ActivateCalibration { version: text("own-1") });
    commands.extend(door_commands());
    commands.extend(privacy_commands());
    let read_only = true;
    commands.push(Command::OpenToken { session: session(), name: text("Nightly"), read_only });
    let (signing_key, former) = (text("MFECAQ=="), text("AAAA"));
    commands.push(Command::RotateKey { signing_key, former, until: AT });
    let (signing_key, public_key) = (text("MFECAQ=="), text("BBBB"));
    let prepare = KeyStep::Prepare { signing_key, public_key: public_key.clone() };
    let turn = KeyStep::Turn { public_key, former: text("AAAA"), until: AT };
    commands.extend([prepare, turn].map(|step| Command::NextKey { step }));
    commands.push(Command::NoteUses { day: AT.day(), tokens: vec![id(4)] });
    let what = Witnessed::SignInFailed;
    commands.push(Command::Witness { what, subject: text("unknown") });
    let places: BTreeSet<usize> = commands.iter().map(place).collect();
    assert!(places.into_iter().eq(0..=58), "one of each command at least");
    let once = Once { scope: text("person:1"), key: text("k"), fingerprint: "0f".repeat(32) };
    let envelope = |(n, command): (usize, Command)| Envelope {
        v: ENVELOPE_VERSION,
        at: AT.plus_ms(n as i64),
        by: (n > 1).then(|| id(1)),
        request_id: (n % 2 == 0).then(|| text("request-1")),
        from: (n % 4 == 0).then(|| text("203.0.113.0/24")),
        once: (n % 3 == 0).then(|| once.clone()),
        command,
    };
    let envelopes: Vec<Envelope> = commands.into_iter().enumerate().map(envelope).collect();
    kept_for_ever("commands.json", &envelopes);
}
