//! The network against the ledger: at the start and every period, what is there is compared with
//! what should be. It is the net below all other care: what nobody has to do with any more, in the
//! network or in the ledger, is found a pass later. What is asked for or taken back has its own
//! tries.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use greenwave_core::decide::NetworkReport;
use greenwave_core::{Buckets, SessionId, Standing};
use greenwave_crashpoint::{Point, reached};
use greenwave_ledger::LedgerError;
use greenwave_network::{Installed, NetworkError};

use super::{Engine, network};

/// How long after a pass the next one begins.
const PERIOD: Duration = Duration::from_secs(30);

/// How long the network may take to tell what is installed.
const LISTING_TIMEOUT: Duration = Duration::from_secs(30);

/// How many sessions are compared at a time: few enough not to be in anybody's way.
const PART: usize = 32_768;

/// How many differences are attended to at a time.
const AT_ONCE: usize = 256;

/// What a pass has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Rules for no session, or for one that is over: they were leaked, and are taken down.
    pub leaked: usize,
    /// Sessions that should have a rule and had none: it is put back, or they end.
    pub missing: usize,
}

/// Why a pass came to nothing. The next one may do better.
#[derive(Debug, thiserror::Error)]
pub(super) enum PassError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("the network did not tell in time what is installed")]
    TimedOut,
}

/// Compares again and again, for as long as it is run.
pub(super) async fn keep(engine: Arc<Engine>) {
    let timer = Arc::clone(&engine.parts.timer);
    loop {
        match pass(&engine).await {
            Ok(Some(differences)) => engine.parts.metrics.reconciled(differences),
            // A network that cannot be listed has nothing to be compared.
            Ok(None) => return std::future::pending().await,
            Err(error) => {
                engine.parts.metrics.not_reconciled();
                tracing::warn!(%error, "cannot compare the network with the ledger: trying again");
            }
        }
        timer.sleep_until(timer.now() + PERIOD).await;
    }
}

/// Compares once, all that there is a part at a time; `None` if the network cannot be listed.
async fn pass(engine: &Engine) -> Result<Option<Differences>, PassError> {
    let parts = engine.parts.ledger.size().div_ceil(PART);
    let mut all = Differences::default();
    let mut failed = None;
    for part in Buckets::parts(u16::try_from(parts).unwrap_or(u16::MAX)) {
        match compare(engine, part).await {
            Ok(Some(found)) => {
                all.leaked += found.leaked;
                all.missing += found.missing;
            }
            Ok(None) => return Ok(None),
            // The other parts are none the worse for it.
            Err(error) => failed = Some(error),
        }
    }
    reached(Point::ReconcileMended);
    failed.map_or(Ok(Some(all)), Err)
}

/// Compares one part.
///
/// What should be there is asked for before the listing, and what should not is judged after it and
/// listed again: whatever changes in between is then taken for neither.
async fn compare(engine: &Engine, part: Buckets) -> Result<Option<Differences>, PassError> {
    let ledger = &engine.parts.ledger;
    reached(Point::ReconcileBeforeListing);
    let honoured = ledger.standing_as(&[Standing::Honoured], part).await?;
    let Some(installed) = installed(engine, part).await? else { return Ok(None) };
    reached(Point::ReconcileListed);
    let sessions = installed.iter().map(|installed| installed.session).collect();
    let standings = ledger.standing_of(sessions).await?;

    let (mut strays, mut reports) = (Vec::new(), Vec::new());
    for (&installed, standing) in installed.iter().zip(standings) {
        match standing {
            None => strays.push(installed),
            Some(Standing::Over) => reports.push((installed.session, NetworkReport::Granted)),
            // What is asked for or taken back has its own tries.
            Some(_) => {}
        }
    }
    if !strays.is_empty() || !reports.is_empty() {
        // What was released while the list was made is on it, and not on the next one.
        let Some(again) = self::installed(engine, part).await? else { return Ok(None) };
        let again: HashSet<SessionId> = again.iter().map(|installed| installed.session).collect();
        strays.retain(|stray: &Installed| again.contains(&stray.session));
        reports.retain(|(session, _)| again.contains(session));
    }
    let leaked = strays.len() + reports.len();
    let there: HashSet<SessionId> = installed.iter().map(|installed| installed.session).collect();
    let absent = honoured.into_iter().filter(|session| !there.contains(session));
    let missing = still_honoured(engine, absent.collect()).await?;
    reports.extend(missing.into_iter().map(|session| (session, NetworkReport::Missing)));
    let missing = strays.len() + reports.len() - leaked;
    if leaked + missing > 0 {
        tracing::warn!(leaked, missing, "the network was not as the ledger says: mending it");
    }
    attend(engine, strays, reports).await;
    Ok(Some(Differences { leaked, missing }))
}

/// Which of these should be there still: what was released before the list was made is not on it.
async fn still_honoured(
    engine: &Engine,
    mut absent: Vec<SessionId>,
) -> Result<Vec<SessionId>, PassError> {
    let standings = engine.parts.ledger.standing_of(absent.clone()).await?;
    let mut standings = standings.into_iter();
    absent.retain(|_| standings.next() == Some(Some(Standing::Honoured)));
    Ok(absent)
}

async fn installed(engine: &Engine, part: Buckets) -> Result<Option<Vec<Installed>>, PassError> {
    let timer = &engine.parts.timer;
    let deadline = timer.now() + LISTING_TIMEOUT;
    tokio::select! {
        biased;
        installed = engine.parts.network.installed(part) => Ok(installed?),
        () = timer.sleep_until(deadline) => Err(PassError::TimedOut),
    }
}

async fn attend(engine: &Engine, strays: Vec<Installed>, reports: Vec<(SessionId, NetworkReport)>) {
    for strays in strays.chunks(AT_ONCE) {
        reached(Point::ReconcileBeforeRemove);
        join_all(strays.iter().map(|&stray| network::remove(engine, stray))).await;
    }
    for reports in reports.chunks(AT_ONCE) {
        network::report_all(engine, reports.to_vec()).await;
    }
}
