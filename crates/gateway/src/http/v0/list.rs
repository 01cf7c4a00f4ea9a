//! `GET /sessions`: those of a device, or a page of all.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use greenwave_ledger::Page;
use greenwave_wire::v0::{self, Listing};
use http::HeaderValue;
use http::header::LINK;

use super::{Manner, Reading, many, of_device};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::authenticate::Authenticated;

pub(in crate::http) async fn list(
    State(api): State<Arc<Api>>,
    Authenticated(application, _): Authenticated<Reading>,
    RawQuery(query): RawQuery,
    manner: Manner,
) -> Result<Response, Failure> {
    let failure = |error| Failure::of(&error, v0::rules());
    let listing = v0::read_listing(query.as_deref().unwrap_or_default())?;
    let _place = api.places.take()?;
    match listing {
        Listing::OfDevice(device) => {
            Ok(many(&of_device(&api, application, &device).await?, manner))
        }
        Listing::All { page, per_page } => {
            let wanted = Page { index: page - 1, size: per_page };
            let listed = api.engine.sessions(application, wanted).await.map_err(failure)?;
            let mut response = many(&listed.sessions, manner);
            if listed.more {
                let next = next_page(manner.dialect.path(), page, per_page);
                response.headers_mut().extend(next.map(|next| (LINK, next)));
            }
            Ok(response)
        }
    }
}

/// Where the next page is (RFC 8288).
pub(in crate::http) fn next_page(base: &str, page: usize, per_page: usize) -> Option<HeaderValue> {
    let next = page.checked_add(1)?;
    let link = format!(r#"<{base}/sessions?page={next}&perPage={per_page}>; rel="next""#);
    HeaderValue::try_from(link).ok()
}
