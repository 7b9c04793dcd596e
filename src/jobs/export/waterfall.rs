//! The way from the baseline to the score: one bar a signal, as a drawing and as rows.
//!
//! Whole numbers only, so that the same report gives the same drawing everywhere.

use super::escape;
use super::wording;
use crate::domain::analysis::Driver;
use crate::domain::number::Milli;

/// One signal's step.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step<'a> {
    /// The signal.
    pub(super) signal: &'a str,
    /// What it adds or takes.
    pub(super) points: Milli,
    /// Where the score stands before it.
    pub(super) before: Milli,
    /// Where the score stands after it.
    pub(super) after: Milli,
}

/// The drawing in its own units: names, track and figures side by side.
const WIDTH: i64 = 1000;
const TRACK_FROM: i64 = 270;
const TRACK_TO: i64 = 890;
const LINE: i64 = 36;

/// The steps, what helped first, the strongest on top, then what cost most; signals that moved
/// nothing come last.
pub(super) fn steps(baseline: Milli, drivers: &[Driver]) -> Vec<Step<'_>> {
    let mut sorted: Vec<&Driver> = drivers.iter().collect();
    let group = |driver: &Driver| match driver.points.0.signum() {
        1 => 0,
        -1 => 1,
        _ => 2,
    };
    sorted.sort_by_key(|driver| (group(driver), -driver.points.0.abs()));
    let mut at = baseline;
    let mut steps = Vec::new();
    for driver in sorted {
        let before = at;
        at += driver.points;
        steps.push(Step { signal: &driver.signal, points: driver.points, before, after: at });
    }
    steps
}

/// The drawing. What it says also stands in the table that follows it.
pub(super) fn svg(baseline: Milli, score: Milli, steps: &[Step<'_>]) -> String {
    let bars: Vec<&Step> = steps.iter().filter(|step| step.points.0 != 0).collect();
    let scale = Scale::around(baseline, score, &bars);
    let lines = i64::try_from(bars.len()).unwrap_or(0) + 2;
    let height = lines * LINE + LINE;
    let mut out = format!(
        "<svg class=\"waterfall\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"waterfall-title waterfall-about\">\n\
         <title id=\"waterfall-title\">From the baseline to the score</title>\n\
         <desc id=\"waterfall-about\">The table below has the same figures.</desc>\n"
    );
    for tick in scale.ticks() {
        let x = scale.x(tick);
        out.push_str(&format!(
            "<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"{}\"/>\n\
             <text class=\"tick\" x=\"{x}\" y=\"{}\">{}</text>\n",
            lines * LINE,
            lines * LINE + 24,
            wording::figure(tick)
        ));
    }
    out.push_str(&end(0, "Baseline", baseline, scale.x(baseline)));
    for (n, step) in (1..).zip(&bars) {
        out.push_str(&bar(n, step, &scale));
    }
    out.push_str(&end(lines - 1, "Score", score, scale.x(score)));
    out.push_str("</svg>\n");
    out
}

/// The shown part of the axis.
struct Scale {
    from: Milli,
    to: Milli,
}

impl Scale {
    /// From ten to ten around everything that is drawn, and at least twenty wide.
    fn around(baseline: Milli, score: Milli, bars: &[&Step<'_>]) -> Scale {
        let ends = || {
            let after = bars.iter().map(|step| step.after);
            after.chain([baseline, score])
        };
        let ten = Milli::whole(10).0;
        let low = ends().min().unwrap_or(baseline).0;
        let high = ends().max().unwrap_or(baseline).0;
        // Two points of air, but none beyond the ends of the scale.
        let low = (low - 2000).max(low.min(0));
        let high = (high + 2000).min(high.max(100_000));
        let to = -(-high).div_euclid(ten) * ten;
        let from = (low.div_euclid(ten) * ten).min(to - 2 * ten);
        Scale { from: Milli(from), to: Milli(to) }
    }

    fn x(&self, value: Milli) -> i64 {
        let wide = TRACK_TO - TRACK_FROM;
        TRACK_FROM + (value - self.from).0 * wide / (self.to - self.from).0
    }

    fn ticks(&self) -> impl Iterator<Item = Milli> {
        let step = if (self.to - self.from) > Milli::whole(50) { 20 } else { 10 };
        let (from, to) = (self.from, self.to);
        let ticks = (0..=10).map(move |n| from + Milli::whole(n * step));
        ticks.take_while(move |tick| *tick <= to)
    }
}

fn end(line: i64, name: &str, value: Milli, x: i64) -> String {
    let y = line * LINE;
    format!(
        "<text class=\"name strong\" x=\"{}\" y=\"{}\">{name}</text>\n\
         <circle class=\"end\" cx=\"{x}\" cy=\"{}\" r=\"7\"/>\n\
         <text class=\"points strong\" x=\"{WIDTH}\" y=\"{}\">{}</text>\n",
        TRACK_FROM - 16,
        y + 24,
        y + LINE / 2,
        y + 24,
        wording::figure(value)
    )
}

fn bar(line: i64, step: &Step<'_>, scale: &Scale) -> String {
    let y = line * LINE;
    let (before, after) = (scale.x(step.before), scale.x(step.after));
    let kind = if step.points.0 > 0 { "up" } else { "down" };
    format!(
        "<text class=\"name\" x=\"{}\" y=\"{}\">{}</text>\n\
         <line class=\"step\" x1=\"{before}\" x2=\"{before}\" y1=\"{y}\" y2=\"{}\"/>\n\
         <rect class=\"bar {kind}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"20\" rx=\"3\"/>\n\
         <text class=\"points {kind}\" x=\"{WIDTH}\" y=\"{}\">{}</text>\n",
        TRACK_FROM - 16,
        y + 24,
        escape::html(&wording::signal_title(step.signal)),
        y + LINE,
        before.min(after),
        y + 8,
        (after - before).abs().max(2),
        y + 24,
        wording::signed(step.points)
    )
}
