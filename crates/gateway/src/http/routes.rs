//! Which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::{Api as Named, Release};
use http::{Method, StatusCode};

use super::answer::{Failure, json};
use super::service::Routes;
use super::v0::Dialect;
use super::{Api, admin, camara, docs, health, oauth, openapi, v0};

/// The paths that there are, as a stranger is told of them and the log calls them.
const PUBLIC_PATHS: &[&str] = &[
    "/qod/v0/sessions",
    "/qod/v0/sessions/{sessionId}",
    "/qod/v0/sessions/{sessionId}/extend",
    "/qod/v0/retrieve-sessions",
    "/qod/v0-epoch/sessions",
    "/qod/v0-epoch/sessions/{sessionId}",
    "/qod/v0-epoch/sessions/{sessionId}/extend",
    "/qod/v0-epoch/retrieve-sessions",
    "/quality-on-demand/v1/sessions",
    "/quality-on-demand/v1/sessions/{sessionId}",
    "/quality-on-demand/v1/sessions/{sessionId}/extend",
    "/quality-on-demand/v1/retrieve-sessions",
    "/quality-on-demand/v1rc3/sessions",
    "/quality-on-demand/v1rc3/sessions/{sessionId}",
    "/quality-on-demand/v1rc3/sessions/{sessionId}/extend",
    "/quality-on-demand/v1rc3/retrieve-sessions",
    "/qos-profiles/v1/retrieve-qos-profiles",
    "/qos-profiles/v1/qos-profiles/{name}",
    "/qos-profiles/v1rc3/retrieve-qos-profiles",
    "/qos-profiles/v1rc3/qos-profiles/{name}",
    "/qos-provisioning/v0.3/qos-assignments",
    "/qos-provisioning/v0.3/qos-assignments/{assignmentId}",
    "/qos-provisioning/v0.3/retrieve-qos-assignment",
    "/qos-provisioning/v0.4rc1/qos-assignments",
    "/qos-provisioning/v0.4rc1/qos-assignments/{assignmentId}",
    "/qos-provisioning/v0.4rc1/retrieve-qos-assignment",
    oauth::DISCOVERY,
    oauth::JWKS,
    oauth::TOKEN,
    oauth::CLIENT_CREDENTIALS,
    openapi::ALL,
    openapi::EACH,
    docs::PAGE,
    docs::PARTS,
    "/healthz",
    "/readyz",
    "/",
];

const ADMIN_PATHS: &[&str] = &[
    "/greenwave/v1/applications",
    "/greenwave/v1/applications/{id}/jwks",
    "/greenwave/v1/applications/{id}/rate-limit",
    "/greenwave/v1/keys",
    "/greenwave/v1/keys/{id}",
    "/greenwave/v1/orphans",
    "/greenwave/v1/orphans/{sessionId}",
    "/greenwave/v1/profiles",
    "/greenwave/v1/profiles/{name}",
    "/greenwave/v1/sandbox/faults",
    "/greenwave/v1/sandbox/faults/{id}",
    "/greenwave/v1/sandbox/reset",
    "/greenwave/v1/sandbox/tokens",
    "/greenwave/v1/sandbox/reset-limits",
    "/greenwave/v1/sandbox/network/rules",
    "/greenwave/v1/sandbox/network/devices/attach",
    "/greenwave/v1/sandbox/network/devices/detach",
    "/greenwave/v1/sandbox/network/forget",
    "/greenwave/v1/sandbox/network/sessions/{sessionId}/end",
    "/metrics",
];

/// What applications and probes use.
pub fn public_routes(api: Arc<Api>) -> Routes {
    let router = Router::new()
        .merge(qod_v0(Dialect::V0))
        .merge(qod_v0(Dialect::V0Epoch))
        .merge(sessions())
        .merge(assignments())
        .merge(profiles())
        .merge(oauth::routes())
        .merge(openapi::routes())
        .merge(docs::routes())
        .route("/", get(root))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .fallback(unknown_public_path)
        .method_not_allowed_fallback(method_not_allowed);
    Routes::observed(router.with_state(Arc::clone(&api)), api, PUBLIC_PATHS)
}

