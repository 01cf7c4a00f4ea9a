//! A client that writes bytes, so that it can misbehave.

use std::io;

use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{SOON, within};
use crate::fixture::{Fixture, SESSIONS};

pub(crate) struct RawClient {
    stream: TcpStream,
    /// What was read and belongs to the next answer.
    read: Vec<u8>,
}

/// The head and the body of an answer.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) head: String,
}

impl RawClient {
    pub(crate) async fn connect(root: &str) -> Self {
        Self::try_connect(root).await.unwrap()
    }

    pub(crate) async fn try_connect(root: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(root.strip_prefix("http://").unwrap()).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// A connection on which these bytes were sent.
    pub(crate) async fn sending(root: &str, bytes: impl AsRef<[u8]>) -> Self {
        let mut client = Self::connect(root).await;
        client.send(bytes).await;
        client
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends if it can be sent.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends the same again and again until that is impossible, and tells how many bytes went out.
    pub(crate) async fn send_endlessly(&mut self, bytes: &[u8]) -> usize {
        let sending = async {
            let mut sent = 0;
            while let Ok(count) = self.stream.write(bytes).await {
                sent += count;
            }
            sent
        };
        within(SOON, "the end of the connection", sending).await
    }

    pub(crate) async fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        within(SOON, "bytes", self.stream.read_exact(bytes)).await.map(drop)
    }

    /// An answer with a `Content-Length`.
    pub(crate) async fn answer(&mut self) -> RawAnswer {
        within(SOON, "an answer", self.try_answer()).await.unwrap()
    }

    pub(crate) async fn try_answer(&mut self) -> io::Result<RawAnswer> {
        loop {
            if let Some(answer) = self.next_answer() {
                return Ok(answer);
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn next_answer(&mut self) -> Option<RawAnswer> {
        let end = self.read.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.read[..end].to_vec()).unwrap().to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1);
        let length = length.map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
        if self.read.len() < end + length {
            return None;
        }
        self.read.drain(..end + length);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(RawAnswer { status, head })
    }

    /// Whether nothing has come that was not read.
    pub(crate) fn is_silent(&self) -> bool {
        self.stream.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Waits until the other side has closed the connection, and tells what it said before.
    pub(crate) async fn rest(mut self) -> String {
        let mut rest = std::mem::take(&mut self.read);
        // A connection that is closed on unread bytes is reset; what was said before was read.
        let _ = within(SOON, "the end of the connection", self.stream.read_to_end(&mut rest)).await;
        String::from_utf8_lossy(&rest).into_owned()
    }
}

/// The sandbox's key.
pub(crate) fn key(f: &Fixture) -> String {
    f.gateway.sandbox().application_key.expose_secret().to_owned()
}

/// The head of a create whose body has this many bytes, and waits to be asked for.
pub(crate) fn create_head(key: &str, length: usize) -> String {
    format!(
        "POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nX-RapidAPI-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\
         Expect: 100-continue\r\n\r\n"
    )
}

/// A create whose body is awaited and does not come.
pub(crate) async fn half_create(root: &str, key: &str, body: &str) -> RawClient {
    let mut client = RawClient::sending(root, create_head(key, body.len())).await;
    assert_eq!(client.answer().await.status, 100);
    client
}
