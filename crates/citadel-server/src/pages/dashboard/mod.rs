//! The dashboard: its own listener and origin, server-rendered, whole without script.
//!
//! Read [`guard`] first (who may do what), then [`page`] (what every page has), then a page, such as [`keys`].

mod account;
mod asked;
mod assets;
mod audit;
mod factor;
mod flows;
mod guard;
mod home;
mod keys;
mod links;
mod lists;
mod logs;
mod members;
mod page;
mod passkeys;
mod password;
mod plot;
mod sandbox;
mod session;
pub(crate) mod set_up;
mod sign_in;
mod tasks;
mod totp;
mod usage;
mod webhooks;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, get, post},
};
use citadel_domain::Role;

pub use self::guard::Permission;
use self::guard::Permission::{Fresh, HasPassword, Member, Open};
use crate::{
    app::App,
    http::{self, Api},
};

const VIEWER: Permission = Permission::As(Role::Viewer);
const DEVELOPER: Permission = Permission::As(Role::Developer);

/// The dashboard's listener.
pub(crate) fn dashboard(app: App) -> Api {
    let files = Router::new()
        .route("/dashboard.css", get(assets::get_styles))
        .route("/dashboard.js", get(assets::get_script))
        .fallback(page::not_found)
        .method_not_allowed_fallback(page::method_not_allowed)
        .with_state(app.clone());
    http::around(pages(app.clone()).routes.merge(files), &app)
}

/// Every page's path, and what it asks of who calls it.
pub(crate) fn permissions(app: App) -> Vec<(String, Permission)> {
    pages(app).permissions
}