/// What the one who runs the gateway uses, on a listener of its own.
pub fn admin_routes(api: Arc<Api>) -> Routes {
    use admin::{figures, orphans, profiles};
    let router = Router::new()
        .nest("/greenwave/v1/applications", applications())
        .route("/greenwave/v1/keys", get(admin::list_keys).post(admin::create_key))
        .route("/greenwave/v1/keys/{id}", delete(admin::revoke_key))
        .route("/greenwave/v1/orphans", get(orphans::list))
        .route("/greenwave/v1/orphans/{id}", delete(orphans::clear))
        .route("/greenwave/v1/profiles", get(profiles::list))
        .route(
            "/greenwave/v1/profiles/{name}",
            get(profiles::get).put(profiles::put).delete(profiles::remove),
        )
        .nest("/greenwave/v1/sandbox", sandbox())
        .route("/metrics", get(figures::metrics))
        .fallback(unknown_admin_path)
        .method_not_allowed_fallback(method_not_allowed);
    Routes::observed(router.with_state(Arc::clone(&api)), api, ADMIN_PATHS)
}

fn applications() -> Router<Arc<Api>> {
    use admin::applications::{self as apps, forget_jwks, forget_rate_limit};
    Router::new()
        .route("/", get(apps::list))
        .route("/{id}/jwks", put(apps::set_jwks).delete(forget_jwks))
        .route("/{id}/rate-limit", put(apps::set_rate_limit).delete(forget_rate_limit))
}

fn sandbox() -> Router<Arc<Api>> {
    use admin::{applications, devices, faults, network, reset, tokens};
    let all = get(faults::list).post(faults::add).delete(faults::clear);
    Router::new()
        .route("/reset", post(reset::reset))
        .route("/faults", all)
        .route("/faults/{id}", get(faults::get).delete(faults::remove))
        .route("/tokens", post(tokens::issue))
        .route("/reset-limits", post(applications::reset_limits))
        .route("/network/rules", get(network::rules).post(network::plant))
        .route("/network/devices/attach", post(devices::attach))
        .route("/network/devices/detach", post(devices::detach))
        .route("/network/forget", post(network::forget))
        .route("/network/sessions/{id}/end", post(network::end))
}

fn sessions() -> Router<Arc<Api>> {
    use camara::sessions as at;
    Release::ALL.into_iter().fold(Router::new(), |router, release| {
        let path = |end: &str| format!("{}{end}", release.base_path(Named::QualityOnDemand));
        let create = post(at::create::create);
        let all = match release {
            // Nokia's clients speak this one, and can ask for all of them.
            Release::R32 => create.get(at::list::list),
            Release::R41 => create,
        };
        router
            .route(&path("/sessions"), all)
            .route(&path("/sessions/{id}"), get(at::get::get).delete(at::delete::delete))
            .route(&path("/sessions/{id}/extend"), post(at::extend::extend))
            .route(&path("/retrieve-sessions"), post(at::retrieve::retrieve))
    })
}

fn profiles() -> Router<Arc<Api>> {
    use camara::profiles as at;
    Release::ALL.into_iter().fold(Router::new(), |router, release| {
        let path = |end: &str| format!("{}{end}", release.base_path(Named::QosProfiles));
        router
            .route(&path("/retrieve-qos-profiles"), post(at::retrieve::retrieve))
            .route(&path("/qos-profiles/{name}"), get(at::get::get))
    })
}

fn assignments() -> Router<Arc<Api>> {
    use camara::assignments as at;
    Release::ALL.into_iter().fold(Router::new(), |router, release| {
        let path = |end: &str| format!("{}{end}", release.base_path(Named::QosProvisioning));
        router
            .route(&path("/qos-assignments"), post(at::create::create))
            .route(&path("/qos-assignments/{id}"), get(at::get::get).delete(at::revoke::revoke))
            .route(&path("/retrieve-qos-assignment"), post(at::retrieve::retrieve))
    })
}

fn qod_v0(dialect: Dialect) -> Router<Arc<Api>> {
    let path = |end: &str| format!("{}{end}", dialect.path());
    Router::new()
        .route(&path("/sessions"), get(v0::list::list).post(v0::create::create))
        .route(&path("/sessions/{id}"), get(v0::get::get).delete(v0::delete::delete))
        .route(&path("/sessions/{id}/extend"), post(v0::extend::extend))
        .route(&path("/retrieve-sessions"), post(v0::retrieve::retrieve))
}

async fn root() -> Response {
    let body = format!(
        r#"{{"name":"greenwave","version":"{}","mode":"sandbox","paths":{}}}"#,
        env!("CARGO_PKG_VERSION"),
        serde_json::json!(PUBLIC_PATHS)
    );
    json(StatusCode::OK, body)
}

async fn unknown_public_path(request: Request) -> Failure {
    ErrorInfo::unknown_path(request.uri().path(), PUBLIC_PATHS).into()
}

async fn unknown_admin_path(request: Request) -> Failure {
    ErrorInfo::unknown_path(request.uri().path(), ADMIN_PATHS).into()
}

async fn method_not_allowed(method: Method) -> Failure {
    ErrorInfo::method_not_allowed(method.as_str()).into()
}
