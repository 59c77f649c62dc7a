//! Every route, by handler, grouped by who calls it.

use axum::{
    Router,
    routing::{delete, get, post},
};
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api,
    app::App,
    http, openapi,
    pages::{self, your_data},
};
pub use crate::{http::Api, pages::dashboard::Permission};

/// The public listener: API, widget, pages.
pub fn api(app: App) -> Api {
    let (documented, _) = for_clients().split_for_parts();
    let routes =
        documented.merge(aliases()).merge(not_enabled()).merge(for_the_widget()).merge(for_browsers());
    http::wrap(routes.with_state(app.clone()), &app)
}

/// The dashboard's listener.
pub fn dashboard(app: App) -> Api {
    pages::dashboard::dashboard(app)
}

/// Every page of the dashboard, and what it asks of who calls it.
pub fn dashboard_permissions(app: App) -> Vec<(String, pages::dashboard::Permission)> {
    pages::dashboard::permissions(app)
}

/// The OpenAPI document of [`for_clients`].
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = for_clients().split_for_parts().1;
    openapi::finish(&mut document);
    document
}

/// Calls of clients' back ends, under an access key. Each carries its own path and its part of the API document.
fn for_clients() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Frame::openapi())
        .routes(routes!(api::bridge_tokens::create_bridge_token))
        .routes(routes!(api::users::list_users, api::users::create_user))
        .routes(routes!(api::users::get_user, api::users::update_user, api::users::delete_user))
        .routes(routes!(api::users::create_user_token))
        .routes(routes!(api::orders::list_orders, api::orders::create_order))
        .routes(routes!(api::orders::look_up_orders))
        .routes(routes!(api::orders::get_order, api::orders::reverify_order, api::orders::update_order))
        .routes(routes!(api::orders::refresh_order))
        .routes(routes!(api::orders::cancel_order))
        .routes(routes!(api::orders::add_order_employer))
        .routes(routes!(api::orders::list_order_events))
        .routes(routes!(api::user_reports::create_user_report))
        .routes(routes!(api::user_reports::get_user_report))
        .routes(routes!(api::user_deposits::get_user_deposit_switch))
        .routes(routes!(api::templates::list_templates, api::templates::create_template))
        .routes(routes!(
            api::templates::get_template,
            api::templates::update_template,
            api::templates::delete_template
        ))
        .routes(routes!(api::access_tokens::create_access_token))
        .routes(routes!(api::access_tokens::create_access_tokens))
        .routes(routes!(api::verifications::get_employment_verification))
        .routes(routes!(api::verifications::get_income_verification))
        .routes(routes!(api::reports::get_admin_report))
        .routes(routes!(api::reports::get_report_by_kind))
        .routes(routes!(api::deposits::get_deposit_switch))
        .routes(routes!(api::deposits::get_paycheck_linked_loan))
        .routes(routes!(api::deposits::get_account_switch))
        .routes(routes!(api::administrators::get_directory))
        .routes(routes!(api::administrators::create_payroll_report))
        .routes(routes!(api::administrators::get_payroll_report))
        .routes(routes!(api::refresh::create_refresh_task))
        .routes(routes!(api::refresh::get_refresh_task))
        .routes(routes!(api::links::list_links))
        .routes(routes!(api::links::get_link, api::links::delete_link))
        .routes(routes!(api::links::get_link_report))
        .routes(routes!(api::link_data::list_link_employments))
        .routes(routes!(api::link_data::get_link_employment))
        .routes(routes!(api::link_data::get_link_identity))
        .routes(routes!(api::link_data::list_link_statements))
        .routes(routes!(api::link_data::get_link_statement))
        .routes(routes!(api::link_data::list_link_bank_accounts))
        .routes(routes!(api::link_data::list_link_tax_documents))
        .routes(routes!(api::link_data::get_link_tax_document))
        .routes(routes!(api::link_data::list_link_shifts))
        .routes(routes!(api::tasks::list_tasks))
        .routes(routes!(api::tasks::get_task))
        .routes(routes!(api::companies::search_companies))
        .routes(routes!(api::companies::match_company))
        .routes(routes!(api::companies::get_company))
        .routes(routes!(api::providers::list_providers))
        .routes(routes!(api::providers::get_provider))
        .routes(routes!(api::keys::create_key))
        .routes(routes!(api::keys::deactivate_key))
        .routes(routes!(api::webhooks::list_webhooks, api::webhooks::create_webhook))
        .routes(routes!(
            api::webhooks::get_webhook,
            api::webhooks::update_webhook,
            api::webhooks::delete_webhook
        ))
        .routes(routes!(api::webhooks::rotate_webhook_secret))
        .routes(routes!(api::webhook_requests::list_webhook_requests))
        .routes(routes!(api::events::list_events))
        .routes(routes!(api::event_stream::stream_events))
        .routes(routes!(api::events::resend_events))
        .routes(routes!(api::events::resend_event))
        .merge(for_the_sandbox())
}

