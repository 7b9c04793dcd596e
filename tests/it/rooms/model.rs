//! The rules of a room once more, from the contract: whatever anybody tries, `decide` and the model
//! say the same.

use std::collections::{BTreeMap, BTreeSet};

use greenroom::domain::event::{Event, Happening};
use greenroom::domain::id::PersonId;
use greenroom::domain::interview::{Kind, Part, Plan, Question};
use greenroom::domain::limit;
use greenroom::domain::refusal::{Code, Refusal};
use greenroom::domain::room::{Act, Room, decide, fold};
use greenroom::domain::time::Time;
use proptest::prelude::*;

/// Who acts, what, on what, and one more choice.
type Draw = (u8, u8, u8, u8);

/// People of the tests; the first owns the room and the last never gets in by itself.
const PEOPLE: u8 = 6;

/// Questions that are talked of; a few of them are planned, some are never asked.
const QUESTIONS: u8 = 8;

/// The moves, the everyday ones more often than those that end everything.
const MOVES: [&str; 28] = [
    "start", "start", "start", "ask", "ask", "ask", "ask", "say", "say", "say", "answer", "answer",
    "answer", "answer", "answer", "note", "note", "add", "add", "add", "remove", "finish",
    "cancel", "report", "skip", "skip", "skip", "lapse",
];

/// What the contract knows of a room, in its own words.
#[derive(Clone, Debug)]
struct Model {
    practice: bool,
    auto_ask: bool,
    state: &'static str,
    members: BTreeMap<u8, Part>,
    planned: Vec<u8>,
    asked: BTreeSet<u8>,
    answered: BTreeSet<u8>,
    skipped: BTreeSet<u8>,
    reported: bool,
    seq: u64,
}

/// A move before it is put into the words of the product.
#[derive(Clone, Copy, Debug)]
struct Try {
    by: Option<u8>,
    verb: &'static str,
    question: Option<u8>,
    person: u8,
    part: Part,
}

impl Model {
    fn over(&self) -> bool {
        matches!(self.state, "finished" | "cancelled")
    }

    fn known(&self, question: u8) -> bool {
        self.planned.contains(&question) || self.asked.contains(&question)
    }

    /// Section 3: "`ask`, `say`, `answer` before start are `conflict.state`, after the end
    /// `room.closed`".
    fn while_live(&self) -> Result<(), Code> {
        match self.state {
            "live" => Ok(()),
            _ if self.over() => Err(Code::RoomClosed),
            _ => Err(Code::ConflictState),
        }
    }

    /// Section 8.8: nothing can be done with an interview that is over.
    fn while_open(&self) -> Result<(), Code> {
        if self.over() { Err(Code::RoomClosed) } else { Ok(()) }
    }

    /// The "who" columns of sections 2 and 3; a room that is not yours does not exist for you.
    fn allowed(&self, made: &Try) -> Result<(), Code> {
        let Some(by) = made.by else {
            let own = matches!(made.verb, "report" | "lapse");
            return if own { Ok(()) } else { Err(Code::AccessDenied) };
        };
        let part = *self.members.get(&by).ok_or(Code::NotFound)?;
        let owner = by == 0;
        let allowed = match made.verb {
            "ask" | "skip" => part == Part::Interviewer || (owner && self.practice),
            "say" => part != Part::Observer,
            "answer" => part == Part::Candidate,
            "note" => part == Part::Interviewer,
            "report" | "lapse" => false,
            _ => owner,
        };
        if allowed { Ok(()) } else { Err(Code::AccessDenied) }
    }

