//! `greenroom openapi`: the document that describes the HTTP interface.

use super::exit::Error;
use super::output;

pub(super) fn run() -> Result<(), Error> {
    output::json(&crate::http::openapi::document())
}
