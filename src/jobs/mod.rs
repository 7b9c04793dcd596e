//! Work without a person waiting: reports, exports.

pub mod export;
pub mod report;
