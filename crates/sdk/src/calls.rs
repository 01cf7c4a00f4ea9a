//! The operations that there are, as data: what the typed clients run, and what other languages'
//! bindings are built on.

use std::time::Duration;

use greenwave_wire::ErrorInfo;
use greenwave_wire::v0::client::{
    CreateForm, DeviceForm, ExtendForm, RetrieveForm, read_session, read_sessions,
};
use greenwave_wire::v0::{read_create, read_extend, read_retrieve};
use serde::Serialize;

use crate::operation::{AllPages, ClearAll, Exchange, Operation, Tries, WaitAvailable};
use crate::profile::{self, QosProfile};
use crate::request::{Request, Response};
use crate::session::{SessionInfo, path};
use crate::{Cleared, Error};

/// Makes operations for one gateway.
#[derive(Clone, Debug)]
pub struct Calls {
    root: String,
    most_tries: u32,
}

/// What tells a call from all others.
struct Nonce {
    /// For the gateway to know it again by.
    text: String,
    chance: u64,
}

impl Calls {
    /// Of the gateway at `root`; each request is sent `most_tries` times at most.
    #[must_use]
    pub fn new(root: &str, most_tries: u32) -> Self {
        Self { root: root.to_owned(), most_tries: most_tries.max(1) }
    }

    /// Asks for a session. The form is held against the gateway's own rules first.
    #[must_use]
    pub fn create(&self, form: &CreateForm) -> impl Operation<Output = SessionInfo> + use<> {
        self.exchange(
            |nonce| {
                let body = checked(form, |body| read_create(body).map(drop))?;
                Ok(Request::post("/sessions", body, &nonce.text).once(&nonce.text))
            },
            one,
        )
    }

    /// Looks at a session.
    #[must_use]
    pub fn get(&self, id: &str) -> impl Operation<Output = SessionInfo> + use<> {
        self.look(id, None)
    }

    /// Extends a session by so many seconds.
    #[must_use]
    pub fn extend(&self, id: &str, by_s: i64) -> impl Operation<Output = SessionInfo> + use<> {
        self.exchange(
            |nonce| {
                let path = format!("{}/extend", path(id)?);
                let form = ExtendForm { requested_additional_duration: by_s };
                let body = checked(&form, |body| read_extend(body).map(drop))?;
                Ok(Request::post(&path, body, &nonce.text).once(&nonce.text))
            },
            one,
        )
    }

    /// Ends a session.
    #[must_use]
    pub fn delete(&self, id: &str) -> impl Operation<Output = ()> + use<> {
        self.exchange(|nonce| Ok(Request::delete(&path(id)?, &nonce.text)), |_| Ok(()))
    }

    /// The sessions of a device.
    #[must_use]
    pub fn sessions_of(
        &self,
        device: &DeviceForm,
    ) -> impl Operation<Output = Vec<SessionInfo>> + use<> {
        self.list(device)
    }

    /// All sessions of the application, page after page.
    #[must_use]
    pub fn all_sessions(&self) -> impl Operation<Output = Vec<SessionInfo>> + use<> {
        let nonce = Nonce::new().unwrap_or_else(|_| Nonce::unknown());
        AllPages::new(self.tries(&nonce), nonce.text)
    }

    /// Deletes the sessions of a device.
    #[must_use]
    pub fn clear(&self, device: &DeviceForm) -> impl Operation<Output = Cleared> + use<> {
        let nonce = Nonce::new().unwrap_or_else(|_| Nonce::unknown());
        ClearAll::new(self.list(device), self.tries(&nonce), nonce.text)
    }

    /// Looks at a session until it is available, for as long as this.
    #[must_use]
    pub fn wait_available(
        &self,
        id: &str,
        timeout: Duration,
    ) -> impl Operation<Output = SessionInfo> + use<> {
        let (calls, own) = (self.clone(), id.to_owned());
        WaitAvailable::new(id.to_owned(), timeout, move || calls.look(&own, Some(timeout)))
    }

    /// The profiles that can be asked for.
    #[must_use]
    pub fn qos_profiles(&self) -> impl Operation<Output = Vec<QosProfile>> + use<> {
        let request = |nonce: &Nonce| {
            Ok(Request::post_at(profile::PATH.to_owned(), b"{}".to_vec(), &nonce.text))
        };
        self.exchange(request, profile::read)
    }

    fn look(&self, id: &str, until: Option<Duration>) -> Exchange<SessionInfo> {
        self.exchange(|nonce| Ok(Request::get(path(id)?, &nonce.text)), one).until(until)
    }

    fn list(&self, device: &DeviceForm) -> Exchange<Vec<SessionInfo>> {
        let request = |nonce: &Nonce| {
            let body = checked(&RetrieveForm { device }, |body| read_retrieve(body).map(drop))?;
            Ok(Request::post("/retrieve-sessions", body, &nonce.text))
        };
        self.exchange(request, |response| {
            let sessions = read_sessions(&response.body)?;
            Ok(sessions.into_iter().map(SessionInfo::from).collect())
        })
    }

    fn exchange<T: Send + 'static>(
        &self,
        request: impl FnOnce(&Nonce) -> Result<Request, Error>,
        read: fn(&Response) -> Result<T, String>,
    ) -> Exchange<T> {
        match Nonce::new() {
            Ok(nonce) => Exchange::new(request(&nonce), self.tries(&nonce), read),
            Err(error) => Exchange::new(Err(error), self.tries(&Nonce::unknown()), read),
        }
    }

    fn tries(&self, nonce: &Nonce) -> Tries {
        let root = self.root.clone();
        Tries { most: self.most_tries, chance: nonce.chance, root, until: None }
    }
}

fn one(response: &Response) -> Result<SessionInfo, String> {
    read_session(&response.body).map(SessionInfo::from)
}

/// A body, once the gateway's own reader has nothing against it.
fn checked(
    form: &impl Serialize,
    read: impl FnOnce(&[u8]) -> Result<(), ErrorInfo>,
) -> Result<Vec<u8>, Error> {
    let body = serde_json::to_vec(form).map_err(|error| Error::Invalid(error.to_string()))?;
    read(&body).map_err(|wrong| Error::Invalid(wrong.message))?;
    Ok(body)
}

impl Nonce {
    fn new() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::Invalid(format!("the system has no random bytes: {error}")))?;
        let number = u128::from_le_bytes(bytes);
        let chance = u64::try_from(number & u128::from(u64::MAX)).unwrap_or(0);
        Ok(Self { text: format!("{number:032x}"), chance })
    }

    /// For requests that change nothing.
    fn unknown() -> Self {
        Self { text: "none".to_owned(), chance: 0 }
    }
}
