//! `greenwave orphans`

use clap::{Args, Subcommand};
use serde_json::json;

use super::client::{ApiClient, read};
use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat, block_on};
use crate::http::OrphanInfo;

/// See and give up sessions that the network does not let go of
///
/// A session that is over is released by the network. Where the network does not confirm that, it
/// is asked again, ever more slowly; after a quarter of an hour the session is an orphan, and
/// somebody should look into the network. It is still asked from time to time.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Orphans {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List orphans
    List,
    /// Give an orphan up: the network is not asked any more
    Clear {
        /// The session's id, as `list` shows it
        id: String,
    },
}

const PATH: &str = "/greenwave/v1/orphans";

impl Orphans {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let api = ApiClient::operator(&self.directory)?;
        block_on(async {
            match &self.action {
                Action::List => self.list(&api).await,
                Action::Clear { id } => self.clear(&api, id).await,
            }
        })
    }

    async fn list(&self, api: &ApiClient) -> Result<(), Failure> {
        let answer = api.get(PATH).await?;
        if self.format.json {
            return output::print_json(&answer.body);
        }
        let orphans: Vec<OrphanInfo> = read(answer.body)?;
        if orphans.is_empty() {
            output::talk("No orphans: the network has let go of all that is over.");
            return Ok(());
        }
        let row = |orphan: OrphanInfo| {
            vec![
                orphan.session_id,
                orphan.application.to_string(),
                orphan.profile,
                orphan.ended_at.unwrap_or_default(),
                orphan.tries.to_string(),
                orphan.next_try_at.unwrap_or_default(),
            ]
        };
        let heading = ["session", "application", "profile", "ended", "tries", "next try"];
        output::print_table(&heading, orphans.into_iter().map(row))
    }

    async fn clear(&self, api: &ApiClient, id: &str) -> Result<(), Failure> {
        let id = super::sessions::segment(id)?;
        api.delete(&format!("{PATH}/{id}")).await.map_err(|failure| {
            failure
                .hint_if("NOT_FOUND", "greenwave orphans list, which shows what there is")
                .hint_if("CONFLICT", "greenwave orphans list, which shows what there is")
        })?;
        if self.format.json {
            return output::print_json(&json!({"cleared": id}));
        }
        output::talk(&format!("Session {id} is given up."));
        Ok(())
    }
}
