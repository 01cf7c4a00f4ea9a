//! `greenwave sessions`

mod create;
mod device;
mod show;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::client::{ApiClient, read_sandbox};
use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat, block_on, duration};
use create::Create;

/// Create, look at and end sessions
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Sessions {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    gateway: GatewayArgs,
    #[command(flatten)]
    format: OutputFormat,
}

/// Which gateway is meant: the one that is named, or that of the data directory.
#[derive(Debug, Args)]
struct GatewayArgs {
    /// The gateway's URL
    #[arg(long, global = true, env = "GREENWAVE_URL")]
    url: Option<String>,
    /// The application's key
    #[arg(long, global = true, env = "GREENWAVE_KEY", hide_env_values = true)]
    key: Option<String>,
    #[command(flatten)]
    directory: DataDirectory,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ask for better quality for one flow of a device
    Create(Create),
    /// List the application's sessions, or those of one device
    List {
        /// A device, named as for `create`; without it, all devices
        #[arg(long, value_parser = device::parse)]
        device: Option<Value>,
    },
    /// Show a session
    Get {
        /// The session's id
        id: String,
    },
    /// Let a session last longer
    Extend {
        /// The session's id
        id: String,
        /// By how much: 90s, 5m, 2h
        #[arg(value_parser = duration::parse_seconds)]
        by: u64,
    },
    /// End a session
    Delete {
        /// The session's id
        id: String,
    },
    /// End all sessions of a device, or of the application
    #[command(group(ArgGroup::new("which").required(true)))]
    Clear {
        /// The device, named as for `list`
        #[arg(long, group = "which", value_parser = device::parse)]
        device: Option<Value>,
        /// All sessions of the application
        #[arg(long, group = "which")]
        all: bool,
    },
}

const PATH: &str = "/qod/v0/sessions";

impl Sessions {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let api = self.gateway.connect()?;
        block_on(self.perform(&api))
    }

    async fn perform(&self, api: &ApiClient) -> Result<(), Failure> {
        match &self.action {
            Action::Create(create) => {
                let created = api.post(PATH, &create.body()).await?;
                show::one(&created.body, self.format)
            }
            Action::List { device } => {
                let sessions = list(api, device.as_ref()).await?;
                show::many(&sessions, self.format)
            }
            Action::Get { id } => {
                show::one(&api.get(&format!("{PATH}/{}", segment(id)?)).await?.body, self.format)
            }
            Action::Extend { id, by } => {
                let body = json!({"requestedAdditionalDuration": by});
                let path = format!("{PATH}/{}/extend", segment(id)?);
                show::one(&api.post(&path, &body).await?.body, self.format)
            }
            Action::Delete { id } => {
                api.delete(&format!("{PATH}/{}", segment(id)?)).await?;
                self.done(&json!({"deleted": [id]}), &format!("Session {id} has ended."))
            }
            Action::Clear { device, .. } => self.clear(api, device.as_ref()).await,
        }
    }

    /// Ends what there is; what has ended by itself in between is as good.
    async fn clear(&self, api: &ApiClient, device: Option<&Value>) -> Result<(), Failure> {
        let mut deleted = Vec::new();
        for session in list(api, device).await? {
            let Some(id) = session["sessionId"].as_str() else { continue };
            match api.delete(&format!("{PATH}/{id}")).await {
                Ok(_) => deleted.push(id.to_owned()),
                Err(failure) if failure.is("NOT_FOUND") => {}
                Err(failure) => return Err(failure),
            }
        }
        let count = deleted.len();
        let plural = if count == 1 { "session has" } else { "sessions have" };
        self.done(&json!({"deleted": deleted}), &format!("{count} {plural} ended."))
    }

    fn done(&self, json: &Value, text: &str) -> Result<(), Failure> {
        if self.format.json {
            return output::print_json(json);
        }
        output::talk(text);
        Ok(())
    }
}

impl GatewayArgs {
    fn connect(&self) -> Result<ApiClient, Failure> {
        let (root, key) = match (&self.url, &self.key) {
            (Some(url), Some(key)) => (url.clone(), key.clone()),
            (url, key) => {
                let file = read_sandbox(&self.directory).map_err(|failure| {
                    let start = self.directory.start();
                    failure.hint(format!("{start}, or name a gateway with --url and --key"))
                })?;
                let url = url.clone().unwrap_or(file.api_root);
                (url, key.clone().unwrap_or(file.application_key))
            }
        };
        ApiClient::new(&root, &key, self.directory.start())
    }
}

/// All sessions, page by page.
async fn list(api: &ApiClient, device: Option<&Value>) -> Result<Vec<Value>, Failure> {
    if let Some(device) = device {
        let body = json!({"device": device});
        let answer = api.post("/qod/v0/retrieve-sessions", &body).await?;
        return Ok(answer.body.as_array().cloned().unwrap_or_default());
    }
    let mut sessions = Vec::new();
    for page in 1.. {
        let answer = api.get(&format!("{PATH}?page={page}")).await?;
        sessions.extend(answer.body.as_array().cloned().unwrap_or_default());
        if !answer.more {
            break;
        }
    }
    Ok(sessions)
}

/// An id as a part of a path. What could not be one is not sent.
pub(super) fn segment(id: &str) -> Result<&str, Failure> {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Ok(id);
    }
    Err(Failure::new(format!("{id:?} is not a session's id"))
        .hint("greenwave sessions list, which shows the ids"))
}
