//! What a sandbox hands to its user: a key that stays the same from start to start, and a file that
//! tells scripts where everything is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use greenwave_crashpoint::{Point, reached};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::auth::{KeyClass, KeyRing};
use crate::entropy::Entropy;
use crate::gateway::StartError;
use crate::secrets::{to_hex, write_private};

/// The application that is there from the start.
pub const DEFAULT_APPLICATION: &str = "default";

/// What the sandbox's own key is labelled with.
const LABEL: &str = "sandbox";

/// Where a sandbox is and how to use it.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The URL of the APIs, without a slash at its end.
    pub api_root: String,
    /// The key of the default application.
    pub application_key: SecretString,
    /// The URL of the admin API, without a slash at its end.
    pub admin_url: String,
    /// The token of the admin API.
    pub admin_token: SecretString,
}

/// The file `sandbox.json`.
#[derive(Clone, Serialize, Deserialize)]
pub struct SandboxFile {
    /// The URL of the APIs, without a slash at its end.
    pub api_root: String,
    /// The key of the default application.
    pub application_key: String,
    /// The URL of the admin API. Its token is in `admin.token` beside this file.
    pub admin_url: String,
}

/// The path of `sandbox.json` in a data directory.
#[must_use]
pub fn file_path(directory: &Path) -> PathBuf {
    directory.join("sandbox.json")
}

/// The path of the admin API's token in a data directory.
#[must_use]
pub fn admin_token_path(directory: &Path) -> PathBuf {
    directory.join("admin.token")
}

impl Sandbox {
    /// What is written to the file, and printed for scripts.
    #[must_use]
    pub fn to_file(&self) -> SandboxFile {
        SandboxFile {
            api_root: self.api_root.clone(),
            application_key: self.application_key.expose_secret().to_owned(),
            admin_url: self.admin_url.clone(),
        }
    }
}

/// Finds the key of the last start, or makes one, and writes the file.
pub(crate) async fn prepare(
    directory: &Path,
    public: SocketAddr,
    admin: SocketAddr,
    keys: &KeyRing,
    entropy: &dyn Entropy,
) -> Result<Sandbox, StartError> {
    let application_key = match last_key(directory).filter(|key| is_valid(keys, key)) {
        Some(key) => key,
        None => new_key(keys).await?,
    };
    let sandbox = Sandbox {
        api_root: format!("http://{public}"),
        application_key,
        admin_url: format!("http://{admin}"),
        admin_token: admin_token(directory, entropy)?,
    };
    let text = serde_json::to_string_pretty(&sandbox.to_file()).unwrap_or_default();
    write(&file_path(directory), &format!("{text}\n"))?;
    Ok(sandbox)
}

fn last_key(directory: &Path) -> Option<SecretString> {
    let text = std::fs::read_to_string(file_path(directory)).ok()?;
    let file: SandboxFile = serde_json::from_str(&text).ok()?;
    Some(SecretString::from(file.application_key))
}

fn is_valid(keys: &KeyRing, key: &SecretString) -> bool {
    keys.authenticate(key.expose_secret()).is_some()
}

/// Keys are kept as hashes, so one that was lost with the file cannot be found again. It gives way
/// to a new one, which there is always room for: the gateway has to run for a key to be revoked.
async fn new_key(keys: &KeyRing) -> Result<SecretString, StartError> {
    let own = keys.applications().get_or_make(DEFAULT_APPLICATION.to_owned()).await?;
    for key in keys.keys().await? {
        if key.application == own.id && key.label == LABEL && key.revoked_at.is_none() {
            keys.revoke(key.id).await?;
        }
    }
    let (_, secret) = keys.add(&own, LABEL.to_owned(), KeyClass::Test, usize::MAX).await?;
    reached(Point::SandboxKeyMade);
    Ok(secret)
}

fn admin_token(directory: &Path, entropy: &dyn Entropy) -> Result<SecretString, StartError> {
    let path = admin_token_path(directory);
    if let Ok(text) = std::fs::read_to_string(&path)
        && text.trim().len() >= 32
    {
        return Ok(SecretString::from(text.trim()));
    }
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    let token = to_hex(&bytes);
    write(&path, &format!("{token}\n"))?;
    Ok(SecretString::from(token))
}

fn write(path: &Path, text: &str) -> Result<(), StartError> {
    write_private(path, text)
        .map_err(|source| StartError::Directory { path: path.to_owned(), source })
}
