//! A finished report as a file: JSON for programs, CSV for tables, Markdown for notes, HTML for
//! paper.
//!
//! **Invariant:** nothing is measured here; every number is one of the report's own.
//! **Invariant:** words that people typed stay words: no format lets them become a formula,
//! markup, a link or a script.

mod csv;
mod html;
mod markdown;

mod escape;
mod spans;
mod waterfall;
mod wording;

use crate::domain::refusal::Refusal;
use crate::insight::report::Report;

/// The form of a downloaded report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The report itself.
    Json,
    /// One row an answer.
    Csv,
    /// Text with headings and tables.
    Md,
    /// One page that needs nothing else and prints well.
    Html,
}

impl Format {
    /// Every form, in the order in which help names them.
    pub const ALL: [Format; 4] = [Format::Json, Format::Csv, Format::Md, Format::Html];

    /// Reads the `format` of a request.
    pub fn parse(text: &str) -> Result<Format, Refusal> {
        let named = Format::ALL.into_iter().find(|format| format.extension() == text);
        named.ok_or_else(|| {
            let detail = "not a form of a report: use json, csv, md or html";
            Refusal::field("format", detail)
        })
    }

    /// The media type of the file.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Md => "text/markdown; charset=utf-8",
            Format::Html => "text/html; charset=utf-8",
        }
    }

    /// How the file's name ends, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Md => "md",
            Format::Html => "html",
        }
    }
}

/// Writes a report in one of the forms.
pub fn render(report: &Report, format: Format) -> String {
    match format {
        Format::Json => json(report),
        Format::Csv => csv::render(report),
        Format::Md => markdown::render(report),
        Format::Html => html::render(report),
    }
}

fn json(report: &Report) -> String {
    let text = serde_json::to_string_pretty(report);
    let mut text = text.expect("invariant: a report has text keys and finite numbers");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
