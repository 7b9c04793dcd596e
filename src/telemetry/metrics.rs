//! What is counted and measured, under the names that the contract promises.
//!
//! **Invariant:** labels come from closed sets, so the number of time series has a bound.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::domain::refusal::Code;

/// All metrics of a node. A clone of one of them is the same metric.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Histogram>,
    routes: Mutex<HashSet<String>>,
    frames: Family<FrameLabels, Counter>,
    events: Family<EventLabels, Counter>,
    refusals: Family<RefusalLabels, Counter>,
    logins: Family<LoginLabels, Counter>,
    resumes: Family<ResumeLabels, Counter>,
    /// How long a proposal waited for the log, in seconds.
    pub proposal_queue: Histogram,
    /// How long a write of the journal took until it was on disk.
    pub journal_fsync: Histogram,
    /// How long a proposal took until a majority had it.
    pub quorum: Histogram,
    /// How long a command took to apply.
    pub apply: Histogram,
    /// How long an event took from its commit to the last outbox of its room.
    pub fanout: Histogram,
    /// How long the engine took for an answer.
    pub analysis: Histogram,
    /// Open sockets.
    pub sockets: Gauge,
    /// Rooms in memory.
    pub rooms: Gauge,
    /// 1 on the leader, else 0.
    pub leader: Gauge,
    /// The Raft term.
    pub term: Gauge,
    /// Log entries that this node has not applied yet.
    pub replication_lag_entries: Gauge,
    /// When the newest verified backup of this node was made, in Unix seconds; 0 without one.
    pub backup_newest: Gauge,
    /// When the certificate for browsers ends, in Unix seconds; 0 without one.
    pub tls_certificate_end: Gauge,
    backups: Family<BackupLabels, Counter>,
}

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client.
    In,
    /// To the client.
    Out,
}

/// How a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginResult {
    /// Signed in.
    Ok,
    /// Wrong address or password.
    Wrong,
    /// Turned away, because too many were waiting.
    Busy,
}

/// How a scheduled backup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupResult {
    /// It is there, and good.
    Verified,
    /// It is there, and a check failed.
    Unverified,
    /// It is not there.
    Failed,
}

/// Where the events of a resume came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumeSource {
    /// The room's memory.
    Ring,
    /// The store.
    Store,
    /// A snapshot, because the asked-for place does not exist.
    Snapshot,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FrameLabels {
    direction: &'static str,
    r#type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoginLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BackupLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResumeLabels {
    source: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

/// The media type of [`Metrics::encode`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Stages of a write and of a request, in seconds: from an append to a warm file up to the longest
/// request.
const SECONDS: [f64; 15] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Route templates that get time series of their own. The router has about 80; what comes from
/// somewhere else counts as `other`.
const ROUTES_MAX: usize = 256;

impl Metrics {
    /// All metrics, at zero.
    pub fn new() -> Arc<Metrics> {
        let mut registry = Registry::with_prefix("greenroom");
        let to = &mut registry;
        let requests = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> _);
        to.register_with_unit(
            "http_request",
            "Time to answer a request",
            Unit::Seconds,
            requests.clone(),
        );
        let build = Family::<BuildLabels, Gauge>::default();
        build.get_or_create(&BuildLabels { version: env!("CARGO_PKG_VERSION") }).set(1);
        to.register("build_info", "The version of this node", build);
        let metrics = Metrics {
            proposal_queue: seconds(to, "proposal_queue", "Wait of a proposal for the log"),
            journal_fsync: seconds(to, "journal_fsync", "Write of the journal until it is on disk"),
            quorum: seconds(to, "quorum", "Proposal until a majority has it"),
            apply: seconds(to, "apply", "Application of one command"),
            fanout: seconds(to, "fanout", "Event from its commit to the last outbox of the room"),
            analysis: seconds(to, "analysis", "Analysis of one answer"),
            sockets: metric(to, "sockets", "Open sockets"),
            rooms: metric(to, "rooms", "Rooms in memory"),
            leader: metric(to, "leader", "1 on the leader, else 0"),
            term: metric(to, "term", "The Raft term"),
            replication_lag_entries: metric(
                to,
                "replication_lag_entries",
                "Entries not applied yet",
            ),
            frames: metric(to, "frames", "Frames of the rooms"),
            events: metric(to, "events", "Durable events of the rooms"),
            refusals: metric(to, "refusals", "Requests and frames that were refused"),
            logins: metric(to, "logins", "Attempts to sign in"),
            resumes: metric(to, "resumes", "Sockets that came back"),
            backup_newest: metric(
                to,
                "backup_newest_timestamp_seconds",
                "Unix time of this node's newest verified backup, 0 without one",
            ),
            tls_certificate_end: metric(
                to,
                "tls_certificate_end_timestamp_seconds",
                "Unix time at which the certificate for browsers ends, 0 without one",
            ),
            backups: metric(to, "backup_runs", "Scheduled backups by how they ended"),
            routes: Mutex::default(),
            requests,
            registry,
        };
        Arc::new(metrics)
    }

    /// Everything as OpenMetrics text, which readers of the older Prometheus format take too.
    pub fn encode(&self) -> String {
        let mut page = String::new();
        text::encode(&mut page, &self.registry).expect("invariant: a String takes any text");
        page
    }

    /// A request was answered. `route` is the router's template, `None` where none matched.
    pub fn request(&self, method: &str, route: Option<&str>, status: u16, seconds: f64) {
        let route = route.map_or("none", |route| self.known(route)).to_owned();
        let labels = RequestLabels { method: known_method(method), route, status: status.into() };
        self.requests.get_or_create(&labels).observe(seconds);
    }

    /// A frame came or went; `kind` is its `type` as the protocol's enum names it.
    pub fn frame(&self, direction: Direction, kind: &'static str) {
        let direction = match direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        self.frames.get_or_create(&FrameLabels { direction, r#type: kind }).inc();
    }

    /// The counter of frames that go out, for whoever sends many.
    pub fn frames_sent(&self) -> Counter {
        let labels = FrameLabels { direction: "out", r#type: "frame" };
        self.frames.get_or_create(&labels).clone()
    }

    /// An event was written; `kind` is its name in the contract.
    pub fn event(&self, kind: &'static str) {
        self.events.get_or_create(&EventLabels { kind }).inc();
    }

    /// A request or a frame was refused.
    pub fn refusal(&self, code: Code) {
        self.refusals.get_or_create(&RefusalLabels { code: code.as_str() }).inc();
    }

    /// Somebody tried to sign in.
    pub fn login(&self, result: LoginResult) {
        let result = match result {
            LoginResult::Ok => "ok",
            LoginResult::Wrong => "wrong",
            LoginResult::Busy => "busy",
        };
        self.logins.get_or_create(&LoginLabels { result }).inc();
    }

    /// A socket came back and got what it had missed.
    pub fn resume(&self, source: ResumeSource) {
        let source = match source {
            ResumeSource::Ring => "ring",
            ResumeSource::Store => "store",
            ResumeSource::Snapshot => "snapshot",
        };
        self.resumes.get_or_create(&ResumeLabels { source }).inc();
    }

    /// A scheduled backup ended.
    pub fn backup(&self, result: BackupResult) {
        let result = match result {
            BackupResult::Verified => "verified",
            BackupResult::Unverified => "unverified",
            BackupResult::Failed => "failed",
        };
        self.backups.get_or_create(&BackupLabels { result }).inc();
    }

    /// The route itself while there is room for it.
    fn known<'a>(&self, route: &'a str) -> &'a str {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if routes.contains(route) {
            return route;
        }
        if routes.len() >= ROUTES_MAX {
            return "other";
        }
        routes.insert(route.to_owned());
        route
    }
}

