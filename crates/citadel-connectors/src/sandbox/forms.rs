//! What the sandbox's sign-in asks for.

use citadel_domain::Product;

use crate::{LoginField, LoginForm, LoginWay};

/// The providers that ask for a company code first, as their real namesakes do.
const ASK_FOR_COMPANY_CODE: [&str; 3] = ["infor", "prismhr", "isolved"];

pub(super) const USERNAME: &str = "username";
pub(super) const PASSWORD: &str = "password";
pub(super) const API_KEY: &str = "api_key";
pub(super) const ORGANIZATION_ID: &str = "organization_id";

const COMPANY_CODE: LoginField = LoginField {
    name: ORGANIZATION_ID,
    label: "Company code",
    is_secret: false,
    autocomplete: "organization",
};

const PASSWORD_WAY: LoginWay = LoginWay {
    label: "Username and password",
    fields: &[
        LoginField { name: USERNAME, label: "Username", is_secret: false, autocomplete: "username" },
        LoginField { name: PASSWORD, label: "Password", is_secret: true, autocomplete: "current-password" },
    ],
};

const KEY_WAY: LoginWay = LoginWay {
    label: "API key",
    fields: &[LoginField { name: API_KEY, label: "API key", is_secret: true, autocomplete: "off" }],
};

/// An administrator may bring an API key; a person never has one.
pub(super) fn form(provider_id: &str, product: Product) -> LoginForm {
    let organization = asks_for_company_code(provider_id).then_some(COMPANY_CODE);
    let ways: &[LoginWay] = match product {
        Product::Admin => &[KEY_WAY, PASSWORD_WAY],
        Product::Fas => &[PASSWORD_WAY, KEY_WAY],
        Product::Employment | Product::Income | Product::DepositSwitch | Product::Pll => &[PASSWORD_WAY],
    };
    LoginForm { organization, ways }
}

pub(super) fn asks_for_company_code(provider_id: &str) -> bool {
    ASK_FOR_COMPANY_CODE.contains(&provider_id)
}
