//! `greenroom bench`: what this machine's disk and this program do, on a node that is thrown away.
//!
//! **Invariant:** each figure stands beside a control of the same bytes on the same disk, measured
//! in turn with it in the same run; nothing is taken from elsewhere.

mod disk;
mod drive;
mod node;

mod fan_out;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::exit::Error;
use super::output::{self, note};
use super::temporary::Temporary;
use crate::domain::limit;
use drive::{Figure, drive, middle};
use node::Cluster;

/// What is measured for how long.
#[derive(clap::Args)]
pub struct Args {
    /// Seconds of each measurement
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Rounds in which everything is measured once; the middle of them is printed
    #[arg(long, value_name = "N", default_value_t = 3,
        value_parser = clap::value_parser!(u64).range(1..=25))]
    rounds: u64,
    /// Nodes, all in this process and on this disk
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(1..=5))]
    nodes: u8,
    /// People in the organisation beforehand, besides the one who writes
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..PEOPLE_MAX))]
    people: u32,
    /// Measures only this
    #[arg(long, value_name = "WHAT",
        value_parser = [SYNC, ROWS, GROUP, PROPOSE, HTTP, FRAMES, FAN_OUT])]
    only: Option<String>,
    /// Prints the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Writers at once.
const WRITERS: [usize; 3] = [1, 16, 128];

/// One figure over all rounds.
struct Line {
    what: &'static str,
    writers: usize,
    runs: Vec<Figure>,
    /// The line to which it is compared.
    control: Option<(&'static str, usize)>,
}

/// One below the limit, because an admin is there already.
const PEOPLE_MAX: i64 = limit::PEOPLE_MAX as i64;

const SYNC: &str = "fsync";
const GROUP: &str = "group";
const ROWS: &str = "sqlite";
const PROPOSE: &str = "propose";
const HTTP: &str = "http";
const FRAMES: &str = "frames";
const FAN_OUT: &str = "fan-out";

pub(super) async fn run(context: &Context, args: Args) -> Result<(), Error> {
    let folder = folder(&context.settings()?.data_dir)?;
    let cluster = Cluster::start(folder.path(), args.nodes.into()).await?;
    let measured = measure(&args, &cluster, folder.path()).await;
    let stopped = cluster.stop().await;
    let (bytes, lines) = measured?;
    stopped?;
    match args.json {
        true => output::json(&document(&args, bytes, &lines)),
        false => output::text(&page(bytes, &lines)),
    }
}

async fn measure(
    args: &Args,
    cluster: &Cluster,
    folder: &Path,
) -> Result<(usize, Vec<Line>), Error> {
    let time = Duration::from_secs(args.seconds);
    if args.people > 0 {
        note(&format!("adding people: {}", args.people));
        cluster.populate(args.people as usize).await?;
    }
    let mut sample = cluster.speakers(1).await?;
    let bytes = serde_json::to_vec(&sample[0].envelope())
        .map_err(|e| Error::fault("a command cannot be written down").why(e.to_string()))?
        .len();
    drop(sample);
    let mut lines = lines();
    lines.retain(|line| args.only.as_ref().is_none_or(|only| only == line.what));
    for round in 1..=args.rounds {
        for line in &mut lines {
            let Line { what, writers, .. } = *line;
            note(&format!("round {round} of {}: {what}, writers: {writers}", args.rounds));
            line.runs.push(match what {
                SYNC => apart(folder, bytes, time, disk::syncs).await?,
                ROWS => apart(folder, bytes, time, disk::rows).await?,
                GROUP => drive(disk::group(folder, bytes, writers)?, time).await?,
                PROPOSE => drive(cluster.speakers(writers).await?, time).await?,
                FRAMES => fan_out::frames(time).await?,
                FAN_OUT => fan_out::events(cluster, time).await?,
                _ => drive(cluster.putters(writers).await?, time).await?,
            });
        }
    }
    Ok((bytes, lines))
}

/// In the order in which they are measured, each after its control.
fn lines() -> Vec<Line> {
    let line = |what, writers, control| Line { what, writers, runs: Vec::new(), control };
    let mut lines = vec![line(SYNC, 1, None), line(ROWS, 1, Some((SYNC, 1)))];
    for writers in WRITERS {
        let control = if writers == 1 { (SYNC, 1) } else { (GROUP, writers) };
        lines.push(line(GROUP, writers, Some((SYNC, 1))));
        lines.push(line(PROPOSE, writers, Some(control)));
        lines.push(line(HTTP, writers, Some(control)));
    }
    lines.push(line(FRAMES, fan_out::SPEAKING, None));
    lines.push(line(FAN_OUT, fan_out::SPEAKING, Some((FRAMES, fan_out::SPEAKING))));
    lines
}

/// Runs a control where it may wait for the disk.
async fn apart(
    folder: &Path,
    bytes: usize,
    time: Duration,
    work: fn(&Path, usize, Duration) -> Result<Figure, Error>,
) -> Result<Figure, Error> {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || work(&folder, bytes, time))
        .await
        .map_err(|e| Error::fault("a control did not finish").why(e.to_string()))?
}

impl Line {
    fn ratio(&self, lines: &[Line]) -> Option<f64> {
        let control = lines.iter().find(|line| Some((line.what, line.writers)) == self.control)?;
        let under = middle(&control.runs).per_second;
        (under > 0.0).then(|| middle(&self.runs).per_second / under)
    }
}

fn page(bytes: usize, lines: &[Line]) -> String {
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            let Figure { per_second, p50_ms, p99_ms, cpu_us } = middle(&line.runs);
            let ratio = line.ratio(lines).map_or(String::new(), |ratio| format!("{ratio:.2}"));
            let control = line.control.map_or(String::new(), |(what, n)| format!("{what} {n}"));
            [
                line.what.to_owned(),
                line.writers.to_string(),
                format!("{per_second:.0}"),
                number(p50_ms, 2),
                number(p99_ms, 2),
                number(cpu_us, 0),
                ratio,
                control,
            ]
        })
        .collect();
    let header = ["what", "writers", "per second", "p50 ms", "p99 ms", "CPU us", "ratio", "to"];
    format!("{}\nA write here has {bytes} bytes.\n", output::table(header, &rows))
}

/// A number, or a dash for one that was not measured.
fn number(number: f64, digits: usize) -> String {
    if number.is_nan() { "-".to_owned() } else { format!("{number:.digits$}") }
}

fn document(args: &Args, bytes: usize, lines: &[Line]) -> Value {
    let figures: Vec<Value> = lines
        .iter()
        .map(|line| {
            let Figure { per_second, p50_ms, p99_ms, cpu_us } = middle(&line.runs);
            json!({
                "what": line.what,
                "writers": line.writers,
                "per_second": per_second,
                "per_second_runs": line.runs.iter().map(|run| run.per_second).collect::<Vec<_>>(),
                "p50_ms": p50_ms,
                "p99_ms": p99_ms,
                "cpu_us": cpu_us,
                "ratio": line.ratio(lines),
                "ratio_to": line.control.map(|(what, writers)| {
                    json!({"what": what, "writers": writers})
                }),
            })
        })
        .collect();
    json!({
        "bytes": bytes,
        "nodes": args.nodes,
        "people": args.people,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "seconds": args.seconds,
        "rounds": args.rounds,
        "figures": figures,
    })
}

/// A folder in the data directory, so that it lies on the same disk.
fn folder(data_dir: &Path) -> Result<Temporary, Error> {
    // Whether it is there shows in the next step.
    let _ = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    let next = "name a directory on the disk in question with --data-dir";
    Temporary::new(data_dir, "bench", next)
}
