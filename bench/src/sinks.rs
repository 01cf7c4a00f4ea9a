//! Receivers of events on loopback that nobody looks into: they are there so that a gateway has
//! somebody to tell.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use clap::ValueEnum;
use greenwave::http::Limits;
use http::StatusCode;
use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Failure;

/// How many there are: a gateway sends to each of them four events at a time, and thirty-two of one
/// application.
const RECEIVERS: usize = 8;

/// What they do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Manner {
    /// They answer at once: that an event is delivered belongs to what a session costs
    Prompt,
    /// They never answer: events are written, and stay where they are
    Silent,
}

/// Starts them, and tells where they are. They listen for as long as the runtime runs.
pub(crate) async fn start(manner: Manner) -> Result<Vec<Arc<str>>, Failure> {
    let listen = |error| Failure::new("cannot listen", error);
    let mut urls = Vec::new();
    for _ in 0..RECEIVERS {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        urls.push(format!("http://{address}/events").into());
        match manner {
            Manner::Prompt => {
                let routes = Router::new().fallback(async || StatusCode::NO_CONTENT);
                let never = CancellationToken::new();
                tokio::spawn(greenwave::http::serve(listener, routes, Limits::of_process(), never));
            }
            Manner::Silent => drop(tokio::spawn(listen_in_silence(listener))),
        }
    }
    Ok(urls)
}

/// Takes everything, and lets go of a connection when the gateway does.
async fn listen_in_silence(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut bytes = [0; 4_096];
            while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
        });
    }
}
