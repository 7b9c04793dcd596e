//! Writers that each wait for their own write before the next, and what they got done.

use std::time::{Duration, Instant};

use crate::cli::exit::Error;

/// One writer.
pub(super) trait Work: Send + 'static {
    /// Does one write and waits until it is confirmed.
    fn write(&mut self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What was done in one run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figure {
    /// Writes in a second.
    pub(super) per_second: f64,
    /// Half of the writes took at most so many milliseconds.
    pub(super) p50_ms: f64,
    /// Of a hundred writes, one took longer than so many milliseconds.
    pub(super) p99_ms: f64,
    /// Processor time of this process for one write, in microseconds; writers included.
    pub(super) cpu_us: f64,
}

/// The time in which is counted.
#[derive(Clone, Copy)]
pub(super) struct Window {
    opens: Instant,
    ends: Instant,
}

/// A run's head: everybody is on the way, and nothing is counted yet.
const WARM_SHARE: u32 = 8;

/// Lets writers write for a while; only what is confirmed after the first eighth counts.
pub(super) async fn drive<W: Work>(writers: Vec<W>, time: Duration) -> Result<Figure, Error> {
    let window = Window::open(time);
    let tasks: Vec<_> = writers
        .into_iter()
        .map(|mut writer| {
            tokio::spawn(async move {
                let mut taken = Vec::new();
                loop {
                    if window.is_over() {
                        return Ok(taken);
                    }
                    let began = Instant::now();
                    writer.write().await?;
                    if window.counts() {
                        taken.push(began.elapsed());
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep_until(window.opens.into()).await;
    let before = cpu()?;
    tokio::time::sleep_until(window.ends()).await;
    let spent = cpu()?.saturating_sub(before);
    let mut taken = Vec::new();
    for task in tasks {
        let done: Result<Vec<Duration>, Error> =
            task.await.map_err(|error| Error::fault("a writer fell").why(error.to_string()))?;
        taken.extend(done?);
    }
    Ok(window.figure(taken, spent))
}

impl Window {
    /// Opens after an eighth of the time that it stays open.
    pub(super) fn open(time: Duration) -> Window {
        let opens = Instant::now() + time / WARM_SHARE;
        Window { opens, ends: opens + time }
    }

    /// When it closes.
    pub(super) fn ends(self) -> tokio::time::Instant {
        self.ends.into()
    }

    /// Whether what happens now counts.
    pub(super) fn counts(self) -> bool {
        let now = Instant::now();
        now >= self.opens && now < self.ends
    }

    /// Whether it has closed.
    pub(super) fn is_over(self) -> bool {
        Instant::now() >= self.ends
    }

    /// What was done in it.
    pub(super) fn figure(self, taken: Vec<Duration>, spent: Duration) -> Figure {
        figure(taken, self.ends - self.opens, spent)
    }
}

/// Does one thing again and again, on this thread.
pub(super) fn repeat(
    time: Duration,
    mut work: impl FnMut() -> Result<(), Error>,
) -> Result<Figure, Error> {
    let mut taken = Vec::new();
    let (began, before) = (Instant::now(), cpu()?);
    while began.elapsed() < time {
        let start = Instant::now();
        work()?;
        taken.push(start.elapsed());
    }
    Ok(figure(taken, began.elapsed(), cpu()?.saturating_sub(before)))
}

/// The middle of several runs, each number by itself.
pub(super) fn middle(runs: &[Figure]) -> Figure {
    let of = |number: fn(&Figure) -> f64| {
        let mut numbers: Vec<f64> = runs.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.get(numbers.len() / 2).copied().unwrap_or_default()
    };
    Figure {
        per_second: of(|run| run.per_second),
        p50_ms: of(|run| run.p50_ms),
        p99_ms: of(|run| run.p99_ms),
        cpu_us: of(|run| run.cpu_us),
    }
}

fn figure(mut taken: Vec<Duration>, time: Duration, spent: Duration) -> Figure {
    taken.sort_unstable();
    let at = |percent: usize| {
        let place = (taken.len() * percent / 100).min(taken.len().saturating_sub(1));
        taken.get(place).map_or(0.0, |taken| taken.as_secs_f64() * 1_000.0)
    };
    let count = taken.len() as f64;
    Figure {
        per_second: count / time.as_secs_f64(),
        p50_ms: at(50),
        p99_ms: at(99),
        cpu_us: if taken.is_empty() { 0.0 } else { spent.as_secs_f64() * 1e6 / count },
    }
}

/// The processor time of this process so far, in user and kernel. Linux counts in hundredths of a
/// second here, whatever its own tick is.
fn cpu() -> Result<Duration, Error> {
    let unread = |why: String| Error::fault("/proc/self/stat cannot be read").why(why);
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|e| unread(e.to_string()))?;
    // The second field is the program's name in brackets, and may hold anything.
    let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    let ticks: Vec<u64> =
        after.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    match ticks[..] {
        [user, kernel] => Ok(Duration::from_millis((user + kernel) * 10)),
        _ => Err(unread("it does not have the form that Linux gives it".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_counts_and_ranks() {
        let taken = (1..=200).rev().map(Duration::from_millis).collect();
        let figure = figure(taken, Duration::from_secs(2), Duration::from_millis(400));
        assert_eq!(figure.per_second, 100.0);
        assert_eq!((figure.p50_ms, figure.p99_ms), (101.0, 199.0));
        assert_eq!(figure.cpu_us, 2_000.0);
        assert_eq!(super::figure(Vec::new(), Duration::from_secs(1), Duration::ZERO).p99_ms, 0.0);
    }

    #[test]
    fn the_middle_is_taken_number_by_number() {
        let run = |per_second, p99_ms| Figure { per_second, p99_ms, ..Figure::default() };
        let middle = middle(&[run(1.0, 9.0), run(3.0, 7.0), run(2.0, 8.0)]);
        assert_eq!((middle.per_second, middle.p99_ms), (2.0, 8.0));
    }

    #[test]
    fn the_processor_time_grows_with_work() {
        let before = cpu().unwrap();
        let mut sum = 0_u64;
        while cpu().unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(cpu().unwrap() > before);
    }

    struct Broken;

    impl Work for Broken {
        async fn write(&mut self) -> Result<(), Error> {
            Err(Error::unavailable("no disk"))
        }
    }

    #[tokio::test]
    async fn a_write_that_fails_ends_the_run() {
        let error = drive(vec![Broken], Duration::from_millis(1)).await.unwrap_err();
        assert!(error.to_string().contains("no disk"));
    }
}
