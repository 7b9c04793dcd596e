//! Work without a person waiting: reports, exports, backups, forgotten interviews, documents.

pub mod backup;
pub mod document;
pub mod export;
pub mod lapse;
pub mod report;
