//! Users: people of yours, with the tokens that open the widget for them and the reports about them.

use citadel_api_types::{
    bridge_tokens::{BridgeToken, CreateBridgeToken},
    user_reports::{CreateUserReport, UserReport},
    users::{CreateUser, UpdateUser, User, UserPage, UserWithReports},
};

use crate::{Citadel, Error, client::Call, retry::Repeat};

/// Which users [`Citadel::users`] lists. An empty text leaves a filter out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserFilter<'a> {
    /// Your own id of the person.
    pub external_user_id: &'a str,
    /// Made at this time or later, as in `2026-11-18T15:00:00Z`.
    pub from: &'a str,
    /// Made at this time or earlier.
    pub to: &'a str,
    /// With a link that serves this product.
    pub product_type: &'a str,
    /// Without the users' links, of which a page has the newest ten of each.
    pub without_links: bool,
}

impl Citadel {
    /// Makes a user. A second one with the same `external_user_id` is another user.
    pub async fn create_user(&self, request: &CreateUser) -> Result<User, Error> {
        self.post("users", request, Repeat::UnderKey).await
    }

    /// One page of users, newest first, counted from 1.
    pub async fn users(&self, filter: UserFilter<'_>, page: u32) -> Result<UserPage, Error> {
        let page = page.to_string();
        let query = [
            ("external_user_id", filter.external_user_id),
            ("created_at__gte", filter.from),
            ("created_at__lte", filter.to),
            ("product_type", filter.product_type),
            ("list_links", if filter.without_links { "false" } else { "" }),
            ("page", &page),
        ];
        self.get(Call::new("users").query(&query)).await
    }

    /// One user, with links and the newest report.
    pub async fn user(&self, id: &str) -> Result<UserWithReports, Error> {
        self.get(Call::new("users").id(id)).await
    }

    /// Changes a user: what is `None` stays.
    pub async fn update_user(&self, id: &str, request: &UpdateUser) -> Result<User, Error> {
        self.patch(Call::new("users").id(id), request).await
    }

    /// Deletes a user with all that is known of the person. It cannot be brought back.
    pub async fn delete_user(&self, id: &str) -> Result<(), Error> {
        self.delete(Call::new("users").id(id)).await
    }

    /// As [`create_bridge_token`](Self::create_bridge_token), for a user.
    pub async fn create_user_token(
        &self,
        id: &str,
        request: &CreateBridgeToken,
    ) -> Result<BridgeToken, Error> {
        self.post(Call::new("users").id(id).then("tokens"), request, Repeat::UnderKey).await
    }

    /// Makes a report of everything that a user's links know now.
    pub async fn create_user_report(
        &self,
        id: &str,
        request: &CreateUserReport,
    ) -> Result<UserReport, Error> {
        self.post(Call::new("users").id(id).then("reports"), request, Repeat::UnderKey).await
    }

    /// A report about a user, as it was made.
    pub async fn user_report(&self, id: &str, report_id: &str) -> Result<UserReport, Error> {
        self.get(Call::new("users").id(id).then("reports").part(report_id)).await
    }

    /// As [`user_report`](Self::user_report), as a PDF document.
    pub async fn user_report_pdf(&self, id: &str, report_id: &str) -> Result<Vec<u8>, Error> {
        let call = Call::new("users").id(id).then("reports").part(report_id);
        self.get_bytes(call.query(&[("fmt", "pdf")])).await
    }
}
