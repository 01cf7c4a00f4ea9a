//! Whose tokens `greenwave up` takes.

use clap::Args;
use http::Uri;

use crate::cli::output::Failure;
use crate::tokens::{DEVICE_CLAIM, ExternalIssuer, InsecureUrl, JwksSource, Settings};

/// Another issuer, whose tokens are taken beside the sandbox's own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tokens of another issuer")]
pub(super) struct TokenArguments {
    /// The issuer, as its tokens have it in `iss`
    #[arg(long, value_name = "URL", requires_all = ["token_jwks", "token_audience"])]
    token_issuer: Option<String>,

    /// Where its public keys are: https://…, http://… of this machine, or a file
    #[arg(long, value_name = "URL_OR_FILE", requires = "token_issuer", value_parser = parse_source)]
    token_jwks: Option<JwksSource>,

    /// This gateway, as its tokens have it in `aud`
    #[arg(long, value_name = "AUD", requires = "token_issuer")]
    token_audience: Option<String>,

    /// The claim with the name of the application, which `greenwave keys create` has made
    /// [default: client_id, else azp]
    #[arg(long, value_name = "CLAIM", requires = "token_issuer")]
    token_client_claim: Option<String>,

    /// The claim with the device, a phone number with + or name@domain, of a token that is for one
    #[arg(long, value_name = "CLAIM", requires = "token_issuer", default_value = DEVICE_CLAIM)]
    token_device_claim: String,
}

impl TokenArguments {
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let (Some(issuer), Some(jwks), Some(audience)) =
            (&self.token_issuer, &self.token_jwks, &self.token_audience)
        else {
            return Ok(Settings::default());
        };
        if issuer.parse::<Uri>().ok().and_then(|uri| uri.scheme().cloned()).is_none() {
            let wrong = format!("--token-issuer {issuer}: an issuer is a URL");
            return Err(Failure::new(wrong).hint("greenwave up --help"));
        }
        let external = ExternalIssuer {
            issuer: issuer.clone(),
            jwks: jwks.clone(),
            audience: audience.clone(),
            client_claim: self.token_client_claim.clone(),
            device_claim: self.token_device_claim.clone(),
        };
        Ok(Settings { external: Some(external), ..Settings::default() })
    }
}

fn parse_source(text: &str) -> Result<JwksSource, InsecureUrl> {
    JwksSource::parse(text)
}
