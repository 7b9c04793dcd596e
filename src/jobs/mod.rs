//! Work without a person waiting: reports, exports, backups, forgotten interviews.

pub mod backup;
pub mod export;
pub mod lapse;
pub mod report;