/// Calls that exist with sandbox keys only.
fn for_the_sandbox() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(api::sandbox::public_tokens::create_sandbox_public_token))
        .routes(routes!(api::sandbox::clock::get_sandbox_clock, api::sandbox::clock::turn_sandbox_clock))
        .routes(routes!(api::sandbox::faults::get_sandbox_faults, api::sandbox::faults::set_sandbox_faults))
        .routes(routes!(api::sandbox::reset::reset_sandbox))
        .routes(routes!(api::sandbox::ledger::export_sandbox_ledger))
        .routes(routes!(
            api::sandbox::scenarios::list_sandbox_scenarios,
            api::sandbox::scenarios::create_sandbox_scenario
        ))
        .routes(routes!(api::sandbox::scenarios::resolve_sandbox_scenario))
        .routes(routes!(
            api::sandbox::scenarios::get_sandbox_scenario,
            api::sandbox::scenarios::update_sandbox_scenario,
            api::sandbox::scenarios::delete_sandbox_scenario
        ))
}

/// Older names of the same calls.
fn aliases() -> Router<App> {
    Router::new()
        .route("/v1/companies-autocomplete-search/", get(api::companies::search_companies))
        .route("/v1/link/reports/admin/", post(api::reports::get_admin_report))
        .route("/v1/link/{link_id}/", delete(api::links::delete_link))
        .route("/v1/link/{link_id}/statements/", get(api::link_data::list_link_statements))
        .route("/v1/link/{link_id}/statements/{statement_id}/", get(api::link_data::get_link_statement))
}

/// Products of the published API that are not enabled: banks, assets, income insights, insurance and scoring. Not in the API
/// document, because nothing but a refusal can be had.
fn not_enabled() -> Router<App> {
    let of_links = [
        "auth",
        "balances",
        "bank_statements",
        "transactions",
        "investments",
        "liabilities",
        "income/transactions/reports",
        "insurance/report",
        "insurance/auto",
        "insurance/home",
    ];
    let mut routes = Router::new();
    for what in of_links {
        routes =
            routes.route(&format!("/v1/links/{{link_id}}/{what}/"), get(api::not_enabled::refuse_for_link));
    }
    for what in ["assets", "income_insights"] {
        let reports = format!("/v1/users/{{user_id}}/{what}/reports/");
        let all = get(api::not_enabled::refuse_for_user).post(api::not_enabled::refuse_for_user);
        routes = routes
            .route(&reports, all)
            .route(&format!("{reports}{{report_id}}/"), get(api::not_enabled::refuse_report_of_user));
    }
    let all = get(api::not_enabled::refuse).post(api::not_enabled::refuse);
    routes
        .route("/v1/scoring_attributes/reports/", all)
        .route("/v1/scoring_attributes/reports/{report_id}/", get(api::not_enabled::refuse))
}

/// Calls of the widget, under a bridge token.
fn for_the_widget() -> Router<App> {
    Router::new()
        .route("/bridge/api/session", get(api::widget::session::get_session))
        .route("/bridge/api/companies", get(api::widget::session::search_companies))
        .route("/bridge/api/providers", get(api::widget::session::list_providers))
        .route("/bridge/api/providers/{provider_id}", get(api::widget::session::get_provider))
        .route("/bridge/api/order", get(api::widget::order::get_order))
        .route("/bridge/api/order/consent", post(api::widget::order::consent))
        .route("/bridge/api/order/employers/{employer_id}/skip", post(api::widget::order::skip))
        .route("/bridge/api/screens", post(api::widget::screens::tell_screens))
        .route("/bridge/api/tasks", post(api::widget::sign_in::create_task))
        .route("/bridge/api/tasks/{task_id}", get(api::widget::task::get_task))
        .route("/bridge/api/tasks/{task_id}/answer", post(api::widget::task::answer_step))
        .route(
            "/bridge/api/tasks/{task_id}/public-token",
            post(api::widget::public_token::create_public_token),
        )
}

/// Pages, scripts and pictures, open to all; and files, whose address is the permission.
fn for_browsers() -> Router<App> {
    Router::new()
        .route("/bridge.js", get(pages::get_bridge_js))
        .route("/bridge/widget", get(pages::get_widget))
        .route("/bridge/widget.js", get(pages::get_widget_script))
        .route("/bridge/order", get(pages::get_framed_order))
        .route("/bridge/order.js", get(pages::get_order_script))
        .route("/orders/{page_token}", get(pages::get_order))
        .route("/o/{page_token}", get(pages::get_order))
        .route("/your-data/{token}", get(your_data::get_your_data))
        .route("/your-data/{token}/stop", get(your_data::ask_to_stop).post(your_data::stop))
        .route("/your-data/{token}/delete", get(your_data::ask_to_delete).post(your_data::delete))
        .route("/your-data/{token}/dispute", post(your_data::dispute))
        .route("/your-data/{token}/file", post(your_data::make_file))
        .route("/bridge/your-data.css", get(your_data::get_your_data_styles))
        .route("/bridge/widget.css", get(pages::get_widget_styles))
        .route("/bridge/assets/{name}", get(pages::get_asset))
        .route("/bridge/marks/{file}", get(pages::get_mark))
        .route("/mobile.html", get(pages::get_mobile))
        .route("/oauth-success.html", get(pages::get_oauth_success))
        .route("/openapi.json", get(pages::get_openapi))
        .route("/scenario.schema.json", get(pages::get_scenario_schema))
        .route("/docs", get(pages::get_docs))
        .route("/docs/docs.js", get(pages::get_docs_script))
        .route("/docs/scalar.js", get(pages::get_scalar))
        .route("/files/{client_id}/{link_id}/{object_id}/{name}", get(api::files::get_file))
}
