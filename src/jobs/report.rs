//! Making reports: whoever leads makes the report of every finished interview that has none.
//!
//! It is told of each `interview.finished` and also looks once at the start, so a node that was
//! killed between the two makes the report when it is back.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::cluster::{Replica, Seat, Unavailable};
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::id::InterviewId;
use crate::domain::limit;
use crate::domain::refusal::Code;
use crate::domain::room::{Act, Room};
use crate::insight::report::{AnsweredItem, QuestionText, Report, ReportInput, build};
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

/// A way to the maker and its end.
pub fn channel() -> (Finished, mpsc::Receiver<InterviewId>) {
    mpsc::channel(WAITING_MAX)
}

/// Makes reports until the node stops. Every node hears of finished interviews; the one that leads
/// acts, and looks at once when it begins to lead.
pub async fn run(replica: Replica, mut finished: mpsc::Receiver<InterviewId>) {
    let mut sweep = tokio::time::interval(SWEEP);
    let mut seat = replica.watch_seat();
    loop {
        let leads = *seat.borrow_and_update() == Seat::Here;
        tokio::select! {
            interview = finished.recv() => match interview {
                Some(interview) if leads => make(&replica, interview).await,
                Some(_) => {}
                None => return,
            },
            _ = sweep.tick(), if leads => make_missing(&replica).await,
            changed = seat.changed() => match changed {
                Ok(()) => sweep.reset_immediately(),
                Err(_) => return,
            },
        }
    }
}

async fn make_missing(replica: &Replica) {
    let read = |db: &query::Connection| query::interview::unreported(db, limit::PAGE_ITEMS_MAX);
    match replica.read(read).await {
        Ok(missing) => {
            for interview in missing {
                make(replica, interview).await;
            }
        }
        Err(fault) => tracing::error!(%fault, "finished interviews were not listed"),
    }
}

async fn make(replica: &Replica, interview: InterviewId) {
    for attempt in 0..TRIES {
        match try_to_make(replica, interview).await {
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
    interview: InterviewId,
) -> Result<Result<(), Unavailable>, Fault> {
    let read = move |db: &query::Connection| {
        let Some(room) = query::room::load(db, interview)? else { return Ok(None) };
        if room.report_ready {
            return Ok(None);
        }
        let answers = query::interview::answers(db, interview)?;
        let report = compose(&room, answers);
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

fn compose(room: &Room, answers: Vec<StoredAnswer>) -> Report {
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
    build(&ReportInput {
        interview_id: room.plan.id.to_string(),
        kind: room.plan.kind.as_str().to_owned(),
        role: room.plan.role.clone(),
        mode: room.plan.mode.clone(),
        finished_at: room.finished_at.map(|at| at.to_string()),
        answers,
        questions_unanswered: unanswered,
    })
}
