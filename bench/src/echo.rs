//! The ceiling: a server on the gateway's own HTTP stack that reads what the gateway reads, and
//! answers what the gateway once answered.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as PathParts, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use clap::Args;
use greenwave::http::Limits;
use greenwave::sandbox::SandboxFile;
use greenwave_wire::v0;
use http::header::{CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::connection::Answer;
use crate::job::Job;

/// Answer every request with what a gateway once answered.
#[derive(Debug, Args)]
pub(crate) struct Echo {
    /// The answers, as `compare` has recorded them
    #[arg(long, value_name = "FILE")]
    answers: PathBuf,
}

/// One answer for each job, as a file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Recording(BTreeMap<Job, Recorded>);

#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Recording {
    /// Takes up an answer, but for what the HTTP stack writes itself.
    pub(crate) fn record(&mut self, job: Job, answer: &Answer) {
        let own = |name: &HeaderName| name != DATE && name != CONTENT_LENGTH;
        let headers = answer.headers.iter().filter(|(name, _)| own(name)).map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let recorded = Recorded {
            status: answer.status.as_u16(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        };
        self.0.insert(job, recorded);
    }

    /// Writes the file.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string(self).map_err(|error| Failure::new("no JSON", error))?;
        std::fs::write(path, text)
            .map_err(|error| Failure::new(format!("cannot write {}", path.display()), error))
    }
}

/// The answers, ready to be sent.
struct Answers(BTreeMap<Job, (StatusCode, HeaderMap, Bytes)>);

impl Answers {
    fn read(path: &Path) -> Result<Self, Failure> {
        let cannot =
            |error: &dyn std::fmt::Display| Failure::new(format!("no {}", path.display()), error);
        let text = std::fs::read_to_string(path).map_err(|error| cannot(&error))?;
        let recording: Recording = serde_json::from_str(&text).map_err(|error| cannot(&error))?;
        let mut answers = BTreeMap::new();
        for (job, recorded) in recording.0 {
            let status = StatusCode::from_u16(recorded.status).map_err(|error| cannot(&error))?;
            let mut headers = HeaderMap::new();
            for (name, value) in &recorded.headers {
                let name = HeaderName::try_from(name).map_err(|error| cannot(&error))?;
                let value = HeaderValue::try_from(value).map_err(|error| cannot(&error))?;
                headers.insert(name, value);
            }
            answers.insert(job, (status, headers, Bytes::from(recorded.body)));
        }
        Ok(Self(answers))
    }

    fn give(&self, job: Job) -> Response {
        match self.0.get(&job) {
            Some((status, headers, body)) => {
                (*status, headers.clone(), body.clone()).into_response()
            }
            None => StatusCode::NOT_IMPLEMENTED.into_response(),
        }
    }
}

impl Echo {
    /// Serves until it is killed.
    pub(crate) async fn run(&self) -> Result<(), Failure> {
        let answers = Arc::new(Answers::read(&self.answers)?);
        let listen = |error| Failure::new("cannot listen", error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(listen)?;
        let file = SandboxFile {
            api_root: format!("http://{}", listener.local_addr().map_err(listen)?),
            application_key: "none".to_owned(),
            admin_url: String::new(),
        };
        let text = serde_json::to_string(&file).map_err(|error| Failure::new("no JSON", error))?;
        writeln!(std::io::stdout(), "{text}").map_err(|error| Failure::new("no output", error))?;
        let (routes, never) = (routes(answers), CancellationToken::new());
        greenwave::http::serve(listener, routes, Limits::of_process(), never).await;
        Ok(())
    }
}

/// The gateway's paths.
fn routes(answers: Arc<Answers>) -> Router {
    Router::new()
        .route("/qod/v0/sessions", get(list).merge(post(create)))
        .route("/qod/v0/sessions/{id}", get(read).delete(end))
        .with_state(answers)
}

async fn create(State(answers): State<Arc<Answers>>, body: Bytes) -> Response {
    match v0::read_create(&body) {
        Ok(_) => answers.give(Job::Create),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn list(State(answers): State<Arc<Answers>>, RawQuery(query): RawQuery) -> Response {
    match v0::read_listing(query.as_deref().unwrap_or_default()) {
        Ok(_) => answers.give(Job::List),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn read(State(answers): State<Arc<Answers>>, PathParts(_): PathParts<String>) -> Response {
    answers.give(Job::Get)
}

async fn end(State(answers): State<Arc<Answers>>, PathParts(_): PathParts<String>) -> Response {
    answers.give(Job::Delete)
}
