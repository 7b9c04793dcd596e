//! Work without a person waiting: reports, exports, backups, forgotten interviews, documents,
//! retention, cleaning after erasure, a person's own data as one file.

pub mod backup;
pub mod document;
pub mod export;
pub mod keys;
pub mod lapse;
pub mod report;
pub mod retention;
pub mod scrub;
pub mod takeout;
pub mod uses;
