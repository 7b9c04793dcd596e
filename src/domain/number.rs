//! Exact decimals: every number that a score is made of is a whole count of thousandths.
//!
//! **Invariant:** no floating point takes part in a sum. `Milli` becomes a JSON number only when it
//! is written, so drivers add up to the score on every machine.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A decimal with three places, kept as a whole number of thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milli(pub i64);

impl Milli {
    /// Nothing.
    pub const ZERO: Milli = Milli(0);

    /// A whole number.
    pub const fn whole(n: i64) -> Milli {
        Milli(n * 1000)
    }
}

impl Add for Milli {
    type Output = Milli;
    fn add(self, other: Milli) -> Milli {
        Milli(self.0 + other.0)
    }
}

impl AddAssign for Milli {
    fn add_assign(&mut self, other: Milli) {
        self.0 += other.0;
    }
}

impl Sub for Milli {
    type Output = Milli;
    fn sub(self, other: Milli) -> Milli {
        Milli(self.0 - other.0)
    }
}

impl Neg for Milli {
    type Output = Milli;
    fn neg(self) -> Milli {
        Milli(-self.0)
    }
}

impl Sum for Milli {
    fn sum<I: Iterator<Item = Milli>>(numbers: I) -> Milli {
        Milli(numbers.map(|n| n.0).sum())
    }
}

impl Serialize for Milli {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 {
            serializer.serialize_i64(self.0 / 1000)
        } else {
            serializer.serialize_f64(self.0 as f64 / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Milli {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Milli, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if !number.is_finite() || number.abs() > 1e12 {
            return Err(serde::de::Error::custom("a number within a trillion"));
        }
        Ok(Milli((number * 1000.0).round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_survives_json() {
        for milli in [-99_999, -1, 0, 1, 10, 999, 1000, 62_513, 100_000] {
            let text = serde_json::to_string(&Milli(milli)).unwrap();
            assert_eq!(serde_json::from_str::<Milli>(&text).unwrap(), Milli(milli), "{text}");
        }
        assert_eq!(serde_json::to_string(&Milli(62_500)).unwrap(), "62.5");
        assert_eq!(serde_json::to_string(&Milli(62_000)).unwrap(), "62");
    }
}
