//! A connection: which version it speaks, and how long it is worth keeping.
//!
//! It is cut off if no request has come whole in the time that a head may take. From then on it is
//! looked after: HTTP/1.1 closes it when it is idle, and one on which no request has begun for some
//! time is asked to go, whatever holds it up.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::activity::Activity;
use super::{Limits, Routes};

/// How large the head of a request may be. It may have a hundred headers.
const HEAD_LIMIT: usize = 32 * 1024;

/// How many streams an HTTP/2 connection may have.
const STREAMS: u32 = 100;

/// How many bytes may be sent to a stream, and to all of a connection's together, before anybody
/// has read them. A body is not larger than the first.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How many streams may be reset before the gateway has looked at them.
const UNSEEN_RESETS: usize = 20;

/// When an HTTP/2 connection that is silent is asked whether it lives, and how long it has to
/// answer.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for the rest of a preface.
const PREFACE_PAUSE: Duration = Duration::from_millis(5);

/// How long a connection that was taken just before the end has to show its request.
const ARRIVAL: Duration = Duration::from_millis(100);

/// How long a connection that abandons its requests has to read why it is closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// What every HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection needs to be served.
pub(super) struct Connection {
    routes: Routes,
    limits: Limits,
    leave: CancellationToken,
    activity: Arc<Activity>,
    /// By when the head of the first request has to be there.
    first_head: Instant,
}

impl Connection {
    /// A connection that was taken just now.
    pub(super) fn new(routes: Routes, limits: Limits, leave: CancellationToken) -> Self {
        let activity = Activity::new(limits.resets);
        Self { routes, limits, leave, activity, first_head: Instant::now() + limits.head }
    }

    /// Serves it to its end. An error is the client's: it has gone away, or does not speak HTTP.
    pub(super) async fn serve(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let version = tokio::select! {
            // First of all: what has arrived counts before what time it is.
            biased;
            version = detect(&stream) => version,
            () = tokio::time::sleep_until(self.first_head) => return,
            () = self.told_to_leave() => return,
        };
        match version {
            Ok(Version::Http1) => self.serve_http1(stream).await,
            Ok(Version::Http2) => self.serve_http2(stream).await,
            Err(_) => {}
        }
    }

    async fn serve_http1(self, stream: TcpStream) {
        let service = Arc::clone(&self.activity).watch(self.routes.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_buf_size(HEAD_LIMIT)
            .max_header_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), service);
        self.look_after(connection).await;
    }

    async fn serve_http2(self, stream: TcpStream) {
        let service = Arc::clone(&self.activity).watch(self.routes.clone());
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEAD_LIMIT as u32)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_pending_accept_reset_streams(UNSEEN_RESETS)
            .max_local_error_reset_streams(self.limits.resets as usize)
            .keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        self.look_after(connection).await;
    }

    async fn look_after(&self, connection: impl GracefulConnection) {
        let mut connection = pin!(connection);
        let patience = tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = self.activity.too_many_abandoned() => FAREWELL,
            () = self.nothing_begins() => self.limits.finish,
            () = self.told_to_leave() => self.limits.finish,
        };
        if self.activity.begun() == 0 {
            return;
        }
        connection.as_mut().graceful_shutdown();
        let _ = tokio::time::timeout(patience, connection).await;
    }

    /// Comes when no first request came in time, or no further one for some time.
    async fn nothing_begins(&self) {
        tokio::time::sleep_until(self.first_head).await;
        let mut seen = 0;
        while self.activity.begun() != seen {
            seen = self.activity.begun();
            tokio::time::sleep(self.limits.idle).await;
        }
    }

    /// Comes when the gateway stops. A connection without a request may be so new that its request
    /// is there but was not seen yet.
    async fn told_to_leave(&self) {
        self.leave.cancelled().await;
        if self.activity.begun() == 0 {
            tokio::time::sleep(ARRIVAL).await;
        }
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
