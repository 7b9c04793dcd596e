//! A moment: Unix milliseconds inside, RFC 3339 UTC with milliseconds outside.
//!
//! **Invariant:** a moment comes from a proposer's clock; nothing here reads one.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The printer that gives exactly three places, whatever the moment.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// A moment in Unix milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// This moment and so many milliseconds.
    pub const fn plus_ms(self, ms: i64) -> Time {
        Time(self.0.saturating_add(ms))
    }

    /// Reads RFC 3339; finer parts than a millisecond are dropped.
    pub fn parse(text: &str) -> Option<Time> {
        text.parse::<Timestamp>().ok().map(|at| Time(at.as_millisecond()))
    }

    /// The day in which it lies.
    pub const fn day(self) -> Day {
        Day(self.0.div_euclid(DAY_MS))
    }
}

/// A day in UTC, counted from 1970-01-01; written as `2026-11-24`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        f.write_str(&PRINTER.timestamp_to_string(&at))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(
                "not a time: expected RFC 3339, such as 2026-11-22T09:30:00.000Z",
            )
        })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Time(self.0.saturating_mul(DAY_MS)).to_string();
        f.write_str(midnight.split_once('T').map_or("", |(day, _)| day))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::parse(&format!("{text}T00:00:00Z"))
            .map(Time::day)
            .ok_or_else(|| serde::de::Error::custom("not a day: expected one such as 2026-11-22"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_three_places_and_a_z() {
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Time(1_795_000_000_120).to_string(), "2026-11-18T11:06:40.120Z");
        assert_eq!(Time::parse("2026-11-18T12:06:40.12+01:00"), Some(Time(1_795_000_000_120)));
        assert_eq!(Time::parse("yesterday"), None);
    }

    #[test]
    fn a_day_ends_at_midnight_in_utc() {
        assert_eq!(Time(1_795_000_000_120).day().to_string(), "2026-11-18");
        assert_eq!((Time(DAY_MS - 1).day(), Time(DAY_MS).day()), (Day(0), Day(1)));
        assert_eq!(Time(-1).day().to_string(), "1969-12-31");
        let read = |text: &str| serde_json::from_str::<Day>(text).ok();
        assert_eq!(read("\"2026-11-18\""), Some(Time(1_795_000_000_120).day()));
        assert_eq!(read("\"2026-11-18T11:06:40.120Z\""), None);
        assert_eq!(read("\"today\""), None);
    }
}
