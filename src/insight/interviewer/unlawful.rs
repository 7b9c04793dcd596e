//! Questions about what must not decide about a job: a lint on the interviewers' own words.
//!
//! Phrases, not single words: "our customers' age groups" or "a family of products" is work talk.
//! What the law allows differs between countries; the lint is for the common core of
//! equal-treatment law and says what may be asked instead.

use std::ops::Range;

use serde::Serialize;

use super::form::matches_at;
use crate::domain::analysis::Evidence;
use crate::insight::text::{Document, Mark};

/// A question that should not be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unlawful {
    /// Index of the turn.
    pub turn: usize,
    /// The words, in code points of the turn, and the rule.
    pub evidence: Evidence,
    /// Why it is noted.
    pub why: &'static str,
    /// What may be asked where the job gives a reason.
    pub instead: &'static str,
}

/// One protected matter.
struct Rule {
    id: &'static str,
    why: &'static str,
    instead: &'static str,
    /// Phrases separated by `|`; words that stand for the person asked are part of them.
    phrases: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        id: "interviewer.unlawful.age",
        why: "A person's age must not decide about a job.",
        instead: "Are you of the legal age for this work?",
        phrases: "how old are you|what is your age|what's your age|your date of birth|\
            when were you born|what year were you born|which year were you born|your birthday|\
            what year did you finish school|when do you plan to retire|when will you retire",
    },
    Rule {
        id: "interviewer.unlawful.family",
        why: "Family and marital status must not decide about a job.",
        instead: "The work needs these hours and journeys: can you do them?",
        phrases: "are you married|are you single|are you divorced|are you engaged to be|\
            do you have a boyfriend|do you have a girlfriend|do you have a husband|\
            do you have a wife|do you live with a partner|do you have kids|do you have children|\
            do you have any kids|do you have any children|how many kids do you|\
            how many children do you|how old are your kids|how old are your children|\
            do you have a family|who looks after your|who will look after your|your childcare|\
            your child care|what does your husband|what does your wife|what does your partner do|\
            your maiden name|your marital status",
    },
    Rule {
        id: "interviewer.unlawful.pregnancy",
        why: "Pregnancy and plans for children must not decide about a job.",
        instead: "Ask nothing here; leave is arranged after an offer.",
        phrases: "are you pregnant|are you expecting a baby|are you expecting a child|\
            do you plan to have kids|do you plan to have children|do you plan to start a family|\
            planning to have kids|planning to have children|planning a family|\
            planning to start a family|do you want kids|do you want children|want to have kids|\
            want to have children|thinking of having kids|thinking of having children|\
            maternity leave soon",
    },
    Rule {
        id: "interviewer.unlawful.religion",
        why: "Religion and belief must not decide about a job.",
        instead: "The shifts are these: can you work them?",
        phrases: "what is your religion|what's your religion|which religion do you|\
            are you religious|do you go to church|which church do you|what church do you|\
            are you a christian|are you christian|are you muslim|are you a muslim|are you jewish|\
            are you hindu|are you catholic|do you pray|do you believe in god|\
            religious holidays do you|why do you wear a headscarf|\
            do you always wear a headscarf",
    },
    Rule {
        id: "interviewer.unlawful.origin",
        why: "Origin, nationality and mother tongue must not decide about a job.",
        instead: "Are you allowed to work here? Which languages do you speak at work level?",
        phrases: "where are you really from|where are you originally from|\
            where do you originally come|where are your parents from|where were you born|\
            what is your nationality|what's your nationality|what nationality are you|\
            what is your ethnicity|what's your ethnicity|what race are you|your ethnic|\
            is english your first language|is english your native language|your mother tongue|\
            your native language|where is your accent from|where does your accent|\
            where does your name come from|what kind of name is|are you a citizen|\
            country were you born",
    },
    Rule {
        id: "interviewer.unlawful.health",
        why: "Health must not be asked about before an offer.",
        instead: "Can you do these tasks, with an adjustment where you need one?",
        phrases: "are you healthy|how is your health|how's your health|your medical history|\
            what medication|do you take medication|are you taking medication|\
            do you take any medication|how many sick days|have you ever been hospitalised|\
            have you ever been hospitalized|have you had cancer|do you have any illness|\
            do you have any illnesses|do you have health problems|any health problems|\
            do you suffer from a|do you suffer from any|have you ever had depression|\
            your mental health|do you smoke|do you drink alcohol|have you been in therapy|\
            how tall are you",
    },
    Rule {
        id: "interviewer.unlawful.disability",
        why: "Disability must not decide about a job.",
        instead: "Which adjustment would help you in this interview or in these tasks?",
        phrases: "are you disabled|do you have a disability|do you have any disabilities|\
            do you have any disability|what is your disability|what's your disability|\
            how did you become disabled|are you autistic|do you have adhd|are you dyslexic|\
            why are you in a wheelchair|what happened to your leg|what happened to your arm|\
            what happened to your hand|what happened to your eye|are you handicapped",
    },
    Rule {
        id: "interviewer.unlawful.union",
        why: "Membership of a union must not decide about a job.",
        instead: "Ask nothing here.",
        phrases: "are you in a union|are you a union member|are you a member of a union|\
            are you in a trade union|are you a member of a trade union|do you belong to a union|\
            have you ever joined a union|have you ever been in a union|would you join a union|\
            have you ever been on strike|your union membership",
    },
    Rule {
        id: "interviewer.unlawful.politics",
        why: "Political opinion must not decide about a job.",
        instead: "Ask nothing here.",
        phrases: "who did you vote for|who do you vote for|who will you vote for|\
            which party do you|what party do you|how do you vote|how did you vote|\
            are you a conservative|are you a liberal|are you left wing|are you right wing|\
            your political views|your politics|your political opinion|\
            are you a member of a party|member of a political party",
    },
    Rule {
        id: "interviewer.unlawful.orientation",
        why: "Sexual orientation and gender identity must not decide about a job.",
        instead: "How would you like to be addressed?",
        phrases: "are you gay|are you straight or|are you lesbian|are you bisexual|are you queer|\
            your sexual orientation|your sexuality|are you transgender|are you trans|\
            were you born a man|were you born a woman|your gender identity|your real gender",
    },
    Rule {
        id: "interviewer.unlawful.criminal_record",
        why: "Arrests and convictions may be asked about only where the job's law names them.",
        instead: "This job needs the check that the law prescribes: do you agree to it?",
        phrases: "have you ever been arrested|have you been arrested|were you ever arrested|\
            do you have a criminal record|have you ever been in prison|have you been to prison|\
            have you ever been in jail|have you been to jail|have you ever been convicted|\
            have you ever been charged with a crime|have you committed a crime|\
            have you ever committed a crime",
    },
    Rule {
        id: "interviewer.unlawful.money",
        why: "Debts and private means must not decide about a job.",
        instead: "The salary band is this: does it fit your expectation?",
        phrases: "are you in debt|do you have debts|do you have any debts|your credit score|\
            have you ever been bankrupt|do you own your house|do you own your home|\
            do you own or rent",
    },
];

