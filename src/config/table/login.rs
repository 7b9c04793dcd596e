//! The settings of logins.

use super::super::value::{self, Value};
use super::{Setting, Takes};
use crate::domain::limit;

pub(super) const SECONDS: Setting = Setting {
    key: "login.seconds",
    env: "GREENROOM_LOGIN_SECONDS",
    flag: None,
    takes: Takes::Number(1, limit::LOGIN_SECONDS_MAX),
    default: Some("1209600"),
    example: "",
    brief: "Seconds without use after which a login ends",
    long: "A page that is open uses its login now and then by itself. When it ends, its sockets \
        are closed. The default is two working weeks. A login that exists keeps the length that \
        it was given until it is used the next time.",
    set: |settings, value| {
        settings.login_seconds = value::number(value, 1, limit::LOGIN_SECONDS_MAX)?;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.login_seconds as i64)),
    flagged: |_| None,
};
