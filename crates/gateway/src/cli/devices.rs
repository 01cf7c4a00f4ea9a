//! `greenwave devices`

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::client::{ApiClient, read};
use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat, block_on};

/// Let a device leave the simulated network and come back, to see what outlives that
///
/// A session ends with its device. An assignment stays, and is applied again when the device is
/// back.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Devices {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Let a device leave the network, until it is attached or the gateway is stopped
    Detach {
        /// A name (local@domain) or a phone number
        device: String,
    },
    /// Let a device come back
    Attach {
        /// A name (local@domain) or a phone number
        device: String,
    },
}

#[derive(Deserialize)]
struct Detached {
    rules: usize,
}

#[derive(Deserialize)]
struct Attached {
    attached: bool,
}

const PATH: &str = "/greenwave/v1/sandbox/network/devices";

impl Devices {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let api = ApiClient::operator(&self.directory)?;
        block_on(async {
            match &self.action {
                Action::Detach { device } => self.detach(&api, device).await,
                Action::Attach { device } => self.attach(&api, device).await,
            }
        })
    }

    async fn detach(&self, api: &ApiClient, device: &str) -> Result<(), Failure> {
        let answer = api.post(&format!("{PATH}/detach"), &json!({"device": device})).await?;
        if self.format.json {
            return output::print_json(&answer.body);
        }
        let Detached { rules } = read(answer.body)?;
        output::talk(&format!(
            "{device} has left the network, and its rules with it: {rules}. To let it come back: \
             greenwave devices attach {device}"
        ));
        Ok(())
    }

    async fn attach(&self, api: &ApiClient, device: &str) -> Result<(), Failure> {
        let answer = api.post(&format!("{PATH}/attach"), &json!({"device": device})).await?;
        if self.format.json {
            return output::print_json(&answer.body);
        }
        let Attached { attached } = read(answer.body)?;
        output::talk(&match attached {
            true => format!("{device} is back in the network."),
            false => format!("{device} was in the network already."),
        });
        Ok(())
    }
}