fn pages(app: App) -> Pages {
    use webhooks::{endpoint, resend};
    let webhooks = |rest: &str| format!("/c/{{client_id}}/{{environment}}/webhooks{rest}");
    Pages::new(app)
        .route("/", Member, get(home::get_home))
        .route("/set-up", Open, get(set_up::get_set_up).post(set_up::set_up))
        .route("/sign-in", Open, get(sign_in::get_sign_in).post(sign_in::sign_in))
        .route("/sign-out", HasPassword, post(sign_in::sign_out))
        .route("/join/{token}", Open, get(members::get_join).post(members::join))
        .route("/code", HasPassword, get(factor::get_code).post(factor::prove))
        .route("/code/passkey", HasPassword, post(factor::prove_by_passkey))
        .route("/factor", HasPassword, get(factor::get_factor).post(factor::add))
        .route("/factor/passkey", HasPassword, post(passkeys::add_first))
        .route("/account", Member, get(account::get_account))
        .route("/account/password", Permission::FreshMember, post(account::set_password))
        .route("/account/recovery-codes", Permission::FreshMember, post(account::make_recovery_codes))
        .route("/account/passkeys", Permission::FreshMember, post(passkeys::add))
        .route("/account/passkeys/delete", Permission::FreshMember, post(passkeys::delete))
        .route("/account/sessions/end", Member, post(account::end_session))
        .route("/members", Permission::As(Role::Owner), get(members::get_members))
        .route("/members/invite", Fresh(Role::Owner), post(members::invite))
        .route("/members/withdraw", Fresh(Role::Owner), post(members::withdraw))
        .route("/members/role", Fresh(Role::Owner), post(members::set_role))
        .route("/members/reset-password", Fresh(Role::Owner), post(members::reset_password))
        .route("/members/remove", Fresh(Role::Owner), post(members::remove))
        .route("/clients", Fresh(Role::Owner), post(home::create_client))
        .route("/c/{client_id}/{environment}/", VIEWER, get(home::get_start))
        .route("/c/{client_id}/{environment}/keys", VIEWER, get(keys::get_keys))
        .route("/c/{client_id}/{environment}/links", VIEWER, get(links::get_links))
        .route("/c/{client_id}/{environment}/links/find", VIEWER, post(links::find))
        .route("/c/{client_id}/{environment}/links/{link_id}", VIEWER, get(links::get_link))
        .route(
            "/c/{client_id}/{environment}/links/{link_id}/reveal",
            Fresh(Role::Developer),
            post(links::reveal),
        )
        .route(
            "/c/{client_id}/{environment}/links/{link_id}/revoke-token",
            Fresh(Role::Developer),
            post(links::revoke_token),
        )
        .route(
            "/c/{client_id}/{environment}/links/{link_id}/revoke-consent",
            Fresh(Role::Developer),
            post(links::revoke_consent),
        )
        .route(
            "/c/{client_id}/{environment}/links/{link_id}/delete",
            Fresh(Role::Developer),
            post(links::delete_link),
        )
        .route("/c/{client_id}/{environment}/tasks", VIEWER, get(tasks::get_tasks))
        .route("/c/{client_id}/{environment}/flows", VIEWER, get(flows::get_flows))
        .route("/c/{client_id}/{environment}/flows/{bridge_token_id}", VIEWER, get(flows::get_flow))
        .route("/c/{client_id}/{environment}/keys/create", Fresh(Role::Developer), post(keys::create_key))
        .route("/c/{client_id}/{environment}/keys/delete", Fresh(Role::Developer), post(keys::delete_key))
        .route("/c/{client_id}/{environment}/origins", Fresh(Role::Developer), post(keys::set_origins))
        .route(&webhooks(""), VIEWER, get(webhooks::get_webhooks))
        .route(&webhooks("/create"), Fresh(Role::Developer), post(webhooks::create_webhook))
        .route(&webhooks("/{webhook_id}"), VIEWER, get(endpoint::get_webhook))
        .route(&webhooks("/{webhook_id}/change"), Fresh(Role::Developer), post(endpoint::update_webhook))
        .route(&webhooks("/{webhook_id}/delete"), Fresh(Role::Developer), post(endpoint::delete_webhook))
        .route(&webhooks("/{webhook_id}/rotate"), Fresh(Role::Developer), post(endpoint::rotate_secret))
        .route(&webhooks("/{webhook_id}/resend"), DEVELOPER, post(resend::resend_event))
        .route(&webhooks("/{webhook_id}/resend-range"), DEVELOPER, post(resend::resend_range))
        .route(&webhooks("/{webhook_id}/test"), DEVELOPER, post(resend::send_test))
        .route("/c/{client_id}/{environment}/logs", VIEWER, get(logs::get_logs))
        .route("/c/{client_id}/{environment}/logs/tail", VIEWER, get(logs::tail::get_tail))
        .route("/c/{client_id}/{environment}/logs/{call_id}", VIEWER, get(logs::call::get_call))
        .route("/c/{client_id}/{environment}/audit", DEVELOPER, get(audit::get_audit))
        .route("/audit", Permission::As(Role::Owner), get(audit::get_server_audit))
        .route("/c/{client_id}/{environment}/sandbox", VIEWER, get(sandbox::get_sandbox))
        .route("/c/{client_id}/{environment}/sandbox/clock", DEVELOPER, post(sandbox::turn_clock))
        .route("/c/{client_id}/{environment}/sandbox/faults", DEVELOPER, post(sandbox::set_faults))
        .route("/c/{client_id}/{environment}/sandbox/scenarios", DEVELOPER, post(sandbox::create_scenario))
        .route(
            "/c/{client_id}/{environment}/sandbox/scenarios/delete",
            DEVELOPER,
            post(sandbox::delete_scenario),
        )
        .route("/c/{client_id}/{environment}/sandbox/reset", Fresh(Role::Developer), post(sandbox::reset))
        .route("/c/{client_id}/{environment}/usage", VIEWER, get(usage::get_usage))
}

/// Routes that each name who may use them: there is no other way to add one (P56).
struct Pages {
    routes: Router,
    permissions: Vec<(String, Permission)>,
    app: App,
}

impl Pages {
    fn new(app: App) -> Self {
        Self { routes: Router::new(), permissions: Vec::new(), app }
    }

    fn route(mut self, path: &str, permission: Permission, methods: MethodRouter<App>) -> Self {
        let guard = from_fn_with_state((self.app.clone(), permission), guard::pass);
        let methods = methods.layer(guard).with_state(self.app.clone());
        self.permissions.push((path.to_owned(), permission));
        Self { routes: self.routes.route(path, methods), ..self }
    }
}
