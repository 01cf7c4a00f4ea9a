//! `greenwave faults`

use std::num::NonZeroU32;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::client::{ApiClient, read};
use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat, block_on, duration};
use crate::http::{FaultForm, FaultInfo, KindName, OperationName};

/// Make the simulated network go wrong, to see what an application does
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Faults {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Add),
    /// List what can still go wrong
    List,
    /// Let nothing go wrong any more, or one thing less
    Clear {
        /// The fault's number, as `list` shows it; without it, all faults
        id: Option<u32>,
    },
}

/// Let something go wrong from now on
///
/// It strikes every call of the operation, or those that the options say, until it has struck as
/// often as it was to, is cleared, or the gateway is stopped. For example: greenwave faults add
/// provision never-answers --times 1
#[derive(Debug, Args)]
struct Add {
    /// What the network is called for
    operation: OperationName,
    /// What goes wrong
    kind: KindName,
    /// How late, for answers-late, acts-late and confirms-first: 500ms, 12s
    #[arg(long, value_name = "TIME", value_parser = duration::parse_milliseconds)]
    delay: Option<u64>,
    /// For how long a busy network says that it wants to be left alone
    #[arg(long, value_name = "TIME", value_parser = duration::parse_milliseconds)]
    retry_after: Option<u64>,
    /// How often it strikes. Without it, until it is cleared
    #[arg(long, value_name = "NUMBER")]
    times: Option<NonZeroU32>,
    /// How likely it strikes, above 0 to 1. Without it, always
    #[arg(long)]
    probability: Option<f64>,
    /// Only this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only sessions of this device: a name (local@domain) or a phone number
    #[arg(long)]
    device: Option<String>,
    /// Only sessions in this cell: stadium, city-0 to city-65535
    #[arg(long)]
    cell: Option<String>,
}

const PATH: &str = "/greenwave/v1/sandbox/faults";

impl Faults {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let api = ApiClient::operator(&self.directory)?;
        block_on(async {
            match &self.action {
                Action::Add(add) => self.add(&api, add).await,
                Action::List => self.list(&api).await,
                Action::Clear { id: Some(id) } => self.clear_one(&api, *id).await,
                Action::Clear { id: None } => self.clear(&api).await,
            }
        })
    }

    async fn add(&self, api: &ApiClient, add: &Add) -> Result<(), Failure> {
        let answer = api.post(PATH, &json!(add.form())).await.map_err(|failure| {
            if failure.is("CONFLICT") {
                failure.hint("greenwave faults clear")
            } else if failure.is("INVALID_ARGUMENT") || failure.is("OUT_OF_RANGE") {
                failure.hint("greenwave faults add --help, which shows what there is")
            } else {
                failure
            }
        })?;
        if self.format.json {
            return output::print_json(&answer.body);
        }
        let added: FaultInfo = read(answer.body)?;
        output::talk(&format!(
            "Fault {id}: {fault}. To end it: greenwave faults clear {id}",
            id = added.id,
            fault = show(&added.fault)
        ));
        Ok(())
    }

    async fn list(&self, api: &ApiClient) -> Result<(), Failure> {
        let answer = api.get(PATH).await?;
        if self.format.json {
            return output::print_json(&answer.body);
        }
        let faults: Vec<FaultInfo> = read(answer.body)?;
        if faults.is_empty() {
            output::talk("Nothing goes wrong. To change that: greenwave faults add --help");
            return Ok(());
        }
        let row = |FaultInfo { id, struck, fault }: FaultInfo| {
            let times = fault.times.map_or("until cleared".to_owned(), |times| times.to_string());
            vec![id.to_string(), show(&fault), concern(&fault), struck.to_string(), times]
        };
        let heading = ["id", "fault", "only", "struck", "times"];
        output::print_table(&heading, faults.into_iter().map(row))
    }

    async fn clear_one(&self, api: &ApiClient, id: u32) -> Result<(), Failure> {
        let cleared = api.delete(&format!("{PATH}/{id}")).await;
        cleared.map_err(|failure| {
            if failure.is("NOT_FOUND") {
                failure.hint("greenwave faults list, which shows what there is")
            } else {
                failure
            }
        })?;
        if self.format.json {
            return output::print_json(&json!({"cleared": id}));
        }
        output::talk(&format!("Fault {id} does not happen any more."));
        Ok(())
    }

    async fn clear(&self, api: &ApiClient) -> Result<(), Failure> {
        api.delete(PATH).await?;
        if self.format.json {
            return output::print_json(&json!({"cleared": "all"}));
        }
        output::talk("Nothing goes wrong any more.");
        Ok(())
    }
}

impl Add {
    fn form(&self) -> FaultForm {
        FaultForm {
            operation: self.operation,
            kind: self.kind,
            delay_ms: self.delay,
            retry_after_ms: self.retry_after,
            times: self.times,
            probability: self.probability,
            session_id: self.session.clone(),
            device: self.device.clone(),
            cell: self.cell.clone(),
        }
    }
}

/// What goes wrong, in the words of the command line.
fn show(fault: &FaultForm) -> String {
    let mut text = format!("{} {}", name(fault.operation), name(fault.kind));
    for (option, milliseconds) in
        [("--delay", fault.delay_ms), ("--retry-after", fault.retry_after_ms)]
    {
        match milliseconds {
            Some(whole) if whole % 1_000 == 0 => text += &format!(" {option} {}s", whole / 1_000),
            Some(milliseconds) => text += &format!(" {option} {milliseconds}ms"),
            None => {}
        }
    }
    text
}

/// Where it goes wrong, likewise.
fn concern(fault: &FaultForm) -> String {
    let options = [
        fault.probability.map(|probability| format!("--probability {probability}")),
        fault.session_id.as_ref().map(|id| format!("--session {id}")),
        fault.device.as_ref().map(|device| format!("--device {device}")),
        fault.cell.as_ref().map(|cell| format!("--cell {cell}")),
    ];
    options.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
