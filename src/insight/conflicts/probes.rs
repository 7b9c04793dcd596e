//! What to ask about two statements that do not fit: open, without a charge, with both quotes.

use crate::domain::analysis::Quote;

/// Words of a quote that a question repeats; the rest is in the quote itself.
const QUOTE_CHARS_MAX: usize = 90;

/// The question that would clear a conflict up.
pub(super) fn probe(rule: &str, a: &Quote, b: &Quote) -> String {
    let place = match a.source.as_str() {
        "cv" => "Your CV says",
        _ => "Earlier you said",
    };
    let ask = match rule {
        "number.team_size" => "Who was counted each time?",
        "number.experience" => "How do you count the years?",
        "number.metric" | "number.amount" => {
            "Which figure is it, and what was it measured against?"
        }
        "number.count" => "Which number is it, and when was it counted?",
        "number.duration" | "date.length" => "How long was it in all?",
        "date.start" | "date.end" => "When exactly was that?",
        "role.rank" => "What was your title there, and did it change?",
        "tool.denied" => "How far have you worked with it?",
        _ => "How do these go together?",
    };
    format!("{place} “{}”, and now “{}”. {ask}", shortened(&a.text), shortened(&b.text))
}

fn shortened(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    if line.chars().count() <= QUOTE_CHARS_MAX {
        return line;
    }
    let kept: String = line.chars().take(QUOTE_CHARS_MAX).collect();
    // Cut at a word, unless the text is one.
    let whole = kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words);
    format!("{whole} …")
}
