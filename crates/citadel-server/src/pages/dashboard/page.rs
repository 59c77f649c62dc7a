//! What every page has: the layout, and how one is refused.

use askama::Template;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use citadel_domain::{Environment, Role};
use citadel_store::members::Member;
use jiff::Timestamp;

use crate::error::{self, ApiError};

/// Nothing but our own files; forms go to ourselves; nobody frames us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

pub(super) type PageResult<T> = Result<T, PageError>;

/// What the layout shows.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The word of the page in the navigation.
    pub(super) here: &'static str,
    pub(super) csrf: String,
    pub(super) member: Option<Who>,
    pub(super) place: Option<Place>,
    /// What was just done.
    pub(super) notice: Option<String>,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) name: String,
    pub(super) role: Role,
}

/// Whose data a page shows.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) client_id: String,
    pub(super) client_name: String,
    pub(super) environment: Environment,
    /// Other clients that the member sees: id and name.
    pub(super) others: Vec<(String, String)>,
}

impl Frame {
    /// The navigation: its word, the page's path, its name.
    pub(super) const PAGES: [(&'static str, &'static str, &'static str); 10] = [
        ("start", "", "Start"),
        ("keys", "keys", "API keys"),
        ("links", "links", "Links"),
        ("tasks", "tasks", "Tasks"),
        ("flows", "flows", "Flows"),
        ("webhooks", "webhooks", "Webhooks"),
        ("logs", "logs", "Logs"),
        ("sandbox", "sandbox", "Sandbox"),
        ("usage", "usage", "Usage"),
        ("audit", "audit", "Audit trail"),
    ];

    pub(super) fn new(here: &'static str, csrf: String, member: Option<&Member>) -> Self {
        let member = member.map(|member| Who { name: member.name.clone(), role: member.role });
        Self { here, csrf, member, place: None, notice: None }
    }

    pub(super) fn saying(mut self, notice: Option<impl Into<String>>) -> Self {
        self.notice = notice.map(Into::into);
        self
    }

    pub(super) fn is_at(&self, here: &str) -> bool {
        self.here == here
    }

    /// Whether the member may do what this role may.
    pub(super) fn may(&self, role: &str) -> bool {
        let needed = role.parse::<Role>().unwrap_or(Role::Owner);
        self.member.as_ref().is_some_and(|member| member.role >= needed)
    }

    /// The address of a page of the client.
    pub(super) fn url(&self, page: &str) -> String {
        self.place.as_ref().map_or_else(|| format!("/{page}"), |place| place.url(page))
    }
}

impl Place {
    pub(super) fn is_in(&self, environment: &str) -> bool {
        self.environment.as_str() == environment
    }

    pub(super) fn url(&self, page: &str) -> String {
        format!("/c/{}/{}/{page}", self.client_id, self.environment)
    }
}

/// A page as it is sent.
pub(super) fn show(template: &impl Template) -> PageResult<Response> {
    show_as(StatusCode::OK, template)
}

pub(super) fn show_as(status: StatusCode, template: &impl Template) -> PageResult<Response> {
    let html = template.render().map_err(error::internal)?;
    Ok((status, headers(), Html(html)).into_response())
}

fn headers() -> [(HeaderName, HeaderValue); 3] {
    [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        // Forms that need the second factor again come back to the page that they were on.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ]
}

/// A page that is not shown, or an act that is not done.
pub(super) struct PageError {
    status: StatusCode,
    text: String,
}

impl PageError {
    pub(super) fn not_found() -> Self {
        Self::refused(StatusCode::NOT_FOUND, "There is nothing here. It may have been deleted.")
    }

    pub(super) fn signed_out() -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, "You are signed out.")
    }

    pub(super) fn refused(status: StatusCode, text: &str) -> Self {
        Self { status, text: text.to_owned() }
    }

    /// What the API would answer. All that is not there is the same here (P5).
    pub(super) fn told(status: StatusCode, text: String) -> Self {
        if status == StatusCode::NOT_FOUND { Self::not_found() } else { Self { status, text } }
    }

    /// A form that is not as it should be.
    pub(super) fn wrong(text: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, text: text.into() }
    }
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        let (status, text) = error.into_status_and_message();
        Self::told(status, text)
    }
}

impl From<citadel_store::Error> for PageError {
    fn from(error: citadel_store::Error) -> Self {
        ApiError::from(error).into()
    }
}

#[derive(Template)]
#[template(path = "dashboard/refusal.html")]
struct Refusal {
    frame: Frame,
    title: &'static str,
    text: String,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let title = match self.status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::UNAUTHORIZED => "Signed out",
            StatusCode::FORBIDDEN => "Not allowed",
            status if status.is_client_error() => "Not done",
            _ => "Something went wrong",
        };
        let frame = Frame::new("", String::new(), None);
        show_as(self.status, &Refusal { frame, title, text: self.text })
            .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

pub(super) async fn not_found() -> PageError {
    PageError::not_found()
}

pub(super) async fn method_not_allowed() -> PageError {
    PageError::refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address is for a form. Go back and use its button.",
    )
}

/// A time as pages print it: to the second, in UTC.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
