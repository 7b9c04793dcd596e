//! Making reports: whoever leads makes the report of every finished interview that has none.
//!
//! It is told of each `interview.finished` and also looks once at the start, so a node that was
//! killed between the two makes the report when it is back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::cluster::{Replica, Seat, Unavailable};
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::id::InterviewId;
use crate::domain::interview::{Kind, Question};
use crate::domain::kit::Kit;
use crate::domain::limit;
use crate::domain::refusal::Code;
use crate::domain::room::{Act, Room};
use crate::insight::coverage::Wanted;
use crate::insight::report::{AnsweredItem, QuestionText, Report, ReportInput, build};
use crate::insight::{Engine, Told};
use crate::store::Fault;
use crate::store::query::{self, interview::StoredAnswer};

/// Tells the maker that an interview was finished.
pub type Finished = mpsc::Sender<InterviewId>;

/// Interviews that wait for their report. One that finds no place is found by the next sweep.
const WAITING_MAX: usize = 1_024;

/// Between two sweeps for interviews that nobody told of.
const SWEEP: Duration = Duration::from_secs(30);

/// Tries of one report before the sweep takes it up again.
const TRIES: u32 = 5;

/// What a report is made with.
#[derive(Clone)]
pub struct Maker {
    /// The engine, for what later answers say about earlier ones.
    pub engine: Engine,
    /// The kits in the binary.
    pub kits: Arc<Vec<Kit>>,
}

/// A way to the maker and its end.
pub fn channel() -> (Finished, mpsc::Receiver<InterviewId>) {
    mpsc::channel(WAITING_MAX)
}

/// Makes reports until the node stops. Every node hears of finished interviews; the one that leads
/// acts, and looks at once when it begins to lead.
pub async fn run(replica: Replica, maker: Maker, mut finished: mpsc::Receiver<InterviewId>) {
    let mut sweep = tokio::time::interval(SWEEP);
    let mut seat = replica.watch_seat();
    loop {
        let leads = *seat.borrow_and_update() == Seat::Here;
        tokio::select! {
            interview = finished.recv() => match interview {
                Some(interview) if leads => make(&replica, &maker, interview).await,
                Some(_) => {}
                None => return,
            },
            _ = sweep.tick(), if leads => make_missing(&replica, &maker).await,
            changed = seat.changed() => match changed {
                Ok(()) => sweep.reset_immediately(),
                Err(_) => return,
            },
        }
    }
}

async fn make_missing(replica: &Replica, maker: &Maker) {
    let read = |db: &query::Connection| query::interview::unreported(db, limit::PAGE_ITEMS_MAX);
    match replica.read(read).await {
        Ok(missing) => {
            for interview in missing {
                make(replica, maker, interview).await;
            }
        }
        Err(fault) => tracing::error!(%fault, "finished interviews were not listed"),
    }
}

async fn make(replica: &Replica, maker: &Maker, interview: InterviewId) {
    for attempt in 0..TRIES {
        match try_to_make(replica, maker, interview).await {
            Ok(Ok(())) => return,
            Ok(Err(unavailable)) => {
                tracing::warn!(%unavailable, %interview, "a report was not stored yet");
                tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
            }
            Err(fault) => {
                tracing::error!(%fault, %interview, "a report could not be made");
                return;
            }
        }
    }
}

async fn try_to_make(
    replica: &Replica,
    maker: &Maker,
    interview: InterviewId,
) -> Result<Result<(), Unavailable>, Fault> {
    let maker = maker.clone();
    let read = move |db: &query::Connection| {
        let Some(room) = query::room::load(db, interview)? else { return Ok(None) };
        if room.report_ready {
            return Ok(None);
        }
        let answers = query::interview::answers(db, interview)?;
        let wanted = wanted(db, &maker, &room)?;
        let report = compose(&maker.engine, &room, answers, &wanted);
        Ok(Some((serde_json::to_string(&report)?, report.score)))
    };
    let Some((report, score)) = replica.read(read).await? else { return Ok(Ok(())) };
    let act = Act::ReportReady { report, score };
    let envelope = Envelope::own(replica.now(), Command::Act { interview, act: Box::new(act) });
    match replica.propose(envelope).await {
        Ok(Outcome::Refused { refusal }) if refusal.code != Code::ConflictState => {
            Err(Fault::plain(format!("the report was refused: {refusal}")))
        }
        Ok(_) => Ok(Ok(())),
        Err(unavailable) => Ok(Err(unavailable)),
    }
}

/// What the answers should show: the kit's competencies, and in a practice the job description.
fn wanted(db: &query::Connection, maker: &Maker, room: &Room) -> Result<Vec<Wanted>, Fault> {
    let mut wanted = Vec::new();
    let kit = match &room.plan.kit_id {
        None => None,
        Some(id) => match maker.kits.iter().find(|kit| kit.id == *id) {
            Some(kit) => Some(kit.clone()),
            None => query::kit::newest(db, id)?,
        },
    };
    for competency in kit.iter().flat_map(|kit| &kit.competencies) {
        let asks = |question: &&Question| question.competency.as_ref() == Some(&competency.id);
        let questions = room.questions.iter().filter(asks).map(|one| one.id.to_string()).collect();
        wanted.push(Wanted::Competency { name: competency.name.clone(), questions });
    }
    // What a candidate brought along for practice stays in practice.
    if room.plan.kind == Kind::Practice {
        let context = query::person::context(db, room.plan.owner)?.unwrap_or_default();
        let job = maker.engine.job(&context.job_description);
        wanted.extend(job.requirements.into_iter().map(Wanted::Requirement));
    }
    Ok(wanted)
}

fn compose(engine: &Engine, room: &Room, answers: Vec<StoredAnswer>, wanted: &[Wanted]) -> Report {
    let unanswered = room
        .questions
        .iter()
        .filter(|question| question.answer_id.is_none())
        .map(|question| QuestionText {
            question_id: question.id.to_string(),
            text: question.text.clone(),
        })
        .collect();
    let answers = answers
        .into_iter()
        .filter_map(|answer| {
            Some(AnsweredItem {
                question_id: answer.question_id.to_string(),
                question: answer.question,
                answer_id: answer.id.to_string(),
                text: answer.text,
                at: answer.at.to_string(),
                seq: answer.seq,
                analysis: answer.analysis?,
            })
        })
        .collect();
    let input = ReportInput {
        interview_id: room.plan.id.to_string(),
        kind: room.plan.kind.as_str().to_owned(),
        role: room.plan.role.clone(),
        mode: room.plan.mode.clone(),
        finished_at: room.finished_at.map(|at| at.to_string()),
        answers,
        questions_unanswered: unanswered,
    };
    let mut report = build(&input);
    report.coverage = engine.coverage(wanted, &input.answers);
    for conflict in &mut report.conflicts {
        let of = |answer: &&AnsweredItem| answer.answer_id == conflict.answer_id;
        let at = input.answers.iter().position(|answer| of(&answer));
        let later = input.answers.iter().skip(at.map_or(0, |at| at + 1));
        let later: Vec<Told<'_>> = later.map(|answer| Told { text: &answer.text }).collect();
        conflict.conflict.state = engine.settle(&conflict.conflict, &later);
    }
    report
}
