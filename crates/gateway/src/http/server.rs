//! The accept loop: how connections are taken, bounded, and brought to their end.

use std::io;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many connections there may be. Whoever comes then waits in the kernel's queue.
const CONNECTIONS: usize = 10_000;

/// How long the head of a request may take to arrive, the first one and each that follows.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// How large the head of a request may be.
const HEAD_LIMIT: usize = 32 * 1024;

/// How many streams an HTTP/2 connection may have.
const STREAMS: u32 = 100;

/// When an HTTP/2 connection that is silent is asked whether it lives, and how long it has to
/// answer.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for the rest of a preface.
const PREFACE_PAUSE: Duration = Duration::from_millis(5);

/// How long requests that are under way have to finish once the gateway is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when no connection can be taken, for lack of file descriptors as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What every HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves HTTP/1.1 and HTTP/2 until `stop` says so, and then lets requests finish. If it is dropped
/// instead, every connection is cut off.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = accept(&listener), if connections.len() < CONNECTIONS => {
                let Some(stream) = accepted else { continue };
                let (router, watcher) = (router.clone(), graceful.watcher());
                connections.spawn(serve_connection(stream, router, watcher, stop.clone()));
            }
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

async fn accept(listener: &TcpListener) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((stream, _)) => Some(stream),
        Err(error) => {
            tracing::warn!(%error, "cannot take a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Serves a connection to its end. An error is the other side's: it has gone away, or does not
/// speak HTTP.
async fn serve_connection(
    stream: TcpStream,
    router: Router,
    watcher: Watcher,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let version = tokio::select! {
        version = tokio::time::timeout(HEAD_TIMEOUT, detect(&stream)) => version,
        () = stop.cancelled() => return,
    };
    match version {
        Ok(Ok(Version::Http1)) => serve_http1(stream, router, watcher).await,
        Ok(Ok(Version::Http2)) => serve_http2(stream, router, watcher).await,
        Ok(Err(_)) | Err(_) => {}
    }
}

enum Version {
    Http1,
    Http2,
}

/// Which version a connection speaks, by its first bytes. They stay in the socket.
///
/// Until here no timeout of the HTTP implementation applies, so the caller sets one.
async fn detect(stream: &TcpStream) -> io::Result<Version> {
    let mut beginning = [0; PREFACE.len()];
    loop {
        stream.readable().await?;
        let length = stream.peek(&mut beginning).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if beginning[..length] != PREFACE[..length] {
            return Ok(Version::Http1);
        }
        if length == PREFACE.len() {
            return Ok(Version::Http2);
        }
        // The rest of a preface that came in pieces; what is in the socket already keeps it
        // readable, so only time can tell.
        tokio::time::sleep(PREFACE_PAUSE).await;
    }
}

async fn serve_http1(stream: TcpStream, router: Router, watcher: Watcher) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let _ = watcher.watch(connection).await;
}

async fn serve_http2(stream: TcpStream, router: Router, watcher: Watcher) {
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_LIMIT as u32)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let _ = watcher.watch(connection).await;
}
