//! The accept loop: how connections are taken, bounded, and brought to their end.

use std::io;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::{Limits, Routes};

/// How long to wait when no connection can be taken, for lack of file descriptors as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves HTTP/1.1 and HTTP/2 until `stop` says so, goes on for a little while so that clients can
/// take their leave, and then lets requests finish. If it is dropped instead, every connection is
/// cut off.
pub async fn serve(
    listener: TcpListener,
    routes: impl Into<Routes>,
    limits: Limits,
    stop: CancellationToken,
) {
    let mut server = Server {
        routes: routes.into(),
        limits,
        leave: CancellationToken::new(),
        connections: JoinSet::new(),
        refused: false,
    };
    tokio::select! {
        () = server.take(&listener) => {}
        () = stop.cancelled() => {}
    }
    tokio::select! {
        () = server.take_while_busy(&listener) => {}
        () = tokio::time::sleep(limits.linger) => {}
    }
    if let Err(error) = server.take_waiting(listener) {
        tracing::warn!(%error, "cannot take the last connections");
    }
    server.leave.cancel();
    let finished = async { while server.connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.finish, finished).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

struct Server {
    routes: Routes,
    limits: Limits,
    /// Tells connections to go.
    leave: CancellationToken,
    connections: JoinSet<()>,
    /// Whether no connection could be taken the last time, so that it is said once.
    refused: bool,
}

impl Server {
    /// Takes connections for ever.
    async fn take(&mut self, listener: &TcpListener) {
        loop {
            self.step(listener).await;
        }
    }

    /// Takes connections as long as there are any.
    async fn take_while_busy(&mut self, listener: &TcpListener) {
        while !self.connections.is_empty() {
            self.step(listener).await;
        }
    }

    /// Takes a connection, or sees one off.
    async fn step(&mut self, listener: &TcpListener) {
        tokio::select! {
            accepted = listener.accept(), if self.connections.len() < self.limits.connections => {
                match accepted {
                    Ok((stream, _)) => self.start(stream),
                    Err(error) => self.refuse(&error).await,
                }
            }
            Some(_) = self.connections.join_next() => {}
        }
    }

    /// Takes those who are in the kernel's queue and may have sent a request already, and closes
    /// the queue.
    fn take_waiting(&mut self, listener: TcpListener) -> io::Result<()> {
        let listener = listener.into_std()?;
        while self.connections.len() < self.limits.connections {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    self.start(TcpStream::from_std(stream)?);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn start(&mut self, stream: TcpStream) {
        self.refused = false;
        let connection = Connection::new(self.routes.clone(), self.limits, self.leave.clone());
        self.connections.spawn(connection.serve(stream));
    }

    /// What one client did is no reason to keep others waiting; want of files is, for trying again
    /// at once would only take up the processor.
    async fn refuse(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            return;
        }
        if !self.refused {
            self.refused = true;
            tracing::warn!(%error, "cannot take connections: trying again and again");
        }
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
