//! The interview in order of time; questions without an answer stand last.

use super::{ReportInput, TimelineEntry};

/// A label on the timeline is cut after this many characters.
const LABEL_CHARS_MAX: usize = 80;

/// Answers by the number of their event, then what stayed open.
pub(super) fn timeline(input: &ReportInput) -> Vec<TimelineEntry> {
    let mut entries: Vec<TimelineEntry> = input
        .answers
        .iter()
        .map(|item| TimelineEntry {
            seq: Some(item.seq),
            at: Some(item.at.clone()),
            kind: "answer".to_owned(),
            question_id: item.question_id.clone(),
            answer_id: Some(item.answer_id.clone()),
            score: item.analysis.score,
            words: item.analysis.signals.get("length_words").and_then(|signal| signal.value),
            label: shortened(&item.question),
        })
        .collect();
    entries.sort_by_key(|entry| entry.seq);
    entries.extend(input.questions_unanswered.iter().map(|question| TimelineEntry {
        seq: None,
        at: None,
        kind: "unanswered".to_owned(),
        question_id: question.question_id.clone(),
        answer_id: None,
        score: None,
        words: None,
        label: shortened(&question.text),
    }));
    entries
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LABEL_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}
