//! Journals of commands, drawn.

use greenroom::domain::command::{Command, ENVELOPE_VERSION, Envelope, NewPerson, Once};
use greenroom::domain::file::NewFile;
use greenroom::domain::id::{InterviewId, PersonId};
use greenroom::domain::interview::{Kind, Member, Part, Plan, Question};
use greenroom::domain::number::Milli;
use greenroom::domain::person::{CandidateContext, Role, Session};
use greenroom::domain::room::Act;
use greenroom::domain::text::Email;
use greenroom::domain::time::Time;
use greenroom::store::schema;

/// Numbers from which a command is made; small, so that commands meet the same things.
pub(super) type Draw = (u8, u8, u8, u8);

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
        skipped_seq: None,
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
        // People of whom only two bring files, so that the parts and the whole meet.
        12 => Command::KeepFilePart {
            person: person(a % 2),
            file: id(11, a % 2),
            number: u32::from(c % 8 == 7),
            content: "Q1Y6".to_owned(),
        },
        13 => {
            let file = NewFile {
                id: id(11, a % 2),
                name: text(),
                media_type: "text/plain".to_owned(),
                bytes: 3,
                sha256: String::new(),
            };
            Command::KeepCv { person: person(a % 2), file: Box::new(file), text: text() }
        }
        14..=19 => of_cluster(kind % 32, draw, n, at),
        _ => act(draw, n),
    }
}

/// What changes who is in the cluster, and the schema that all agree on.
fn of_cluster(kind: u8, (_, a, b, c): Draw, n: u8, at: Time) -> Command {
    let (cluster, http) = (format!("10.0.0.{a}:1"), format!("http://10.0.0.{a}"));
    let node = u64::from(b % 6);
    match kind {
        14 => Command::InviteNode { token: id(10, a % 8), expires_at: at.plus_ms(9_000) },
        15 | 16 => {
            let public_key = format!("{:064x}", b % 5);
            Command::AdmitNode { token: id(10, a % 8), public_key, cluster, http }
        }
        17 => Command::PlaceNode { node, cluster, http },
        18 if c % 3 > 0 => Command::RetireNode { node },
        18 => Command::KeepAuthority {
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
pub(super) fn journal(draws: &[Draw]) -> Vec<Envelope> {
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
        from: None,
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
