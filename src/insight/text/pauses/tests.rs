//! Own spoken texts without marks, with the places where a listener hears a sentence end.
//!
//! `|` is a sentence end at a silence, `~` a silence inside a sentence. Written before the rule
//! was run on them; a rule is measured, not fitted, here.

use super::*;
use crate::insight::lexicon::Lexicon;

const SPOKEN: [&str; 60] = [
    "i worked at a bakery for two years | every morning we counted the trays by hand",
    "the trays were often wrong | so i made a list for the drivers",
    "the drivers did not like the ~ list at first | after a week they asked for more copies",
    "my task was to move the archive | i labelled every box by year",
    "we had um ~ three shelves left | the rest went to the cellar",
    "i called the supplier twice | nobody answered | then i drove there myself",
    "the invoice system crashed on ~ fridays | i looked at the logs and found a timer",
    "it was my first week | i asked the nurse to show me the ward",
    "we decided to ~ wait for the audit | it took longer than planned",
    "complaints fell by a third | the branch manager wrote to thank us",
    "i learned that a pilot needs an owner | next time i would name one first",
    "the portal was slow | customers called us every morning",
    "i traced the calls to one report | it ran at nine when everybody signed in",
    "i moved the report to the night | the calls went away",
    "two colleagues disagreed about the rota | i listened to both of them",
    "one wanted long shifts and ~ the other wanted more free days | we tried both for a month",
    "the result was clear | sick days went down by four a month",
    "i wrote the first draft alone | my manager corrected the figures",
    "she was right about the ~ baseline | i had used the wrong year",
    "we shipped it in march | nobody noticed the change",
    "that was the goal | a silent migration is a good migration",
    "the hotel was full | a guest arrived without a booking",
    "i phoned the house next door | they had one room left",
    "the guest came back the ~ year after | he asked for me by name",
    "my team had nine people | six of them were new",
    "i paired every new person with an old one | after two months they worked alone",
    "we measured the time for each order | it fell from nine minutes to six",
    "the printer jammed during the ~ election count | i opened it with a coin",
    "there was no spare part | we counted the rest by hand",
    "i prefer short meetings | ten minutes are enough for most things",
    "the pump failed at night | i was the only technician on site",
    "i closed the valve and ~ called the plant manager | he arrived an hour later",
    "we replaced the seal together | production started again at six",
    "the customer wanted a refund | our policy did not allow it",
    "i offered a repair instead | she accepted and stayed with us",
    "i studied biology first | later i moved to data work",
    "the lab kept samples in paper lists | i built a small register for them",
    "a colleague lost a ~ sample in may | we found it with the register",
    "the budget was cut in half | i asked which feature mattered most",
    "they named the export | we dropped everything else",
    "the school had no library | parents gave us four hundred books",
    "i sorted them with two pupils | they run the library today",
    "the bus was late every day | children missed the first lesson",
    "i talked to the driver | he started ten minutes earlier",
    "our tests took an hour | nobody ran them before a release",
    "i split them into four groups | now they take twelve minutes",
    "we lost one customer because of the ~ delay | the others stayed",
    "the warehouse was cold | people wore two jackets",
    "i asked for a heater and ~ the owner refused | then i showed him the accident numbers",
    "he bought two heaters the same week | accidents dropped in the winter",
    "the contract had an error on page nine | i found it an hour before the signing",
    "both sides thanked me | the error would have cost us a lot",
    "i was asked to train the interns | there were five of them",
    "each one wrote a small tool | three of the tools are still in use",
    "the garden project had no ~ money | we sold seedlings at the market",
    "we earned two hundred euros | it paid for the fence",
    "my father was ill that spring | i worked from his kitchen for a month",
    "the release was on time anyway | my colleagues took two of my tickets",
    "i wanted to ~ automate the report | the finance team was afraid of errors",
    "we ran both for one quarter | the figures were the same each week",
];

/// The words with their times, and the indexes of words that end a sentence.
fn recorded(line: &str) -> (String, Vec<TimedWord>, Vec<usize>) {
    let (mut words, mut ends, mut clock) = (Vec::new(), Vec::new(), 0);
    for piece in line.split_whitespace() {
        if piece == "|" {
            ends.push(words.len() - 1);
        }
        match piece {
            "|" | "~" => clock += 700,
            _ => {
                words.push(TimedWord(piece.to_owned(), Milli(clock), Milli(clock + 250)));
                clock += 300;
            }
        }
    }
    let text: Vec<&str> = words.iter().map(|TimedWord(word, ..)| word.as_str()).collect();
    (text.join(" "), words, ends)
}

#[test]
fn silences_end_sentences_where_a_listener_hears_an_end() {
    let lexicon = Lexicon::new();
    let (mut right, mut wrong, mut missed) = (0, 0, 0);
    for line in SPOKEN {
        let (text, words, ends) = recorded(line);
        let document = Document::spoken(&lexicon, &text, &words);
        let last = document.tokens.len() - 1;
        let found: Vec<usize> =
            document.sentences.iter().map(|range| range.end - 1).filter(|at| *at < last).collect();
        right += found.iter().filter(|at| ends.contains(at)).count();
        wrong += found.iter().filter(|at| !ends.contains(at)).count();
        missed += ends.iter().filter(|at| !found.contains(at)).count();
    }
    println!("sentence ends: {right} right, {wrong} wrong, {missed} missed");
    assert!(right * 100 >= (right + wrong) * 90, "precision: {right} right, {wrong} wrong");
    assert!(right * 100 >= (right + missed) * 90, "recall: {right} right, {missed} missed");
}

#[test]
fn written_marks_win_and_times_that_do_not_fit_change_nothing() {
    let lexicon = Lexicon::new();
    let (text, words, _) = recorded("we closed the shop | nobody came");
    let marked = text.replace("shop", "shop, and it was late.");
    let plain = Document::read(&lexicon, &marked);
    assert_eq!(Document::spoken(&lexicon, &marked, &words).sentences, plain.sentences);
    let other = "An answer about something else altogether";
    assert_eq!(Document::spoken(&lexicon, other, &words).sentences.len(), 1);
    assert_eq!(Document::spoken(&lexicon, "", &words).sentences.len(), 0);
    assert_eq!(Document::spoken(&lexicon, &text, &words).sentences.len(), 2);
    assert_eq!(Document::read(&lexicon, &text).sentences.len(), 1);
}
