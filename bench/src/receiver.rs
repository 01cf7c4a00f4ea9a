//! A receiver of events, real HTTP on loopback.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use bytes::Bytes;
use greenwave::http::Limits;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Failure;

/// How many events may wait to be looked at. The receiver is slow when they are more.
const WAITING: usize = 8_192;

/// Where events come in.
pub(crate) struct Receiver {
    address: SocketAddr,
    events: mpsc::Receiver<Received>,
    counts: Arc<Mutex<Counts>>,
}

/// An event that has not come before.
#[derive(Debug)]
pub(crate) struct Received {
    /// When it came, by the wall clock.
    pub(crate) arrived_at: Timestamp,
    /// How long its session lasts: the URL that it was sent to says so.
    pub(crate) duration_s: u32,
    /// What it says.
    pub(crate) event: Event,
}

/// As much of an event as matters here.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    id: String,
    time: String,
    /// What happened to which session.
    pub(crate) data: Data,
}

/// See [`Event`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Data {
    /// The session.
    pub(crate) session_id: String,
    /// What it is now.
    pub(crate) qos_status: String,
    /// Why.
    pub(crate) status_info: Option<String>,
}

/// Events that came again, and what was no event.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// The same id with the same content: allowed.
    pub(crate) repeated: u64,
    /// The same id with other content.
    pub(crate) changed: u64,
    /// Not to be understood.
    pub(crate) unreadable: u64,
}

impl Receiver {
    /// Listens from now on, for as long as the runtime runs.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let listen = |error| Failure::new("cannot listen", error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (tell, events) = mpsc::channel(WAITING);
        let counts = Arc::new(Mutex::new(Counts::default()));
        let desk = Desk { tell, counts: Arc::clone(&counts), known: Mutex::default() };
        let routes = Router::new().route("/lasting/{duration_s}", post(take));
        let routes = routes.with_state(Arc::new(desk));
        let never = CancellationToken::new();
        tokio::spawn(greenwave::http::serve(listener, routes, Limits::of_process(), never));
        Ok(Self { address, events, counts })
    }

    /// Where the events of a session go that lasts so long.
    pub(crate) fn url(&self, duration_s: u32) -> String {
        format!("http://{}/lasting/{duration_s}", self.address)
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Option<Received> {
        self.events.recv().await
    }

    /// What else came until now.
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Event {
    /// When it says that it happened.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        self.time.parse().ok()
    }
}

struct Desk {
    tell: mpsc::Sender<Received>,
    counts: Arc<Mutex<Counts>>,
    /// The events that came, by their ids.
    known: Mutex<HashMap<String, Bytes>>,
}

async fn take(
    State(desk): State<Arc<Desk>>,
    Path(duration_s): Path<u32>,
    body: Bytes,
) -> StatusCode {
    let arrived_at = Timestamp::now();
    if let Some(event) = desk.look_at(body) {
        let _ = desk.tell.send(Received { arrived_at, duration_s, event }).await;
    }
    StatusCode::NO_CONTENT
}

impl Desk {
    /// The event, if it is new.
    fn look_at(&self, body: Bytes) -> Option<Event> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(event) = serde_json::from_slice::<Event>(&body) else {
            counts.unreadable += 1;
            return None;
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&event.id) {
            Some(before) if *before == body => counts.repeated += 1,
            Some(_) => counts.changed += 1,
            None => {
                known.insert(event.id.clone(), body);
                return Some(event);
            }
        }
        None
    }
}
