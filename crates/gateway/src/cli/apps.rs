//! `greenwave apps`

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{ApiClient, read};
use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat, block_on, duration};
use crate::http::ApplicationInfo;

/// See applications, and set what they may do
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Apps {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List applications; an application is made with its first key: greenwave keys create
    List,
    /// Register the public keys with which an application signs its token requests
    Jwks {
        /// The application's name
        name: String,
        /// A file with a JWK set: {"keys": […]}
        #[arg(required_unless_present = "none")]
        file: Option<PathBuf>,
        /// Forget its keys
        #[arg(long, conflicts_with = "file")]
        none: bool,
    },
    /// Limit how often an application may ask
    Limit {
        /// The application's name
        name: String,
        /// How many requests it may make
        #[arg(long, value_name = "N", requires = "per", required_unless_present = "none")]
        requests: Option<u32>,
        /// In which time
        #[arg(long, value_name = "TIME", requires = "requests", value_parser = duration::parse_seconds)]
        per: Option<u64>,
        /// Let it ask as often as it likes
        #[arg(long, conflicts_with_all = ["requests", "per"])]
        none: bool,
    },
}

const PATH: &str = "/greenwave/v1/applications";

/// The longest file of keys that a gateway takes.
const LONGEST_FILE: u64 = 64 * 1024;

impl Apps {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let api = ApiClient::operator(&self.directory)?;
        block_on(async {
            match &self.action {
                Action::List => list(&api, self.format).await,
                Action::Jwks { name, file, .. } => {
                    let keys = file.as_deref().map(read_keys).transpose()?;
                    let said = if keys.is_some() {
                        format!("{name:?} proves with these keys who it is.")
                    } else {
                        format!("{name:?} has no keys any more.")
                    };
                    self.set(&api, name, "jwks", keys, &said).await
                }
                Action::Limit { name, requests, per, .. } => {
                    let limit = requests.zip(*per);
                    let said = match limit {
                        Some((requests, per)) => {
                            let per = duration::show(Duration::from_secs(per));
                            format!("{name:?} may make {requests} requests in {per}.")
                        }
                        None => format!("{name:?} may ask as often as it likes."),
                    };
                    let body =
                        limit.map(|(requests, per)| json!({"requests": requests, "perS": per}));
                    self.set(&api, name, "rate-limit", body, &said).await
                }
            }
        })
    }

    async fn set(
        &self,
        api: &ApiClient,
        name: &str,
        what: &str,
        body: Option<Value>,
        said: &str,
    ) -> Result<(), Failure> {
        let id = id_of(api, name).await?;
        let path = format!("{PATH}/{id}/{what}");
        let answer = match body {
            Some(body) => api.put(&path, &body).await,
            None => api.delete(&path).await,
        };
        let answer = answer.map_err(|failure| {
            let help =
                format!("greenwave apps {} --help", if what == "jwks" { what } else { "limit" });
            failure.hint_if("INVALID_ARGUMENT", &help).hint_if("OUT_OF_RANGE", &help)
        })?;
        if self.format.json {
            return output::print_json(&answer.body);
        }
        output::talk(said);
        Ok(())
    }
}

async fn list(api: &ApiClient, format: OutputFormat) -> Result<(), Failure> {
    let answer = api.get(PATH).await?;
    if format.json {
        return output::print_json(&answer.body);
    }
    let applications: Vec<ApplicationInfo> = read(answer.body)?;
    let row = |application: ApplicationInfo| {
        let keys = application.jwks.as_ref().and_then(|jwks| jwks["keys"].as_array());
        let limit = application.rate_limit.map(|limit| {
            let per = duration::show(Duration::from_secs(limit.per_s.into()));
            format!("{} per {per}", limit.requests)
        });
        vec![
            application.id.to_string(),
            application.name,
            keys.map_or(0, Vec::len).to_string(),
            limit.unwrap_or_else(|| "none".to_owned()),
            application.created_at,
        ]
    };
    let heading = ["client id", "application", "public keys", "limit", "created"];
    output::print_table(&heading, applications.into_iter().map(row))
}

async fn id_of(api: &ApiClient, name: &str) -> Result<u32, Failure> {
    let applications: Vec<ApplicationInfo> = read(api.get(PATH).await?.body)?;
    let found = applications.into_iter().find(|application| application.name == name);
    found.map(|application| application.id).ok_or_else(|| {
        Failure::new(format!("there is no application {name:?}"))
            .hint("greenwave apps list, or greenwave keys create --application NAME")
    })
}

fn read_keys(file: &Path) -> Result<Value, Failure> {
    let name = file.display();
    let cannot = |error: std::io::Error| Failure::new(format!("cannot read {name}: {error}"));
    if std::fs::metadata(file).map_err(cannot)?.len() > LONGEST_FILE {
        return Err(Failure::new(format!("{name} is longer than 64 KiB")));
    }
    let text = std::fs::read_to_string(file).map_err(cannot)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("{name} is no JSON: {error}")).hint("greenwave apps jwks --help")
    })
}
