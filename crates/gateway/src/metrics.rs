//! What happens, counted: the figures that show whether the promises are kept. No label tells of a
//! device or an application.

use std::time::Duration;

use greenwave_core::{Effect, EndReason, Phase, Standing};
use greenwave_ledger::{Census, Committed, Outcome};
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::engine::Differences;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the buckets for lateness and delivery, in seconds.
const BUCKETS_S: [f64; 13] =
    [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0, 3_600.0];

/// All counters of a gateway.
pub struct Metrics {
    registry: Registry,
    network_resources: Family<OfStanding, Gauge>,
    outbox_depth: Gauge,
    leaks: Family<OfLeak, Counter>,
    passes: Family<OfResult, Counter>,
    sessions_created: Counter,
    status_changes: Family<OfChange, Counter>,
    expiry_lateness: Histogram,
    release_lateness: Histogram,
    delivery: Histogram,
    dead_letters: Counter,
    clock_steps: Counter,
    clock_step: Gauge<f64, std::sync::atomic::AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStanding {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLeak {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfResult {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfChange {
    status: &'static str,
    reason: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let lateness = || Histogram::new(BUCKETS_S);
        let metrics = Self {
            registry: Registry::with_prefix("greenwave"),
            network_resources: Family::default(),
            outbox_depth: Gauge::default(),
            leaks: Family::default(),
            passes: Family::default(),
            sessions_created: Counter::default(),
            status_changes: Family::default(),
            expiry_lateness: lateness(),
            release_lateness: lateness(),
            delivery: lateness(),
            dead_letters: Counter::default(),
            clock_steps: Counter::default(),
            clock_step: Gauge::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "network_resources",
            "Sessions by what they have to do with the network",
            self.network_resources.clone(),
        );
        registry.register("outbox_depth", "Events not yet delivered", self.outbox_depth.clone());
        registry.register(
            "reconcile_leaks",
            "Differences found between network and ledger",
            self.leaks.clone(),
        );
        registry.register(
            "reconcile_passes",
            "Comparisons of network and ledger",
            self.passes.clone(),
        );
        registry.register("sessions_created", "Sessions created", self.sessions_created.clone());
        registry.register(
            "status_changes",
            "Sessions that became available or unavailable",
            self.status_changes.clone(),
        );
        registry.register_with_unit(
            "session_expiry_lateness",
            "From a session's expiresAt until its end was kept",
            Unit::Seconds,
            self.expiry_lateness.clone(),
        );
        registry.register_with_unit(
            "session_release_lateness",
            "From a session's expiresAt until the network had let go of it",
            Unit::Seconds,
            self.release_lateness.clone(),
        );
        registry.register_with_unit(
            "event_delivery",
            "From a change of status until its receiver had the event",
            Unit::Seconds,
            self.delivery.clone(),
        );
        registry.register("dead_letters", "Events given up", self.dead_letters.clone());
        registry.register(
            "clock_steps",
            "Times that the wall clock was set",
            self.clock_steps.clone(),
        );
        registry.register_with_unit(
            "clock_step",
            "How far the wall clock was set the last time",
            Unit::Seconds,
            self.clock_step.clone(),
        );
        self
    }

    /// Counts what a command has brought about, once it is committed.
    pub(crate) fn committed(&self, committed: &Committed, now: Timestamp) {
        if committed.created {
            self.sessions_created.inc();
        }
        let changes = &committed.changes;
        for effect in &changes.effects {
            let Effect::Notify(event) = effect else { continue };
            let (status, reason) = match event.reason {
                None => ("available", "granted"),
                Some(reason) => ("unavailable", reason_name(reason)),
            };
            self.status_changes.get_or_create(&OfChange { status, reason }).inc();
            if event.reason == Some(EndReason::DurationExpired) {
                self.expiry_lateness.observe(seconds(event.at, now));
            }
        }
        if let Some(Phase::Ended(end)) = changes.session.as_ref().map(|session| session.phase)
            && changes.retired
            && end.reason == EndReason::DurationExpired
        {
            self.release_lateness.observe(seconds(end.ended_at, now));
        }
    }

    /// Counts what a pass has found.
    pub(crate) fn reconciled(&self, found: Differences) {
        self.passes.get_or_create(&OfResult { result: "done" }).inc();
        for (kind, count) in [("stray", found.leaked), ("missing", found.missing)] {
            self.leaks.get_or_create(&OfLeak { kind }).inc_by(count as u64);
        }
    }

    /// Counts a pass that came to nothing.
    pub(crate) fn not_reconciled(&self) {
        self.passes.get_or_create(&OfResult { result: "failed" }).inc();
    }

    /// Counts an event that is over with.
    pub(crate) fn settled(&self, outcome: Outcome, since: Timestamp, now: Timestamp) {
        match outcome {
            Outcome::Delivered => self.delivery.observe(seconds(since, now)),
            Outcome::Dead => drop(self.dead_letters.inc()),
        }
    }

    /// Counts a step of the wall clock.
    pub fn clock_stepped(&self, seconds: f64) {
        self.clock_steps.inc();
        self.clock_step.set(seconds);
    }

    /// All of it, in the text form of OpenMetrics.
    #[must_use]
    pub fn text(&self, census: &Census) -> String {
        for standing in Standing::ALL {
            let label = OfStanding { state: standing_name(standing) };
            let count = i64::try_from(census.sessions.count(standing)).unwrap_or(i64::MAX);
            self.network_resources.get_or_create(&label).set(count);
        }
        self.outbox_depth.set(i64::try_from(census.notifications).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// From `since` to `now`; nothing if that is in the future.
fn seconds(since: Timestamp, now: Timestamp) -> f64 {
    Duration::try_from(now.duration_since(since)).unwrap_or_default().as_secs_f64()
}

fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Requested => "requested",
        Standing::Honoured => "honoured",
        Standing::Lost => "lost",
        Standing::Leaving => "leaving",
        Standing::Orphan => "orphan",
        Standing::Over => "over",
    }
}

fn reason_name(reason: EndReason) -> &'static str {
    match reason {
        EndReason::DurationExpired => "duration_expired",
        EndReason::NetworkTerminated => "network_terminated",
        EndReason::DeleteRequested => "delete_requested",
    }
}
