//! The work of an engine and a delivery, done for many sessions at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use greenwave_core::decide::NetworkReport;
use greenwave_core::{Catalogue, Clock, Command, CurrentCatalogue, Effect, Order};
use greenwave_ledger::{
    Committed, Ledger, Outcome, Settlement, SqliteLedger, Storage, TransactError,
};
use greenwave_network::simulator::Settings;
use greenwave_network::{ManualTimer, Network, NetworkEvent, News, Simulator};
use tokio::sync::mpsc;

use super::{Filled, failed};
use crate::Failure;

/// How many creates, and how many grants, are handed over together.
const AT_ONCE: usize = 256;

/// How often creates are handed over before the first of them are made.
const UNDER_WAY: usize = 4;

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
    let network = Simulator::start(
        &rules,
        Arc::new(CurrentCatalogue::new(Catalogue::nokia())),
        settings,
        timer,
    );
    let network = network.map_err(failed)?;
    let events = network.events().ok_or_else(|| failed("the network says nothing"))?;
    let asked = ask(&ledger, &network, filled);
    tokio::try_join!(asked, grant(&ledger, events, filled.plan.sessions))?;
    ledger.close().await;
    Ok(())
}

/// Has sessions created, and the network asked for each.
async fn ask(ledger: &SqliteLedger, network: &Simulator, filled: &Filled) -> Result<(), Failure> {
    let firsts = (0..filled.plan.sessions).step_by(AT_ONCE);
    let creates = stream::iter(firsts).map(|first| {
        let last = filled.plan.sessions.min(first.saturating_add(AT_ONCE as u32));
        let create = |number| filled.create(number).map(Command::Create);
        let creates = (first..last).map(create).collect::<Result<Vec<_>, _>>()?;
        Ok(ledger.transact_all(creates).map(Ok))
    });
    let provide = async |created: Vec<Result<Committed, TransactError>>| {
        for committed in created {
            let order = provision(&committed.map_err(failed)?);
            let order = order.ok_or_else(|| failed("a session asks for nothing"))?;
            network.provision(order).await.map_err(failed)?;
        }
        Ok(())
    };
    creates.try_buffered(UNDER_WAY).try_for_each(provide).await
}

/// Has the ledger told what the network grants, and settles that the applications were told of it.
async fn grant(
    ledger: &SqliteLedger,
    mut events: mpsc::Receiver<NetworkEvent>,
    sessions: u32,
) -> Result<(), Failure> {
    let (mut left, mut heard) = (sessions as usize, Vec::new());
    while left > 0 && events.recv_many(&mut heard, AT_ONCE).await > 0 {
        left = left.saturating_sub(heard.len());
        let grants = heard.drain(..).map(|NetworkEvent { session, news }| match news {
            News::Granted => Ok(Command::Network { session, report: NetworkReport::Granted }),
            _ => Err(failed("the network refuses a session")),
        });
        let granted = ledger.transact_all(grants.collect::<Result<_, _>>()?).await;
        let mut settled = Vec::new();
        for committed in granted {
            for id in committed.map_err(failed)?.outbox {
                let note = "the receiver answered 204".to_owned();
                let done = Settlement::Done { outcome: Outcome::Delivered, note };
                settled.push(ledger.settle(id, done));
            }
        }
        try_join_all(settled).await.map_err(failed)?;
    }
    Ok(())
}

fn provision(committed: &Committed) -> Option<Order> {
    committed.changes.effects.iter().find_map(|effect| match effect {
        Effect::Provision(order) => Some(order.clone()),
        _ => None,
    })
}
