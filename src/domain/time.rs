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
}

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
}