fn metric<M: Metric + Clone + Default>(to: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    to.register(name, help, metric.clone());
    metric
}

fn seconds(to: &mut Registry, name: &str, help: &str) -> Histogram {
    let histogram = Histogram::new(SECONDS);
    to.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

/// A client may invent methods; those that it may not invent are the labels.
fn known_method(method: &str) -> &'static str {
    const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    METHODS.into_iter().find(|known| *known == method).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promised_name_is_on_the_page() {
        let metrics = Metrics::new();
        metrics.request("GET", Some("/kits"), 200, 0.003);
        metrics.frame(Direction::In, "say");
        metrics.event("question.asked");
        metrics.refusal(Code::RoomFull);
        metrics.login(LoginResult::Wrong);
        metrics.resume(ResumeSource::Ring);
        metrics.sockets.set(3);
        metrics.backup(BackupResult::Verified);
        let page = metrics.encode();
        let stages = ["proposal_queue", "journal_fsync", "quorum", "apply", "fanout", "analysis"];
        for name in stages.iter().chain(&["http_request"]) {
            let line = format!("# TYPE greenroom_{name}_seconds histogram\n");
            assert!(page.contains(&line), "{name}: {page}");
        }
        let version = env!("CARGO_PKG_VERSION");
        for line in [
            "greenroom_http_request_seconds_count{method=\"GET\",route=\"/kits\",status=\"200\"} 1",
            "greenroom_frames_total{direction=\"in\",type=\"say\"} 1",
            "greenroom_events_total{kind=\"question.asked\"} 1",
            "greenroom_refusals_total{code=\"room.full\"} 1",
            "greenroom_logins_total{result=\"wrong\"} 1",
            "greenroom_resumes_total{source=\"ring\"} 1",
            "greenroom_sockets 3",
            "greenroom_rooms 0",
            "greenroom_leader 0",
            "greenroom_term 0",
            "greenroom_replication_lag_entries 0",
            "greenroom_apply_seconds_count 0",
            "greenroom_backup_newest_timestamp_seconds 0",
            "greenroom_backup_runs_total{result=\"verified\"} 1",
            &format!("greenroom_build_info{{version=\"{version}\"}} 1"),
        ] {
            assert!(page.lines().any(|found| found == line), "{line}: {page}");
        }
        assert!(page.ends_with("# EOF\n"));
    }

    #[test]
    fn labels_stay_bounded_whatever_comes() {
        let metrics = Metrics::new();
        for n in 0..ROUTES_MAX + 50 {
            metrics.request(&format!("M{n}"), Some(&format!("/{n}")), 404, 0.0);
        }
        metrics.request("GET", None, 404, 0.0);
        metrics.request("GET", Some("/7"), 404, 0.0);
        let page = metrics.encode();
        let series = |part: &str| {
            let counts = page.lines().filter(|line| line.contains("request_seconds_count"));
            counts.filter(|line| line.contains(part)).count()
        };
        // As many as have room, the rest together, what matched nothing, and one known route again.
        assert_eq!(series(""), ROUTES_MAX + 3);
        assert_eq!(series("method=\"other\",route=\"other\""), 1);
        assert_eq!(series("method=\"GET\",route=\"none\""), 1);
        assert_eq!(series("method=\"GET\",route=\"/7\""), 1);
    }
}
