//! Access tokens: JWTs (RFC 9068) of the sandbox's own issuer and, if one is configured, of
//! another. What a token says counts once its signature, its issuer, its audience and its time have
//! been found right (RFC 8725), and not a word of it before.

mod assertion;
mod device;
mod fetch;
mod issuer;
mod jwt;
mod keys;
mod remote;
mod settings;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use greenwave_core::{ApplicationId, Device};
use jsonwebtoken::Algorithm;
use quick_cache::sync::Cache;

use self::fetch::Fetch;
use self::jwt::{Claims, Jwt};
use self::keys::PublicKey;
use self::remote::RemoteKeys;
use crate::auth::{Applications, Granted};

pub use assertion::{AssertionRefused, Assertions};
pub(crate) use device::named as device_named;
pub use issuer::{Issuer, IssuerError, LIFE_S, NewToken, TOKEN_PATH};
pub use keys::{InvalidKeys, KeySet};
pub use settings::{DEVICE_CLAIM, ExternalIssuer, InsecureUrl, JwksSource, Settings, WallClock};

/// By how much clocks may differ.
const LEEWAY_MS: i64 = 60_000;

/// What an access token calls itself, if it does.
const TYPES: [&str; 2] = ["JWT", "at+jwt"];

/// What a token may be signed with: nothing that whoever checks it could have made.
pub(crate) const SIGNED_WITH: [Algorithm; 9] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
];

/// How many tokens are remembered that were found right.
const REMEMBERED: usize = 8_192;

/// Checks tokens.
pub struct Tokens {
    issuers: Vec<Trusted>,
    applications: Arc<Applications>,
    /// Tokens that were found right, by their hashes. Checking a signature costs more than all the
    /// rest of a request.
    right: Cache<[u8; 32], Right>,
    clock: WallClock,
}

/// Whom a token speaks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The application.
    pub application: ApplicationId,
    /// The device, if it is for one alone.
    pub device: Option<Device>,
    /// What it may.
    pub granted: Granted,
}

#[derive(Clone)]
struct Right {
    bearer: Arc<Bearer>,
    until_ms: i64,
    issuer: usize,
    /// Of the issuer's keys when it was checked.
    version: u64,
}

/// Why a token is not taken: for whoever runs the gateway. Whoever sent it is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Longer than any token.
    #[error("it is longer than 8 KiB")]
    TooLong,
    /// No JWT.
    #[error("it is no JWT, or says something twice")]
    Malformed,
    /// Something in it has to be understood that is not.
    #[error("it has a header parameter crit")]
    Critical,
    /// It brings its own key.
    #[error("its header names a key of its own")]
    OwnKey,
    /// It is another kind of JWT.
    #[error("its typ is that of another kind of JWT")]
    Type,
    /// It is signed with something that is no signature.
    #[error("its alg is none that is known")]
    Algorithm,
    /// A claim is of the wrong kind.
    #[error("its claim {0} is not as it should be")]
    Claim(&'static str),
    /// Its issuer is nobody known.
    #[error("its iss is nobody known")]
    Issuer,
    /// There is no such key.
    #[error("its issuer has no key of its kid for its alg")]
    Key,
    /// The signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// It is for somebody else.
    #[error("its aud is somebody else")]
    Audience,
    /// It is not valid any more, or says nothing of it.
    #[error("its exp has passed, or is not said")]
    Expired,
    /// It is not valid yet.
    #[error("its nbf has not come")]
    NotYet,
    /// There is no such application.
    #[error("it names no application that there is")]
    Application,
    /// It is for a device that cannot be.
    #[error("its claim for the device is no phone number with + and no name@domain")]
    Device,
}

/// An issuer whose tokens are taken.
struct Trusted {
    issuer: String,
    audience: String,
    keys: Keys,
    client: Client,
    device_claims: Vec<String>,
}

enum Keys {
    Own(KeySet),
    Remote(Arc<RemoteKeys>),
}

/// How a token names the application.
enum Client {
    Id,
    /// By its name, in the first of these claims that is there.
    Name(Vec<String>),
}

impl Tokens {
    /// Takes the tokens of this issuer, and of another if it is configured.
    pub(crate) fn new(
        own: &Issuer,
        applications: Arc<Applications>,
        settings: Settings,
    ) -> Result<Self, rustls::Error> {
        let mut issuers = vec![Trusted::own(own)];
        if let Some(external) = settings.external {
            issuers.push(Trusted::external(external, &settings.clock)?);
        }
        Ok(Self { issuers, applications, right: Cache::new(REMEMBERED), clock: settings.clock })
    }

