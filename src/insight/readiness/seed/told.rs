//! The index of the replaced system over practices of this one.
//!
//! Its inputs are taken from our reports in the sense that it gave them: figures by their share of
//! eight points, trade-offs by twenty for each element, drift as contradictions for each answer.
//! What it called urgent hints it never counted itself, so none are counted here.

use serde::Serialize;

use super::{Band, Session, index};
use crate::domain::number::Milli;
use crate::insight::report::Report;

/// The name under which it can be asked for.
pub const NAME: &str = "seed-v1";

/// The index as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// [`NAME`].
    pub calibration: &'static str,
    /// Of 100; null without a practice.
    pub index: Option<Milli>,
    /// How far it may be off, by its band.
    pub interval: Option<[Milli; 2]>,
    /// Against the practice before.
    pub delta: Milli,
    /// Points a practice.
    pub velocity: Milli,
    /// How sure.
    pub band: Band,
    /// Practices that it is made of.
    pub practices: u64,
    /// What this number is.
    pub about: &'static str,
}

const ABOUT: &str = "The hand-weighted index of the system that you moved from, kept as it was for \
    comparison. It is no chance of an offer: its range is compressed to about 35 to 95, its \
    weights were never checked against outcomes, and later practices change what it said before.";

/// So many points of evidence were everything that it could tell apart.
const EVIDENCE_WHOLE: i64 = 8;

/// The score must fall by more than this below the best so far to count as a drop.
const DROP: Milli = Milli::whole(12);

/// The index over reports of practices, oldest first, in a company's mode.
pub fn told(reports: &[Report], mode: &str) -> Told {
    let sessions: Vec<Session> = reports.iter().map(session).collect();
    // Of a mix of modes the company is the only one that it knew.
    let company = mode.split('+').find(|one| ["google", "amazon", "meta"].contains(one));
    let found = index(&sessions, company.unwrap_or("general"));
    let off = match found.band {
        Band::High => Milli::whole(4),
        Band::Medium => Milli::whole(8),
        Band::Low => Milli::whole(12),
    };
    let end = |value: Milli| Milli(value.0.clamp(0, 100_000));
    let any = !sessions.is_empty();
    Told {
        calibration: NAME,
        index: any.then_some(found.value),
        interval: any.then(|| [end(found.value - off), end(found.value + off)]),
        delta: found.delta,
        velocity: found.velocity,
        band: found.band,
        practices: sessions.len() as u64,
        about: ABOUT,
    }
}

fn session(report: &Report) -> Session {
    let mean = |name: &str| report.summary.get(name).copied().flatten().unwrap_or_default();
    let of_100 = |value: i64| Milli(value.clamp(0, 100_000));
    let answers = report.answers.len().max(1) as i64;
    let implausible = report.answers.iter().filter(|answer| {
        let evidence = answer.analysis.signals.get("quantified_evidence");
        evidence.is_some_and(|s| s.evidence.iter().any(|e| e.rule == "quantified.implausible"))
    });
    let mut best = Milli::ZERO;
    let mut drops = 0;
    for score in report.answers.iter().filter_map(|answer| answer.analysis.score) {
        drops += u32::from(score < best - DROP);
        best = best.max(score);
    }
    let contradictions = u32::try_from(report.conflicts.len()).unwrap_or(u32::MAX);
    Session {
        score: report.score.unwrap_or_default(),
        metric_usage: of_100(mean("quantified_evidence").0 * 100 / EVIDENCE_WHOLE),
        ownership: of_100(mean("ownership").0),
        trade_off: of_100(mean("trade_off").0 * 20),
        contradictions,
        drift: Milli((i64::from(contradictions) * 1000 / answers).min(1000)),
        inflation_flags: implausible.count() as u32,
        confidence_drops: drops,
        assist_spikes: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::insight::report::{ReportInput, build};

    fn report(score: i64, evidence: i64, ownership: i64, trade_off: i64) -> Report {
        let mut report = build(&ReportInput::default());
        report.score = Some(Milli::whole(score));
        let whole = |value: i64| Some(Milli::whole(value));
        report.summary = BTreeMap::from([
            ("quantified_evidence".to_owned(), whole(evidence)),
            ("ownership".to_owned(), whole(ownership)),
            ("trade_off".to_owned(), whole(trade_off)),
        ]);
        report
    }

    /// A golden vector of the replaced system: score 100, everything else 100 too.
    #[test]
    fn a_report_with_everything_gives_what_the_old_one_gave() {
        let told = told(&[report(100, 8, 100, 5)], "general");
        assert_eq!(told.index, Some(Milli(95_260)));
        assert_eq!(told.interval, Some([Milli(83_260), Milli::whole(100)]));
        assert_eq!((told.band, told.practices), (Band::Low, 1));
    }

    #[test]
    fn nothing_is_said_without_a_practice_and_a_company_counts_in_a_mix() {
        assert_eq!(told(&[], "general").index, None);
        let reports = [report(80, 5, 70, 3)];
        let usual = told(&reports, "sales+behavioral").index;
        assert!(told(&reports, "google+sales").index < usual);
        assert_eq!(told(&reports, "netflix").index, usual);
    }
}
