//! HTTP/1.1 connections that are kept alive.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, LOCATION};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::job::{Job, Session};
use crate::server::Target;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A connection, opened when it is first needed and again after it broke.
pub(crate) struct Connection {
    target: Arc<Target>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// Connections that many share: whoever has a request takes one that is free, or waits for it.
pub(crate) struct Connections {
    free: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Connections {
    /// So many connections to a server.
    pub(crate) fn new(target: &Arc<Target>, count: usize) -> Self {
        let idle = (0..count).map(|_| Connection::new(target)).collect();
        Self { free: Semaphore::new(count), idle: Mutex::new(idle) }
    }

    /// [`Connection::perform`], once there is one free.
    pub(crate) async fn perform(&self, job: Job, session: &Session) -> Result<Answer, String> {
        let _free = self.free.acquire().await.map_err(|error| error.to_string())?;
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = idle().pop().ok_or("no connection")?;
        let answer = connection.perform(job, session).await;
        idle().push(connection);
        answer
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Connection {
    /// A connection to a server.
    pub(crate) fn new(target: &Arc<Target>) -> Self {
        Self { target: Arc::clone(target), sender: None }
    }

    /// Does a job. The error is what it is counted under: the status, or what else went wrong.
    pub(crate) async fn perform(&mut self, job: Job, session: &Session) -> Result<Answer, String> {
        let request = job.request(&self.target, session).map_err(|_| "no request")?;
        let answer = tokio::time::timeout(TIMEOUT, self.exchange(request)).await;
        let answer = answer.unwrap_or(Err("timeout"));
        if answer.is_err() {
            self.sender = None;
        }
        let answer = answer?;
        answer.check(job, session)?;
        Ok(answer)
    }

    /// Whether the server says that it serves.
    pub(crate) async fn is_ready(&mut self) -> bool {
        let request = Request::get("/readyz").header(HOST, &self.target.host);
        let Ok(request) = request.body(Full::default()) else { return false };
        let answer = tokio::time::timeout(TIMEOUT, self.exchange(request)).await;
        matches!(answer, Ok(Ok(answer)) if answer.status == StatusCode::OK)
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, &'static str> {
        // The server closes what has been idle for a minute.
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            self.sender = Some(self.open().await.map_err(|_| "no connection")?);
        }
        let sender = self.sender.as_mut().ok_or("no connection")?;
        let exchanged = async {
            sender.ready().await?;
            let (head, body) = sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(Answer { status: head.status, headers: head.headers, body })
        };
        exchanged.await.map_err(|_| "no answer")
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, Box<dyn std::error::Error>> {
        let stream = TcpStream::connect(self.target.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

impl Answer {
    /// The id of the session that was made.
    pub(crate) fn made(&self) -> Option<&str> {
        let (_, id) = self.headers.get(LOCATION)?.to_str().ok()?.rsplit_once('/')?;
        Some(id)
    }

    /// Checks that it is a success and speaks of the session.
    fn check(&self, job: Job, session: &Session) -> Result<(), String> {
        if self.status != job.success() {
            return Err(self.status.as_str().to_owned());
        }
        let id = match job {
            Job::Create => self.made().ok_or("no session")?,
            Job::Get | Job::List => &session.id,
            Job::Delete => return Ok(()),
        };
        let named = self.body.windows(id.len().max(1)).any(|part| part == id.as_bytes());
        if named { Ok(()) } else { Err("another session".to_owned()) }
    }
}
