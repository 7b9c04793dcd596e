//! The settings of rooms.

use super::super::value::{self, Value};
use super::{Setting, Takes};
use crate::domain::limit;

pub(super) const FRAMES_PER_SECOND: Setting = Setting {
    key: "rooms.frames_per_second",
    env: "GREENROOM_ROOMS_FRAMES_PER_SECOND",
    flag: None,
    takes: Takes::Number(1, limit::FRAMES_PER_SECOND_MAX),
    default: Some("50"),
    example: "",
    brief: "Frames a second that one socket may send",
    long: "Twice as many may come at once. What is more is refused, and a socket that sends twice \
        as many for five seconds is closed. One person's sockets in one room may together send \
        eight times as many. A fast typist's page sends fewer than 10.",
    set: |settings, value| {
        let rate = value::number(value, 1, limit::FRAMES_PER_SECOND_MAX)?;
        settings.rooms_frames_per_second = rate as u32;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.rooms_frames_per_second.into())),
    flagged: |_| None,
};

pub(super) const QUIET_SECONDS: Setting = Setting {
    key: "rooms.quiet_seconds",
    env: "GREENROOM_ROOMS_QUIET_SECONDS",
    flag: None,
    takes: Takes::Number(1, limit::LAPSE_SECONDS_MAX),
    default: Some("86400"),
    example: "",
    brief: "Seconds without an event after which a live interview is finished",
    long: "Somebody closed the page and never came back. The interview is finished, so that its \
        report is made and nothing said in it is lost.",
    set: |settings, value| {
        settings.rooms_quiet_seconds = value::number(value, 1, limit::LAPSE_SECONDS_MAX)?;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.rooms_quiet_seconds as i64)),
    flagged: |_| None,
};

pub(super) const WAIT_SECONDS: Setting = Setting {
    key: "rooms.wait_seconds",
    env: "GREENROOM_ROOMS_WAIT_SECONDS",
    flag: None,
    takes: Takes::Number(1, limit::LAPSE_SECONDS_MAX),
    default: Some("1209600"),
    example: "",
    brief: "Seconds after which an interview that was never started is cancelled",
    long: "They count from the time that it is scheduled for, or from the moment it was made if \
        there is none. The default is two weeks.",
    set: |settings, value| {
        settings.rooms_wait_seconds = value::number(value, 1, limit::LAPSE_SECONDS_MAX)?;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.rooms_wait_seconds as i64)),
    flagged: |_| None,
};
