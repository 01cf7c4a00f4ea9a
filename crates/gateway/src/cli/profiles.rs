//! `greenwave profiles`

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use greenwave_core::ProfileName;
use serde_json::{Value, json};

use super::client::ApiClient;
use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat, block_on};

/// See and change the profiles that sessions can have
///
/// A profile is never removed: sessions may have it. One that is not ACTIVE is kept for them, and
/// no new session gets it.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Profiles {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the profiles
    List,
    /// Show everything about a profile
    Show {
        /// The profile's name
        name: String,
    },
    /// Say whether new sessions can have a profile
    SetStatus {
        /// The profile's name
        name: String,
        /// Whether they can
        status: Status,
    },
    /// Add a profile, or put it in the place of the one that has its name
    ///
    /// For example: greenwave profiles show QOS_L --json > profile.json, then change it, then
    /// greenwave profiles put profile.json
    Put {
        /// A file with the profile as JSON, as `show --json` prints it; `-` for standard input
        file: PathBuf,
    },
}

/// What becomes of those who ask for a profile.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    /// They get it
    Active,
    /// They do not, for now
    Inactive,
    /// They do not any more
    Deprecated,
}

const PATH: &str = "/greenwave/v1/profiles";

/// What helps when the gateway's own file of them cannot be used.
pub(super) const FILE_HINT: &str =
    "correct the file, or move it away: then the profiles are the built-in ones";

impl Profiles {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let api = ApiClient::operator(&self.directory)?;
        block_on(async {
            match &self.action {
                Action::List => self.list(&api).await,
                Action::Show { name } => self.show(&api, name).await,
                Action::SetStatus { name, status } => self.set_status(&api, name, *status).await,
                Action::Put { file } => self.put(&api, read_profile(file)?).await,
            }
        })
    }

    async fn list(&self, api: &ApiClient) -> Result<(), Failure> {
        let answer = api.get(PATH).await?;
        if self.format.json {
            return output::print_json(&answer.body);
        }
        let profiles = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
        let heading = ["name", "status", "down at most", "up at most", "guaranteed", "for"];
        output::print_table(&heading, profiles.iter().map(row))
    }

    async fn show(&self, api: &ApiClient, name: &str) -> Result<(), Failure> {
        let profile = get(api, name).await?;
        if self.format.json {
            return output::print_json(&profile);
        }
        let members = profile.as_object().into_iter().flatten();
        let lines = members.map(|(name, value)| format!("{name:<24}{}", text(value)));
        output::print(&lines.collect::<Vec<_>>().join("\n"))
    }

    async fn set_status(&self, api: &ApiClient, name: &str, status: Status) -> Result<(), Failure> {
        let mut profile = get(api, name).await?;
        profile["status"] = json!(status.name());
        self.put(api, profile).await
    }

    async fn put(&self, api: &ApiClient, profile: Value) -> Result<(), Failure> {
        let Some(name) = profile["name"].as_str() else {
            return Err(Failure::new("the profile has no name")
                .hint("greenwave profiles show QOS_L --json, which shows what a profile is like"));
        };
        let answer = api.put(&path(name)?, &profile).await.map_err(|failure| {
            let hint = "greenwave profiles show QOS_L --json, which shows what a profile is like";
            failure.hint_if("INVALID_ARGUMENT", hint).hint_if("OUT_OF_RANGE", hint)
        })?;
        if self.format.json {
            return output::print_json(&answer.body);
        }
        output::talk(&format!("Profile {name} is {}.", text(&answer.body["status"])));
        Ok(())
    }
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Deprecated => "DEPRECATED",
        }
    }
}

async fn get(api: &ApiClient, name: &str) -> Result<Value, Failure> {
    let answer = api.get(&path(name)?).await;
    let hint = "greenwave profiles list, which shows what there is";
    Ok(answer.map_err(|failure| failure.hint_if("NOT_FOUND", hint))?.body)
}

/// The profile's path. What could be no profile's name is not sent.
fn path(name: &str) -> Result<String, Failure> {
    let name = ProfileName::parse(name).map_err(|wrong| {
        Failure::new(format!("{name:?} is no name: {wrong}"))
            .hint("greenwave profiles list, which shows the names")
    })?;
    Ok(format!("{PATH}/{}", name.as_str()))
}

fn read_profile(file: &Path) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("{} is not JSON: {error}", file.display())))
}

fn row(profile: &Value) -> Vec<String> {
    let guaranteed = ["targetMinDownstreamRate", "targetMinUpstreamRate"];
    let guaranteed = guaranteed.map(|member| text(&profile[member]));
    vec![
        text(&profile["name"]),
        text(&profile["status"]),
        text(&profile["maxDownstreamRate"]),
        text(&profile["maxUpstreamRate"]),
        match guaranteed {
            [down, up] if down.is_empty() && up.is_empty() => String::new(),
            [down, up] => format!("{down} down, {up} up"),
        },
        match profile["onlyFor"].as_array() {
            Some(devices) if devices.len() == 1 => "1 device".to_owned(),
            Some(devices) => format!("{} devices", devices.len()),
            None => "all".to_owned(),
        },
    ]
}

/// A value for people: what has a unit is written with it.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(members) => match (members.get("value"), members.get("unit")) {
            (Some(value), Some(unit)) => format!("{value} {}", text(unit)),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}
