//! Users: people of a client, to whom links and orders belong.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Redacted, liberal, links::Link, page::Page};

/// Makes a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateUser {
    /// Your own id of the person. Two users may have the same one.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("qs-1338"))]
    pub external_user_id: Option<String>,
    /// The first name.
    #[serde(deserialize_with = "liberal::text")]
    #[schema(required, examples("John"))]
    pub first_name: String,
    /// The last name.
    #[serde(deserialize_with = "liberal::text")]
    #[schema(required, examples("Doe"))]
    pub last_name: String,
    /// Where the person reads mail.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("j.doe@example.com"))]
    pub email: Option<String>,
    /// Where the person is called.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("+15555550100"))]
    pub phone: Option<String>,
    /// The Social Security number: nine digits, or the last four.
    #[serde(deserialize_with = "liberal::optional_redacted", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("991919991"))]
    pub ssn: Option<Redacted>,
}

impl CreateUser {
    /// A person with a name, and nothing else known.
    pub fn new(first_name: impl Into<String>, last_name: impl Into<String>) -> Self {
        Self { first_name: first_name.into(), last_name: last_name.into(), ..Self::default() }
    }
}

/// Changes a user: what is sent is written, and what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateUser {
    /// As in [`CreateUser`].
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub external_user_id: Option<String>,
    /// As in [`CreateUser`].
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// As in [`CreateUser`].
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// As in [`CreateUser`].
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// As in [`CreateUser`].
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// As in [`CreateUser`].
    #[serde(deserialize_with = "liberal::optional_redacted", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub ssn: Option<Redacted>,
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// 32 hexadecimal characters.
    #[schema(examples("24d7e80942ce4ad58a93f70ce4115f5c"))]
    pub id: String,
    /// Your own id of the person.
    pub external_user_id: Option<String>,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// Where the person reads mail.
    pub email: Option<String>,
    /// Where the person is called.
    pub phone: Option<String>,
    /// The Social Security number, as it was sent.
    #[schema(value_type = Option<String>)]
    pub ssn: Option<Redacted>,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// The person's links: in a list and when one user is read, unless `list_links=false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Vec<Link>>,
}

/// A person with the newest reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserWithReports {
    /// The person.
    #[serde(flatten)]
    pub user: User,
    /// The newest report about employment and income.
    pub voie_report_id: Option<String>,
    /// Always `null`: this server makes no reports about assets.
    pub voa_report_id: Option<String>,
    /// Always `null`: this server reads no bank transactions.
    pub income_insights_report_id: Option<String>,
    /// Always `null`.
    pub aim_check_report_id: Option<String>,
}

/// A page of users, newest first.
pub type UserPage = Page<User>;