    /// The kinds of the events that the move leads to, or the code of its refusal.
    fn expect(&self, made: &Try) -> Result<Vec<&'static str>, Code> {
        self.allowed(made)?;
        let need = |holds: bool, code: Code| if holds { Ok(()) } else { Err(code) };
        let conflict = Code::ConflictState;
        let question = made.question.unwrap_or_default();
        let mut kinds = Vec::new();
        match made.verb {
            "start" => {
                self.while_open()?;
                need(self.state != "live", conflict)?;
                kinds.push("interview.started");
                kinds.extend(self.next().map(|_| "question.asked"));
            }
            "finish" => {
                self.while_open()?;
                need(self.state == "live", conflict)?;
                kinds.push("interview.finished");
            }
            "cancel" => {
                self.while_open()?;
                kinds.push("interview.cancelled");
            }
            "lapse" => {
                self.while_open()?;
                need(made.part != Part::Observer, conflict)?;
                let live = self.state == "live";
                kinds.push(if live { "interview.finished" } else { "interview.cancelled" });
            }
            "ask" => {
                self.while_live()?;
                need(!self.known(question), conflict)?;
                kinds.push("question.asked");
            }
            "say" | "answer" | "skip" => {
                self.while_live()?;
                if let Some(question) = made.question {
                    need(self.known(question), Code::NotFound)?;
                    need(self.asked.contains(&question), conflict)?;
                }
                if made.verb == "say" {
                    kinds.push("transcript.final");
                } else {
                    let closed = self.answered.contains(&question);
                    need(!closed && !self.skipped.contains(&question), conflict)?;
                    let skips = made.verb == "skip";
                    kinds.push(if skips { "question.skipped" } else { "answer.analysed" });
                    kinds.extend(self.next().map(|_| "question.asked"));
                }
            }
            // Notes are no events and may still be written when it is over.
            "note" => need(made.question.is_none_or(|q| self.known(q)), Code::NotFound)?,
            "add" => {
                need(!self.practice, conflict)?;
                self.while_open()?;
                need(self.members.get(&made.person) != Some(&made.part), conflict)?;
                kinds.push("member.added");
            }
            // Also when it is over: access to the report can be taken away.
            "remove" => {
                need(self.members.contains_key(&made.person), Code::NotFound)?;
                need(made.person != 0, conflict)?;
                kinds.push("member.removed");
            }
            _ => {
                need(self.state == "finished" && !self.reported, conflict)?;
                kinds.push("report.ready");
            }
        }
        Ok(kinds)
    }

    /// The planned question that the room asks by itself.
    fn next(&self) -> Option<u8> {
        let mut open = self.planned.iter().filter(|question| !self.asked.contains(question));
        open.next().copied().filter(|_| self.auto_ask)
    }

    /// The move happened.
    fn take(&mut self, made: &Try, events: usize) {
        self.seq += events as u64;
        let next = self.next();
        match made.verb {
            "start" => self.state = "live",
            "finish" => self.state = "finished",
            "cancel" => self.state = "cancelled",
            "ask" => self.asked.extend(made.question),
            "answer" => self.answered.extend(made.question),
            "skip" => self.skipped.extend(made.question),
            "lapse" if self.state == "live" => self.state = "finished",
            "lapse" => self.state = "cancelled",
            "add" => drop(self.members.insert(made.person, made.part)),
            "remove" => drop(self.members.remove(&made.person)),
            "report" => self.reported = true,
            _ => {}
        }
        if matches!(made.verb, "start" | "answer" | "skip") {
            self.asked.extend(next);
        }
    }
}

/// An id that ends in this number.
fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(n: u64) -> T {
    format!("019a0b1c-2d3e-7f40-8a5b-{n:012x}").parse().unwrap()
}

fn part(n: u8) -> Part {
    [Part::Candidate, Part::Interviewer, Part::Observer][usize::from(n % 3)]
}

/// A room and its model, of one of the shapes that a room can have.
fn made(shape: u8, planned: u8) -> (Room, Model) {
    let practice = shape & 1 == 0;
    let (auto_ask, scheduled) = (shape & 2 == 0, shape & 4 == 0);
    let own = if practice { Part::Candidate } else { part(shape >> 3) };
    let mut members = BTreeMap::from([(0, own)]);
    if !practice {
        members.extend([(1, Part::Candidate), (2, Part::Interviewer), (3, Part::Observer)]);
    }
    let planned: Vec<u8> = (0..planned).collect();
    let plan = Plan {
        id: id(900),
        owner: id(0),
        kind: if practice { Kind::Practice } else { Kind::Live },
        title: "A room".to_owned(),
        role: None,
        mode: None,
        kit_id: None,
        auto_ask,
        created_at: Time(0),
        scheduled_at: scheduled.then_some(Time(1)),
    };
    let people = members.iter().map(|(n, part)| (id(u64::from(*n)), *part)).collect();
    let questions = planned.iter().map(|n| Question {
        id: id(u64::from(*n)),
        text: "Why?".to_owned(),
        competency: None,
        focus: Vec::new(),
        asked_seq: None,
        answer_id: None,
        skipped_seq: None,
    });
    let model = Model {
        practice,
        auto_ask,
        state: if scheduled { "scheduled" } else { "lobby" },
        members,
        planned: planned.clone(),
        asked: BTreeSet::new(),
        answered: BTreeSet::new(),
        skipped: BTreeSet::new(),
        reported: false,
        seq: 0,
    };
    (Room::new(plan, people, questions.collect()), model)
}

fn attempt((who, what, on, other): Draw) -> Try {
    let verb = MOVES[usize::from(what) % MOVES.len()];
    // Half of everything is done by the owner, so that rooms come alive; most reports come from
    // the product itself.
    let itself = if matches!(verb, "report" | "lapse") { who % 4 != 0 } else { who % 32 == 31 };
    let person = if who % 2 == 0 { 0 } else { (who / 2) % PEOPLE };
    let question = (verb != "say" && verb != "note" || other % 2 == 0).then_some(on % QUESTIONS);
    Try { by: (!itself).then_some(person), verb, question, person: on % PEOPLE, part: part(other) }
}

