//! The settings of scheduled backups.

use super::super::value::{self, Value};
use super::{Setting, Takes};
use crate::domain::limit;

pub(super) const DIR: Setting = Setting {
    key: "backup.dir",
    env: "GREENROOM_BACKUP_DIR",
    flag: None,
    takes: Takes::Path,
    default: None,
    example: "/srv/backups/greenroom",
    brief: "Folder for scheduled backups",
    long: "Without it, this is `backups` in the data directory. A folder on another disk, or one \
        that is copied to another machine, also helps when this disk dies. It is made if it does \
        not exist. Backups hold the keys of the cluster: whoever can read them can be anybody.",
    set: |settings, value| value::path(value).map(|path| settings.backup_dir = Some(path)),
    get: |settings| {
        let path = settings.backup_dir.as_ref();
        path.map(|path| Value::Text(path.display().to_string()))
    },
    flagged: |_| None,
};

pub(super) const EVERY_HOURS: Setting = Setting {
    key: "backup.every_hours",
    env: "GREENROOM_BACKUP_EVERY_HOURS",
    flag: None,
    takes: Takes::Number(0, limit::BACKUP_HOURS_MAX),
    default: Some("24"),
    example: "",
    brief: "Hours between two scheduled backups",
    long: "The node that leads makes them, and checks each one by restoring it. The hours count \
        from the newest backup in its folder, or from the founding of the cluster if there is \
        none. 0 switches them off.",
    set: |settings, value| {
        let hours = value::number(value, 0, limit::BACKUP_HOURS_MAX)?;
        settings.backup_every_hours = hours;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.backup_every_hours as i64)),
    flagged: |_| None,
};

pub(super) const KEEP_LAST: Setting = Setting {
    key: "backup.keep_last",
    env: "GREENROOM_BACKUP_KEEP_LAST",
    flag: None,
    takes: Takes::Number(1, limit::BACKUPS_LAST_MAX),
    default: Some("7"),
    example: "",
    brief: "How many of the newest scheduled backups stay",
    long: "With one a day, seven reach back a week: most losses are noticed within it. Only \
        backups that passed their check count, and the newest of them is never removed.",
    set: |settings, value| {
        let last = value::number(value, 1, limit::BACKUPS_LAST_MAX)?;
        settings.backup_keep_last = last;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.backup_keep_last as i64)),
    flagged: |_| None,
};

pub(super) const KEEP_WEEKLY: Setting = Setting {
    key: "backup.keep_weekly",
    env: "GREENROOM_BACKUP_KEEP_WEEKLY",
    flag: None,
    takes: Takes::Number(0, limit::BACKUPS_WEEKLY_MAX),
    default: Some("4"),
    example: "",
    brief: "For how many weeks one scheduled backup each stays",
    long: "The newest backup of each of the last so many weeks that have one stays beside those \
        of `backup.keep_last`, for the loss that nobody noticed for a month. Weeks begin on \
        Monday, in UTC.",
    set: |settings, value| {
        let weekly = value::number(value, 0, limit::BACKUPS_WEEKLY_MAX)?;
        settings.backup_keep_weekly = weekly;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.backup_keep_weekly as i64)),
    flagged: |_| None,
};