    /// Whom a token speaks for.
    pub async fn check(&self, token: &str) -> Result<Arc<Bearer>, Refused> {
        if token.len() > jwt::LONGEST {
            return Err(Refused::TooLong);
        }
        let now_ms = self.clock.now_ms();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if let Some(right) = self.right.get(&hash)
            && now_ms < right.until_ms
            && self.issuers[right.issuer].keys.stand(right.version, now_ms)
        {
            return Ok(right.bearer);
        }
        let right = self.check_anew(token, now_ms).await?;
        let bearer = Arc::clone(&right.bearer);
        self.right.insert(hash, right);
        Ok(bearer)
    }

    async fn check_anew(&self, token: &str, now_ms: i64) -> Result<Right, Refused> {
        let jwt = Jwt::parse(token, &TYPES)?;
        let claims = &jwt.claims;
        let named = claims.text("iss")?.ok_or(Refused::Issuer)?;
        let issuer = self.issuers.iter().position(|trusted| trusted.issuer == named);
        let issuer = issuer.ok_or(Refused::Issuer)?;
        let trusted = &self.issuers[issuer];
        // Before the key is looked for: if it is withdrawn meanwhile, what is remembered is void.
        let version = trusted.keys.version();
        let key = trusted.keys.find(jwt.key_id.as_deref(), jwt.algorithm, now_ms).await;
        key.ok_or(Refused::Key)?.check(&jwt)?;
        if !claims.is_for(&trusted.audience) {
            return Err(Refused::Audience);
        }
        let until_ms = lifetime(claims, now_ms)?;
        let application = trusted.client.of(claims, &self.applications)?;
        let device = trusted.device(claims)?;
        let granted = Granted::read(claims.text("scope")?.unwrap_or_default());
        let bearer = Arc::new(Bearer { application, device, granted });
        Ok(Right { bearer, until_ms, issuer, version })
    }
}

/// Until when a token is taken, if it is taken now.
fn lifetime(claims: &Claims, now_ms: i64) -> Result<i64, Refused> {
    let exp_ms = claims.moment_ms("exp")?.ok_or(Refused::Expired)?;
    let until_ms = exp_ms.saturating_add(LEEWAY_MS);
    if now_ms >= until_ms {
        return Err(Refused::Expired);
    }
    match claims.moment_ms("nbf")? {
        Some(nbf_ms) if now_ms < nbf_ms.saturating_sub(LEEWAY_MS) => Err(Refused::NotYet),
        _ => Ok(until_ms),
    }
}

impl Trusted {
    fn own(issuer: &Issuer) -> Self {
        Self {
            issuer: issuer.url().to_owned(),
            audience: issuer.url().to_owned(),
            keys: Keys::Own(issuer.keys()),
            client: Client::Id,
            device_claims: issuer::DEVICE_CLAIMS.map(str::to_owned).to_vec(),
        }
    }

    fn external(external: ExternalIssuer, clock: &WallClock) -> Result<Self, rustls::Error> {
        let keys = RemoteKeys::new(Fetch::new(&external.jwks)?);
        // So that they are there when the first token comes.
        keys.try_again(clock.now_ms());
        let claims = match external.client_claim {
            Some(claim) => vec![claim],
            None => vec![issuer::CLIENT_CLAIM.to_owned(), "azp".to_owned()],
        };
        Ok(Self {
            issuer: external.issuer,
            audience: external.audience,
            keys: Keys::Remote(keys),
            client: Client::Name(claims),
            device_claims: vec![external.device_claim],
        })
    }

    /// The device that a token is for. One that cannot be read must not become a token for all.
    fn device(&self, claims: &Claims) -> Result<Option<Device>, Refused> {
        let mut names = Vec::new();
        for claim in &self.device_claims {
            names.extend(claims.text_of(claim).map_err(|()| Refused::Device)?);
        }
        device_named(names).map_err(|_| Refused::Device)
    }
}

impl Keys {
    fn version(&self) -> u64 {
        match self {
            Self::Own(_) => 0,
            Self::Remote(keys) => keys.version(),
        }
    }

    /// Whether what was checked with the keys of this version would still be found right.
    fn stand(&self, version: u64, now_ms: i64) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Remote(keys) => keys.stand(version, now_ms),
        }
    }

    async fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        now_ms: i64,
    ) -> Option<Arc<PublicKey>> {
        match self {
            Self::Own(keys) => keys.find(id, algorithm),
            Self::Remote(keys) => keys.find(id, algorithm, now_ms).await,
        }
    }
}

impl Client {
    fn of(&self, claims: &Claims, known: &Applications) -> Result<ApplicationId, Refused> {
        match self {
            Self::Id => {
                let id = claims.text(issuer::CLIENT_CLAIM)?;
                id.and_then(|id| known.with_id(id)).ok_or(Refused::Application)
            }
            Self::Name(names) => {
                for claim in names {
                    let name = claims.text_of(claim).map_err(|()| Refused::Application)?;
                    if let Some(name) = name {
                        return known.named(name).ok_or(Refused::Application);
                    }
                }
                Err(Refused::Application)
            }
        }
    }
}