fn act(made: &Try, n: u64, seen: u64) -> Act {
    let text = "Words.".to_owned();
    let question_id = made.question.map(|n| id(u64::from(n)));
    let asked = id(u64::from(made.question.unwrap_or_default()));
    let (person, part) = (id(u64::from(made.person)), made.part);
    let (words, duration_s, analysis) = (None, None, None);
    match made.verb {
        "start" => Act::Start {},
        "finish" => Act::Finish {},
        "cancel" => Act::Cancel {},
        "ask" => Act::Ask { question_id: asked, text },
        "say" => Act::Say { question_id, text, words },
        "answer" => {
            let answer_id = id(1_000 + n);
            Act::Answer { answer_id, question_id: asked, text, words, duration_s, analysis }
        }
        "skip" => Act::Skip { question_id: asked },
        // An observer's part stands for one that looked too long ago.
        "lapse" if made.part == Part::Observer => Act::Lapse { seen: u64::MAX },
        "lapse" => Act::Lapse { seen },
        "note" => Act::Note { note_id: id(2_000 + n), text, question_id },
        "add" => Act::AddMember { person, part },
        "remove" => Act::RemoveMember { person },
        _ => Act::ReportReady { report: "{}".to_owned(), score: None },
    }
}

/// Folds what was decided, as the store does, and gives the events.
fn happen(room: &mut Room, by: Option<PersonId>, happenings: Vec<Happening>) -> Vec<Event> {
    let first = room.last_seq + 1;
    let events = (first..).zip(happenings);
    let events: Vec<Event> =
        events.map(|(seq, what)| Event { seq, at: Time(seq as i64), by, what }).collect();
    events.iter().for_each(|event| fold(room, event));
    events
}

/// A move that the state forbids is refused in words that name the move and the state.
fn check_words(refusal: &Refusal, made: &Try, model: &Model) {
    assert!(!refusal.detail.trim().is_empty(), "{made:?}");
    let by_state = match made.verb {
        "start" | "finish" | "cancel" => refusal.code != Code::AccessDenied,
        "lapse" => refusal.code == Code::RoomClosed,
        "report" => refusal.code == Code::ConflictState && model.state != "finished",
        "ask" | "say" | "answer" | "skip" => {
            model.state != "live" && refusal.code != Code::AccessDenied
        }
        "add" => refusal.code == Code::RoomClosed,
        _ => false,
    };
    if by_state && refusal.code != Code::NotFound {
        let words = &refusal.detail;
        assert!(words.contains(made.verb), "the move of {made:?}: {words}");
        assert!(words.contains(model.state), "the state {}: {words}", model.state);
    }
}

/// The room follows the model through all draws; gives the outcomes for counting.
fn follow(shape: u8, planned: u8, draws: &[Draw]) -> Vec<String> {
    let (mut room, mut model) = made(shape, planned);
    let fresh = room.clone();
    let (mut events, mut outcomes) = (Vec::new(), Vec::new());
    for (n, draw) in (0..).zip(draws) {
        let made = attempt(*draw);
        let by = made.by.map(|n| id(u64::from(n)));
        let expected = model.expect(&made);
        let decided = decide(&room, by, &act(&made, n, room.last_seq));
        let kinds = decided.as_ref().map(|h| h.iter().map(Happening::kind).collect());
        assert_eq!(kinds.map_err(|refusal| refusal.code), expected, "{made:?} in {model:?}");
        match decided {
            Ok(happenings) => {
                outcomes.push(format!("{} {} done", model.state, made.verb));
                model.take(&made, happenings.len());
                events.extend(happen(&mut room, by, happenings));
            }
            Err(refusal) => {
                let code = refusal.code.as_str();
                outcomes.push(format!("{} {} {code}", model.state, made.verb));
                check_words(&refusal, &made, &model);
            }
        }
        same(&room, &model);
    }
    check_history(&fresh, &room, &events);
    outcomes
}

fn same(room: &Room, model: &Model) {
    assert_eq!(room.state.as_str(), model.state);
    assert_eq!(room.last_seq, model.seq);
    assert_eq!(room.report_ready, model.reported);
    let members = model.members.iter().map(|(n, part)| (id(u64::from(*n)), *part));
    assert_eq!(room.members, members.collect());
    let known = |n: &u8| room.question(id(u64::from(*n)));
    for n in 0..QUESTIONS {
        assert_eq!(known(&n).is_some(), model.known(n), "question {n}");
        let asked = known(&n).is_some_and(|q| q.asked_seq.is_some());
        assert_eq!(asked, model.asked.contains(&n), "question {n}");
        let answered = known(&n).is_some_and(|q| q.answer_id.is_some());
        assert_eq!(answered, model.answered.contains(&n), "question {n}");
        let skipped = known(&n).is_some_and(|q| q.skipped_seq.is_some());
        assert_eq!(skipped, model.skipped.contains(&n), "question {n}");
    }
}

