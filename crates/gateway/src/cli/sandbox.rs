//! `greenwave sandbox`

mod fixtures;

use clap::{Args, Subcommand};
use serde_json::to_value;

use super::client::{ApiClient, read, read_sandbox};
use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat, block_on, duration};
use crate::auth::Scope;
use crate::http::{IssuedToken, TokenForm};
use crate::sandbox;

/// Make what tests need
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Sandbox {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make what a suite of CAMARA's test definitions needs, and tell of it
    ///
    /// Tokens of every kind, a few profiles, and the calls with which the suite makes the network
    /// go wrong and has everything forgotten.
    Fixtures {
        /// As variables for a shell, and not as JSON
        #[arg(long)]
        shell: bool,
    },
    /// Make an access token, and print it
    Token {
        /// The application's name; it is made if there is none of this name
        #[arg(long, value_name = "NAME", default_value = sandbox::DEFAULT_APPLICATION)]
        application: String,
        /// The one device that the token is for: a phone number with +, or name@domain
        #[arg(long, value_name = "DEVICE")]
        device: Option<String>,
        /// What the token is good for, as often as needed [default: everything]
        #[arg(long = "scope", value_name = "SCOPE", value_parser = scopes())]
        scopes: Vec<String>,
        /// How long it lives; -5m makes one that ran out five minutes ago
        #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_life, allow_hyphen_values = true)]
        expires_in: i64,
    },
}

const TOKENS: &str = "/greenwave/v1/sandbox/tokens";

impl Sandbox {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let api = ApiClient::operator(&self.directory)?;
        let (application, device, scopes, expires_in) = match &self.action {
            Action::Fixtures { shell } => return self.make_fixtures(&api, *shell),
            Action::Token { application, device, scopes, expires_in } => {
                (application, device, scopes, expires_in)
            }
        };
        let form = TokenForm {
            application: application.clone(),
            device: device.clone(),
            scopes: (!scopes.is_empty()).then(|| scopes.clone()),
            expires_in_s: Some(*expires_in),
        };
        let body = to_value(form).map_err(Failure::new)?;
        block_on(async {
            let answer = api.post(TOKENS, &body).await.map_err(|failure| {
                let help = "greenwave sandbox token --help";
                failure.hint_if("INVALID_ARGUMENT", help).hint_if("OUT_OF_RANGE", help)
            })?;
            if self.format.json {
                return output::print_json(&answer.body);
            }
            let issued: IssuedToken = read(answer.body)?;
            output::talk(&format!("A token of the application {application:?}."));
            output::print(&issued.access_token)
        })
    }

    fn make_fixtures(&self, api: &ApiClient, shell: bool) -> Result<(), Failure> {
        let sandbox = read_sandbox(&self.directory)?;
        let made = block_on(fixtures::make(api, &sandbox))?;
        if shell {
            return output::print(&fixtures::to_shell(&made, &sandbox));
        }
        output::print_json(&made)
    }
}

fn scopes() -> clap::builder::PossibleValuesParser {
    Scope::ALL.map(Scope::as_str).into()
}

/// A duration, or one with a minus for a token that is over already.
fn parse_life(text: &str) -> Result<i64, String> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let life = duration::parse(text)?;
    i64::try_from(life.as_secs()).map(|life| sign * life).map_err(|_| "it is too long".to_owned())
}
