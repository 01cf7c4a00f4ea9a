//! TLS, for gateways that are reached over it.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::Error;

/// Trusts the authorities that the machine trusts. They are read only if they are needed: it takes
/// longer than everything else that a client does at its start.
pub(crate) fn config(is_needed: bool) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    if is_needed {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            let none = "base_url: https needs certificate authorities to trust, and there are none";
            return Err(Error::Invalid(format!("{none}{why}")));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Invalid(format!("TLS cannot be used: {error}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