/// The events have no gap, end once, and make the same room wherever they are folded.
fn check_history(fresh: &Room, room: &Room, events: &[Event]) {
    assert!((1..).zip(events).all(|(seq, event)| event.seq == seq), "P2: from 1, no gap");
    let kinds: Vec<&str> = events.iter().map(|event| event.what.kind()).collect();
    let ends = ["interview.finished", "interview.cancelled"];
    let end = kinds.iter().position(|kind| ends.contains(kind));
    for kind in &kinds[end.map_or(kinds.len(), |end| end + 1)..] {
        assert!(["report.ready", "member.removed"].contains(kind), "{kind} after the end");
    }
    for once in ["interview.started", "interview.finished", "report.ready"] {
        assert!(kinds.iter().filter(|kind| **kind == once).count() <= 1, "{once} twice");
    }
    let told = serde_json::to_string(events).unwrap();
    let told: Vec<Event> = serde_json::from_str(&told).unwrap();
    for history in [events, &told] {
        let mut copy = fresh.clone();
        history.iter().for_each(|event| fold(&mut copy, event));
        assert_eq!(&copy, room);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_room_accepts_what_the_contract_accepts(
        shape in any::<u8>(),
        planned in 0_u8..4,
        draws in prop::collection::vec(any::<Draw>(), 1..80),
    ) {
        follow(shape, planned, &draws);
    }
}

#[test]
fn the_rooms_of_the_property_are_worth_it() {
    let draws: Vec<Draw> = (0_u32..20_000)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes())
        .map(|[a, b, c, d]| (a ^ d, b, c, d))
        .collect();
    let chunks = (0_u8..=255).cycle().zip(draws.chunks(40));
    let seen: BTreeSet<String> = chunks.flat_map(|(n, draws)| follow(n, n % 4, draws)).collect();
    for row in [
        "scheduled start done",
        "scheduled ask conflict.state",
        "lobby cancel done",
        "lobby finish conflict.state",
        "live start conflict.state",
        "live answer done",
        "live answer not_found",
        "live answer conflict.state",
        "live say access.denied",
        "live add done",
        "live remove done",
        "live finish done",
        "finished say room.closed",
        "finished answer room.closed",
        "finished finish room.closed",
        "finished lapse room.closed",
        "live skip done",
        "live skip conflict.state",
        "live lapse done",
        "live lapse conflict.state",
        "lobby lapse done",
        "lobby skip conflict.state",
        "finished report done",
        "finished report conflict.state",
        "finished add room.closed",
        "cancelled ask room.closed",
        "cancelled report conflict.state",
        "cancelled cancel room.closed",
    ] {
        assert!(seen.contains(row), "never: {row}; only {seen:#?}");
    }
}

#[test]
fn a_room_that_is_full_can_still_end() {
    let (mut room, _) = made(1, 0);
    let owner = Some(id(0));
    let decided = decide(&room, owner, &Act::Start {}).unwrap();
    happen(&mut room, owner, decided);
    room.last_seq = limit::EVENTS_PER_INTERVIEW_MAX;
    let candidate = Some(id(1));
    let say = Act::Say { question_id: None, text: "More.".to_owned(), words: None };
    let refusal = decide(&room, candidate, &say).unwrap_err();
    assert_eq!(refusal.code, Code::RoomFull);
    assert!(refusal.detail.contains("finish"), "{refusal}");
    assert!(decide(&room, owner, &Act::Cancel {}).is_ok(), "it can be called off");
    let remove = Act::RemoveMember { person: id(3) };
    assert!(decide(&room, owner, &remove).is_ok(), "somebody can be let out");
    let finish = decide(&room, owner, &Act::Finish {}).expect("the advice can be followed");
    happen(&mut room, owner, finish);
    let report = Act::ReportReady { report: "{}".to_owned(), score: None };
    assert!(decide(&room, None, &report).is_ok(), "and it gets its report");
}

#[test]
fn a_room_takes_500_members_and_no_more() {
    let (mut room, _) = made(1, 0);
    for n in 0.. {
        let add = Act::AddMember { person: id(10_000 + n), part: Part::Observer };
        match decide(&room, Some(id(0)), &add) {
            Ok(happenings) => drop(happen(&mut room, Some(id(0)), happenings)),
            Err(refusal) => {
                assert_eq!(refusal.code, Code::RoomFull);
                break;
            }
        }
    }
    assert_eq!(room.members.len(), 500, "section 3: members_max");
}