/// After a phrase these words lead to a thing, so that the phrase was not about the person.
const WORK_FOLLOWS: &str = "of the a an our your their its those";

/// Every question of a turn that touches a protected matter, in reading order.
pub(super) fn find(document: &Document, turn: usize) -> Vec<Unlawful> {
    let mut found = Vec::new();
    for sentence in &document.sentences {
        for rule in RULES {
            if let Some(words) = first_match(document, sentence, rule) {
                let (from, to) = document.span(words);
                let evidence = Evidence { from, to, rule: rule.id.to_owned() };
                found.push(Unlawful { turn, evidence, why: rule.why, instead: rule.instead });
            }
        }
    }
    found
}

fn first_match(document: &Document, sentence: &Range<usize>, rule: &Rule) -> Option<Range<usize>> {
    // "You need not tell us …" and "we do not ask …" announce that it is not asked.
    let disclaimed = sentence.clone().any(|at| {
        ["do not ask", "don't ask", "won't ask", "never ask", "need not tell", "not allowed to ask"]
            .iter()
            .any(|phrase| matches_at(document, at, phrase))
    });
    if disclaimed {
        return None;
    }
    sentence.clone().find_map(|at| {
        let phrase = rule.phrases.split('|').find(|phrase| matches_at(document, at, phrase))?;
        let end = at + phrase.split_whitespace().count();
        // "A family of products", "when will you retire the old server" are about work.
        let of_work = end < sentence.end
            && document.tokens[end - 1].after < Mark::Comma
            && WORK_FOLLOWS.split(' ').any(|word| word == document.fold_at(end));
        (end <= sentence.end && !of_work).then_some(at..end)
    })
}
