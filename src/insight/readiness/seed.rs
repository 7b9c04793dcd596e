//! `seed-v1`: the index of the system that this one replaces, for its old sessions.
//!
//! A team that moves sees the same figures as before. It was called a chance of an offer there and
//! is a hand-weighted practice index; it is kept as it was, with its compressed range.
//!
//! Fixed point with nine places, so that it is equal on every machine.

mod told;

use serde::Serialize;

use crate::domain::number::Milli;

pub use told::{NAME, Told, told};

/// What the replaced system kept of a session, each of 0 to 100 but for counts and shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The session's score.
    pub score: Milli,
    /// How many figures were used.
    pub metric_usage: Milli,
    /// How clear one's own part was.
    pub ownership: Milli,
    /// How deep trade-offs went.
    pub trade_off: Milli,
    /// Contradictions found.
    pub contradictions: u32,
    /// Share of answers that drifted, 0 to 1.
    pub drift: Milli,
    /// Figures that were too many to believe.
    pub inflation_flags: u32,
    /// Sudden falls of the score.
    pub confidence_drops: u32,
    /// Urgent hints.
    pub assist_spikes: u32,
}

/// How sure the index is of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Eight sessions and more that agree.
    High,
    /// Four and more.
    Medium,
    /// Fewer.
    Low,
}

/// The index after all sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// Of 100, with two decimals.
    pub value: Milli,
    /// Against the session before.
    pub delta: Milli,
    /// Points a session.
    pub velocity: Milli,
    /// How sure.
    pub band: Band,
}

/// Without a session.
const COLD_START: Milli = Milli::whole(42);

/// How far one session may move the index.
const STEP_MAX: Milli = Milli::whole(8);

/// Sessions whose spread counts.
const RECENT: usize = 6;

/// What a company's mode multiplies the index by, in hundredths; the others change nothing.
const MULTIPLIERS: [(&str, i128); 3] = [("google", 94), ("amazon", 95), ("meta", 95)];

/// One, in nine places.
const ONE: i128 = 1_000_000_000;

/// The index after these sessions, oldest first, in a company's mode.
pub fn index(sessions: &[Session], mode: &str) -> Index {
    let found = MULTIPLIERS.iter().find(|(known, _)| *known == mode);
    let hundredths = found.map_or(100, |(_, hundredths)| *hundredths);
    let scores: Vec<Milli> = sessions.iter().map(|session| session.score).collect();
    let consistency = (100 * ONE - 2 * spread(recent(&scores))).max(0);
    let mut values: Vec<Milli> = Vec::with_capacity(sessions.len());
    for session in sessions {
        let raw = value(session, consistency, hundredths);
        let last = values.last().copied();
        values.push(last.map_or(raw, |last| raw.clamp(last - STEP_MAX, last + STEP_MAX)));
    }
    let (delta, velocity) = match values[..] {
        [.., third, before, last] => {
            (last - before, cents(i128::from((last - third).0) * ONE / 2_000))
        }
        [before, last] => (last - before, last - before),
        _ => (Milli::ZERO, Milli::ZERO),
    };
    let apart = spread(recent(&values));
    let band = match values.len() {
        8.. if apart <= 6 * ONE => Band::High,
        4.. if apart <= 12 * ONE => Band::Medium,
        _ => Band::Low,
    };
    Index { value: values.last().copied().unwrap_or(COLD_START), delta, velocity, band }
}

fn value(session: &Session, consistency: i128, hundredths: i128) -> Milli {
    let of = |value: Milli| i128::from(value.0) * ONE / 1_000;
    let times = |count: u32, by: i128| i128::from(count) * by * ONE;
    let of_100 = |value: i128| value.clamp(0, 100 * ONE);
    let credibility = of_100((65 * of(session.score) + 35 * of(session.ownership)) / 100);
    let structure = of_100((55 * of(session.ownership) + 45 * of(session.trade_off)) / 100);
    let shaken = times(session.confidence_drops, 9) + times(session.assist_spikes, 12);
    let pressure = of_100(100 * ONE - shaken);
    let risky = 72 * of(session.drift) + times(session.contradictions, 11);
    let risk = of_100(100 * ONE - risky);
    let boasted = session.metric_usage >= Milli::whole(78) && session.ownership <= Milli::whole(42);
    let inflated = times(session.inflation_flags, 20).min(40 * ONE);
    let integrity = of_100(100 * ONE - inflated - if boasted { 18 * ONE } else { 0 });
    let base = 26 * credibility
        + 18 * structure
        + 16 * pressure
        + 16 * of_100(of(session.metric_usage))
        + 12 * consistency
        + 12 * risk;
    let lost = (times(session.contradictions, 3) / 100).min(22 * ONE / 100)
        + if session.drift >= Milli(420) { 8 * ONE / 100 } else { 0 }
        + 6 * (100 * ONE - integrity) / 10_000;
    let x = (base / 10_000 - lost).max(0) * hundredths / 100;
    let odds = exp(-6 * (x - ONE / 2));
    cents(100 * ONE * ONE / (ONE + odds))
}

