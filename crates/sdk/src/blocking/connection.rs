//! A connection: hyper's HTTP/1, driven by the thread that uses it.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketType, connect, socket};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::ready::{Wait, block_on, look, until_connected};
use super::socket::{Shared, Socket, Stream};
use crate::LARGEST_ANSWER;
use crate::request::{Endpoint, NoAnswer, Response};
use crate::tokio_executor::innermost;

/// How long one address of a gateway may take to answer before the next is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

type Driver = http1::Connection<TokioIo<Stream>, Full<Bytes>>;

/// A connection to a gateway, for one request at a time.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
    socket: Arc<Shared>,
}

impl Connection {
    pub(super) fn open(
        endpoint: &Endpoint,
        tls: Arc<ClientConfig>,
        wait: &Wait<'_>,
    ) -> Result<Self, NoAnswer> {
        let not_connected = |error: io::Error| NoAnswer::NotConnected(error.to_string());
        let tcp = dial(endpoint, wait)?;
        let socket = Socket::new(tcp).map_err(not_connected)?;
        let shared = socket.shared();
        let stream = if endpoint.is_tls() {
            let name = ServerName::try_from(endpoint.host().to_owned())
                .map_err(|error| NoAnswer::NotConnected(error.to_string()))?;
            let handshake = TlsConnector::from(tls).connect(name, socket);
            let tls = block_on(handshake, &shared, wait)?.map_err(not_connected)?;
            Stream::Tls(Box::new(tls))
        } else {
            Stream::Plain(socket)
        };
        let handshake = http1::handshake(TokioIo::new(stream));
        let (sender, driver) = block_on(handshake, &shared, wait)?
            .map_err(|error| NoAnswer::NotConnected(innermost(&error)))?;
        Ok(Self { sender, driver, socket: shared })
    }

    /// Whether a request can be sent: the gateway has not hung up meanwhile.
    pub(super) fn is_usable(&mut self) -> bool {
        look(&mut self.driver).is_pending() && self.sender.is_ready()
    }

    /// Sends a request and reads the answer to its end.
    pub(super) fn exchange(
        &mut self,
        request: http::Request<Full<Bytes>>,
        wait: &Wait<'_>,
    ) -> Result<Response, NoAnswer> {
        let Self { sender, driver, socket } = self;
        let sent = sender.send_request(request);
        let answering = async {
            let broken = |error: hyper::Error| NoAnswer::Broken(innermost(&error));
            let (head, body) = sent.await.map_err(broken)?.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER).collect().await;
            let body = body.map_err(|error| NoAnswer::Broken(innermost(&*error)))?;
            Ok(Response::new(head.status.as_u16(), &head.headers, body.to_bytes()))
        };
        let mut answering = pin!(answering);
        let mut driving = true;
        let both = poll_fn(move |context| {
            if driving && let Poll::Ready(_) = Pin::new(&mut *driver).poll(context) {
                // The answer, or that there will be none, is on its way to the other half.
                driving = false;
            }
            answering.as_mut().poll(context)
        });
        block_on(both, socket, wait)?
    }
}

/// Connects to the first address of the gateway that answers.
fn dial(endpoint: &Endpoint, wait: &Wait<'_>) -> Result<TcpStream, NoAnswer> {
    let not_connected = |error: io::Error| NoAnswer::NotConnected(error.to_string());
    let mut last = NoAnswer::NotConnected("its name has no address".to_owned());
    let addresses = (endpoint.host(), endpoint.port()).to_socket_addrs().map_err(not_connected)?;
    for address in addresses {
        let deadline = wait.deadline.min(Instant::now() + CONNECT_TIMEOUT);
        last = match dial_one(address, &Wait { deadline, ..*wait }) {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => not_connected(error),
            Err(NoAnswer::Interrupted) => return Err(NoAnswer::Interrupted),
            // Nothing was sent yet.
            Err(_) => not_connected(io::ErrorKind::TimedOut.into()),
        };
        if Instant::now() >= wait.deadline {
            break;
        }
    }
    Err(last)
}

/// Connects to an address. The standard library does that too, but goes on when a signal comes.
fn dial_one(address: SocketAddr, wait: &Wait<'_>) -> Result<io::Result<TcpStream>, NoAnswer> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let begin = || -> io::Result<(TcpStream, bool)> {
        let socket = socket(family, SocketType::STREAM, None)?;
        fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
        let tcp = TcpStream::from(socket);
        tcp.set_nonblocking(true)?;
        match connect(&tcp, &address) {
            Ok(()) => Ok((tcp, true)),
            Err(Errno::INPROGRESS | Errno::INTR) => Ok((tcp, false)),
            Err(error) => Err(error.into()),
        }
    };
    let (tcp, is_connected) = match begin() {
        Ok(begun) => begun,
        Err(error) => return Ok(Err(error)),
    };
    if !is_connected {
        until_connected(&tcp, wait)?;
    }
    Ok(match tcp.take_error() {
        Ok(None) => Ok(tcp),
        Ok(Some(error)) | Err(error) => Err(error),
    })
}
