//! Pages and scripts for browsers: the loader, the widget, the mobile page, the API reference.

mod assets;
pub(crate) mod dashboard;
mod docs;
mod joined;
mod kept;
mod marks;
mod widget;
pub(crate) mod your_data;

pub(crate) use assets::{
    get_asset, get_bridge_js, get_oauth_success, get_order_script, get_widget_script, get_widget_styles,
};
pub(crate) use docs::{get_docs, get_docs_script, get_openapi, get_scalar, get_scenario_schema};
pub(crate) use marks::get_mark;
pub(crate) use widget::{get_framed_order, get_mobile, get_order, get_widget};