/// e to the power of a number between -3 and 3, in nine places.
fn exp(power: i128) -> i128 {
    // The series of an eighth is short; what it gives is taken to the eighth power.
    let eighth = power / 8;
    let (mut term, mut sum) = (ONE, ONE);
    for n in 1..=16 {
        term = term * eighth / ONE / n;
        sum += term;
    }
    (0..3).fold(sum, |square, _| square * square / ONE)
}

fn recent(values: &[Milli]) -> &[Milli] {
    &values[values.len().saturating_sub(RECENT)..]
}

/// The standard deviation of all there are, in nine places.
fn spread(values: &[Milli]) -> i128 {
    let count = values.len().max(1) as i128;
    let micro = |value: &Milli| i128::from(value.0) * 1_000_000;
    let mean = values.iter().map(micro).sum::<i128>() / count;
    (values.iter().map(|value| (micro(value) - mean).pow(2)).sum::<i128>() / count).isqrt()
}

/// To two decimals.
fn cents(value: i128) -> Milli {
    let cent = ONE / 100;
    Milli(((value + cent / 2).div_euclid(cent) * 10) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the replaced system's own report makes its cases: drift in hundredths.
    fn case(input: [i64; 6]) -> Session {
        let [score, metric_usage, ownership, contradictions, drift, inflation_flags] = input;
        Session {
            score: Milli::whole(score),
            metric_usage: Milli::whole(metric_usage),
            ownership: Milli::whole(ownership),
            trade_off: Milli((ownership * 500 + 20_000).clamp(25_000, 95_000)),
            contradictions: contradictions as u32,
            drift: Milli(drift * 10),
            inflation_flags: inflation_flags as u32,
            confidence_drops: u32::from(score < 65),
            assist_spikes: u32::from(drift > 30),
        }
    }

    fn plain(score: i64, metric_usage: i64, ownership: i64, trade_off: i64) -> Session {
        Session {
            score: Milli::whole(score),
            metric_usage: Milli::whole(metric_usage),
            ownership: Milli::whole(ownership),
            trade_off: Milli::whole(trade_off),
            ..Session::default()
        }
    }

    #[test]
    fn the_golden_vectors_of_the_replaced_system_come_out() {
        for (name, input, mode, expected) in [
            ("anxious", [74, 78, 72, 1, 14, 0], "general", 84_030),
            ("anxious", [74, 78, 72, 1, 14, 0], "google", 79_910),
            ("anxious", [74, 78, 72, 1, 14, 0], "amazon", 80_650),
            ("mba", [76, 64, 82, 0, 12, 0], "general", 87_590),
            ("student", [36, 22, 28, 2, 45, 0], "general", 27_440),
            ("senior", [81, 74, 79, 0, 8, 0], "general", 88_890),
            ("switcher", [48, 33, 45, 1, 28, 0], "general", 60_640),
            ("cheater", [62, 96, 41, 2, 37, 2], "general", 62_100),
            ("high", [86, 85, 84, 0, 5, 0], "general", 91_060),
            ("overthinker", [69, 58, 66, 1, 17, 0], "general", 78_900),
            ("seeker", [52, 46, 49, 1, 23, 0], "general", 66_350),
        ] {
            let index = index(&[case(input)], mode);
            assert_eq!(index.value, Milli(expected), "{name} {mode}");
            assert_eq!((index.delta, index.band), (Milli::ZERO, Band::Low), "{name}");
        }
        for (session, mode, expected) in [
            (plain(0, 0, 0, 0), "general", 35_430),
            (plain(100, 100, 100, 100), "general", 95_260),
            (plain(80, 70, 70, 60), "general", 87_790),
            (plain(80, 70, 70, 60), "google", 84_220),
            (plain(80, 70, 70, 60), "meta", 84_870),
            (plain(80, 70, 70, 60), "netflix", 87_790),
        ] {
            assert_eq!(index(&[session], mode).value, Milli(expected), "{session:?} {mode}");
        }
        let steady = Session { drift: Milli(20), ..plain(95, 88, 92, 90) };
        let index = index(&[steady; 9], "general");
        assert_eq!((index.value, index.band), (Milli(93_610), Band::High));
        assert_eq!((index.delta, index.velocity), (Milli::ZERO, Milli::ZERO));
    }

    #[test]
    fn nothing_is_42_and_a_session_moves_it_by_8_at_most() {
        assert_eq!(index(&[], "general").value, Milli::whole(42));
        let low = case([36, 22, 28, 2, 45, 0]);
        let high = case([86, 85, 84, 0, 5, 0]);
        let index = index(&[low, high, high, high], "general");
        assert_eq!((index.delta, index.velocity), (Milli::whole(8), Milli::whole(8)));
    }
}
