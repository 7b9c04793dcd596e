//! Words that make a phrase a job title, and how high they stand.

use crate::insight::text::Document;
use std::ops::Range;

/// Nouns that name an occupation; a phrase with one of them may be a title.
const OCCUPATIONS: &str = "accountant administrator adviser advisor agent analyst apprentice \
    architect assistant associate attendant auditor author baker bartender barista bookkeeper \
    builder butcher buyer captain carer caretaker carpenter cashier chef chief cleaner clerk coach \
    commander concierge conductor consultant controller cook coordinator counsellor courier \
    craftsman dentist designer developer director dispatcher doctor driver economist editor \
    educator electrician employee engineer estimator executive farmer firefighter fitter florist \
    foreman forester founder gardener guard hairdresser handyman head helper housekeeper \
    inspector installer instructor intern interpreter janitor joiner journalist judge keeper \
    labourer lawyer lead leader lecturer librarian machinist manager mechanic mentor merchandiser \
    midwife moderator nurse nanny officer operator optician organiser owner painter paralegal \
    paramedic partner pharmacist photographer physicist physiotherapist picker pilot planner \
    plumber police porter president principal producer professor programmer psychologist \
    receptionist recruiter registrar reporter representative researcher retailer roofer sales \
    salesman scientist secretary seller sergeant server sister soldier solicitor specialist \
    steward stewardess strategist student supervisor surgeon surveyor tailor teacher technician \
    teller tester therapist trader trainee trainer translator treasurer tutor vet veterinarian \
    volunteer waiter waitress warden welder worker writer ceo cto cfo coo vp";

/// Words of a title with the height at which they stand, lowest first.
const RANKS: &[(i64, &str)] = &[
    (0, "intern internship trainee apprentice apprenticeship student volunteer placement"),
    (1, "junior assistant helper associate"),
    (3, "senior specialist"),
    (4, "lead leader manager supervisor foreman principal staff"),
    (5, "head director"),
    (6, "chief ceo cto cfo coo president vp founder owner"),
];

/// Where a title stands that says nothing about it.
const PLAIN: i64 = 2;

/// Whether a word names an occupation.
pub(in crate::insight) fn is_occupation(folded: &str) -> bool {
    let singular = folded.strip_suffix('s').unwrap_or(folded);
    OCCUPATIONS.split_whitespace().any(|word| word == folded || word == singular)
}

/// Whether words hold a title.
pub(in crate::insight) fn is_title(document: &Document, words: &Range<usize>) -> bool {
    words.clone().any(|at| is_occupation(document.fold_at(at)))
}

/// How high a title stands.
pub(in crate::insight) fn rank(document: &Document, words: &Range<usize>) -> i64 {
    let mut highest = None;
    let mut lowest = None;
    for at in words.clone() {
        let word = document.fold_at(at);
        let known = RANKS.iter().find(|(_, list)| list.split_whitespace().any(|one| one == word));
        if let Some((rank, _)) = known {
            highest = highest.max(Some(*rank));
            lowest = Some(lowest.map_or(*rank, |low: i64| low.min(*rank)));
        }
    }
    match (lowest, highest) {
        // "Assistant manager" and "junior lead" stand below a manager and a lead.
        (Some(low), Some(high)) if low <= 1 && high >= 3 => high - 1,
        (_, Some(high)) => high,
        _ => PLAIN,
    }
}
