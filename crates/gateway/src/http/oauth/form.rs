//! Forms.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;

use super::Refusal;
use crate::http::Api;
use crate::http::body::read_in_time;

/// The body of a request that says that it is a form, and says nothing twice.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// The parameter of this name. One without a value is as if it were not there (RFC 6749,
    /// section 3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl FromRequest<Arc<Api>> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Refusal> {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let wrong = "the body has to be a form: application/x-www-form-urlencoded";
            return Err(Refusal::invalid_request(wrong));
        }
        let body = read_in_time(request.into_body(), api).await.map_err(Refusal::Other)?;
        let mut parameters = HashMap::new();
        for (name, value) in form_urlencoded::parse(&body) {
            if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(Refusal::invalid_request(format!("{name} is given twice")));
            }
        }
        Ok(Self(parameters))
    }
}
