//! `greenwave keys`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{ApiClient, read};
use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat, block_on};
use crate::http::{CreatedKey, KeyInfo};
use crate::sandbox;

/// Make and revoke application keys
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Keys {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key, and print it this once
    Create {
        /// The application's name; it is made if there is none of this name
        #[arg(long, value_name = "NAME", default_value = sandbox::DEFAULT_APPLICATION)]
        application: String,
        /// What the key is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// List keys, without showing them
    List,
    /// End the validity of a key at once
    Revoke {
        /// The key's number, as `list` shows it
        id: u32,
    },
}

const PATH: &str = "/greenwave/v1/keys";

impl Keys {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let api = ApiClient::operator(&self.directory)?;
        block_on(async {
            match &self.action {
                Action::Create { application, label } => {
                    let body = json!({"application": application, "label": label});
                    create(&api, &body, self.format).await
                }
                Action::List => list(&api, self.format).await,
                Action::Revoke { id } => revoke(&api, *id, self.format).await,
            }
        })
    }
}

async fn create(api: &ApiClient, body: &Value, format: OutputFormat) -> Result<(), Failure> {
    let answer = api.post(PATH, body).await.map_err(|failure| {
        failure.hint_if("TOO_MANY_KEYS", "greenwave keys list, then greenwave keys revoke ID")
    })?;
    if format.json {
        return output::print_json(&answer.body);
    }
    let created: CreatedKey = read(answer.body)?;
    output::talk(&format!(
        "A key for the application {:?}. It is not shown again.",
        created.info.application
    ));
    output::print(&created.key)
}

async fn list(api: &ApiClient, format: OutputFormat) -> Result<(), Failure> {
    let answer = api.get(PATH).await?;
    if format.json {
        return output::print_json(&answer.body);
    }
    let keys: Vec<KeyInfo> = read(answer.body)?;
    let row = |key: KeyInfo| {
        let state = if key.revoked_at.is_some() { "revoked" } else { "valid" };
        vec![
            key.id.to_string(),
            key.application,
            format!("…{}", key.ending),
            state.to_owned(),
            key.label,
            key.created_at,
        ]
    };
    let heading = ["id", "application", "key", "state", "label", "created"];
    output::print_table(&heading, keys.into_iter().map(row))
}

async fn revoke(api: &ApiClient, id: u32, format: OutputFormat) -> Result<(), Failure> {
    let revoked = api.delete(&format!("{PATH}/{id}")).await;
    revoked.map_err(|failure| {
        failure.hint_if("NOT_FOUND", "greenwave keys list, which shows what there is")
    })?;
    if format.json {
        return output::print_json(&json!({"revoked": id}));
    }
    output::talk(&format!("Key {id} is no longer valid."));
    Ok(())
}
