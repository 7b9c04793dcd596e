//! Work without a person waiting: reports, exports, backups.

pub mod backup;
pub mod export;
pub mod report;
