//! The work of an engine and a delivery, done for many sessions at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{TryFutureExt, ready};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use greenwave_core::decide::NetworkReport;
use greenwave_core::{Catalogue, Clock, Command, Effect, Order};
use greenwave_ledger::{Committed, Ledger, Outcome, Settlement, SqliteLedger, Storage};
use greenwave_network::simulator::Settings;
use greenwave_network::{ManualTimer, Network, NetworkEvent, News, Simulator};
use tokio::sync::mpsc;

use super::{Filled, failed};
use crate::Failure;

/// How many creates, and how many grants, are under way: enough for commits that are as large as
/// they may be, and less than the ledger's queue holds.
const AT_ONCE: usize = 2_048;

/// What lets the ledger be written quickly. It is nobody's yet: whoever fills it begins anew when
/// the power fails.
const SETUP: &str = "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20000;";

/// Makes all sessions. While some are made others are granted already.
pub(super) async fn pour(directory: &Path, filled: &Filled) -> Result<(), Failure> {
    let timer = ManualTimer::new(filled.plan.began);
    let clock = Arc::clone(&timer) as Arc<dyn Clock>;
    let storage = Storage { vfs: None, setup: SETUP.to_owned() };
    let ledger = SqliteLedger::open_on(&storage, directory, clock).map_err(failed)?;
    let settings = Settings { grant_delay: Duration::ZERO, seed: 0 };
    let rules = directory.join("network.jsonl");
    let network = Simulator::start(&rules, Arc::new(Catalogue::nokia()), settings, timer);
    let network = network.map_err(failed)?;
    let events = network.events().ok_or_else(|| failed("the network says nothing"))?;
    let asked = ask(&ledger, &network, filled);
    tokio::try_join!(asked, grant(&ledger, events, filled.plan.sessions))?;
    ledger.close().await;
    Ok(())
}

/// Has sessions created, and the network asked for each.
async fn ask(ledger: &SqliteLedger, network: &Simulator, filled: &Filled) -> Result<(), Failure> {
    let creates = stream::iter(0..filled.plan.sessions).map(|number| {
        let create = Command::Create(filled.create(number)?);
        Ok(ledger.transact(create).map_err(failed))
    });
    let provide = async |committed| {
        let order = provision(&committed).ok_or_else(|| failed("a session asks for nothing"))?;
        network.provision(order).await.map(drop).map_err(failed)
    };
    creates.try_buffer_unordered(AT_ONCE).try_for_each(provide).await
}

/// Has the ledger told what the network grants, and settles that the applications were told of it.
async fn grant(
    ledger: &SqliteLedger,
    mut events: mpsc::Receiver<NetworkEvent>,
    sessions: u32,
) -> Result<(), Failure> {
    let events = stream::poll_fn(|context| events.poll_recv(context)).take(sessions as usize);
    let grants = events.map(|NetworkEvent { session, news }| match news {
        News::Granted => {
            let report = NetworkReport::Granted;
            Ok(ledger.transact(Command::Network { session, report }).map_err(failed))
        }
        _ => Err(failed("the network refuses a session")),
    });
    let told = grants.try_buffer_unordered(AT_ONCE);
    let told = told.map_ok(|committed| stream::iter(committed.outbox).map(Ok)).try_flatten();
    let settled = told.map_ok(|id| {
        let note = "the receiver answered 204".to_owned();
        ledger.settle(id, Settlement::Done { outcome: Outcome::Delivered, note }).map_err(failed)
    });
    settled.try_buffer_unordered(AT_ONCE).try_for_each(|()| ready(Ok(()))).await
}

fn provision(committed: &Committed) -> Option<Order> {
    committed.changes.effects.iter().find_map(|effect| match effect {
        Effect::Provision(order) => Some(order.clone()),
        _ => None,
    })
}
