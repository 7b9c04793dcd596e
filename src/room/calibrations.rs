//! Which calibration weighs an answer: the one in force in the state, whoever leads.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::interview::Kind;
use crate::insight::calibration::built_in;
use crate::insight::{Calibration, Engine};
use crate::store::{Fault, query};

/// The engine under whatever calibration is in force.
#[derive(Clone)]
pub struct Calibrations {
    usual: Engine,
    /// The one that was used last; a version never changes, so its name is enough.
    latest: Arc<Mutex<Option<Engine>>>,
}

/// The mode that every live interview has besides its own: no fact about delivery weighs in it.
const HIRING: &str = "hiring";

impl Calibrations {
    /// Around the engine with the calibration that is in force where nobody activated any.
    pub fn new(usual: Engine) -> Calibrations {
        Calibrations { usual, latest: Arc::default() }
    }

    /// The engine as it weighs now.
    pub fn in_force(&self, db: &query::Connection) -> Result<Engine, Fault> {
        let Some(version) = query::calibration::in_force(db)? else {
            return Ok(self.usual.clone());
        };
        let of_version = |engine: &Engine| {
            (engine.calibration().id().version == version).then(|| engine.clone())
        };
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(engine) = latest.as_ref().and_then(of_version) {
            return Ok(engine);
        }
        let engine = self.find(db, &version)?.ok_or_else(|| {
            Fault::plain(format!(
                "calibration {version} is in force and this Greenroom cannot use it; activate \
                 another one, or install the release that knows it"
            ))
        })?;
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(engine.clone());
        Ok(engine)
    }

    /// The engine under one calibration, if there is one of this version that it can use.
    pub fn find(&self, db: &query::Connection, version: &str) -> Result<Option<Engine>, Fault> {
        let stored = query::calibration::find(db, version)?;
        let calibration = match stored {
            Some(stored) => Calibration::parse(&stored.toml).ok(),
            None => built_in::find(version),
        };
        Ok(calibration.map(|calibration| self.usual.under(calibration)))
    }
}

/// The mode that an answer is weighed by: a live interview is a hiring matter, whatever else it is.
pub fn effective_mode(kind: Kind, mode: Option<&str>) -> Option<String> {
    match (kind, mode) {
        (Kind::Practice, mode) => mode.map(str::to_owned),
        (Kind::Live, None) => Some(HIRING.to_owned()),
        (Kind::Live, Some(mode)) if mode.split('+').any(|one| one == HIRING) => {
            Some(mode.to_owned())
        }
        (Kind::Live, Some(mode)) => Some(format!("{mode}+{HIRING}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_interview_is_always_weighed_as_hiring() {
        let live = |mode| effective_mode(Kind::Live, mode).unwrap();
        assert_eq!(live(None), "hiring");
        assert_eq!(live(Some("sap+sales")), "sap+sales+hiring");
        assert_eq!(live(Some("hiring+sap")), "hiring+sap");
        assert_eq!(effective_mode(Kind::Practice, None), None);
        assert_eq!(effective_mode(Kind::Practice, Some("sap")).as_deref(), Some("sap"));
        let engine = Engine::built_in();
        let weights = engine.calibration().weights_by_name(Some(&live(Some("sap+sales"))));
        assert_eq!(weights["filler_rate"], 0);
    }
}
