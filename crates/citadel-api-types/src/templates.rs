//! Templates: looks of the widget.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{liberal, page::Page};

/// A look of the widget, as it was sent. What the widget applies is in the guide; everything else is kept and not applied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Template {
    /// What to send as `template_id` of a bridge token.
    pub id: String,
    /// Your name for it.
    pub name: String,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// Everything else that was sent.
    #[serde(flatten)]
    pub look: BTreeMap<String, Value>,
}

/// Makes or changes a template. What is sent is kept as it is; when one is changed, what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WriteTemplate {
    /// Your name for it, at most 128 characters. A new one needs it.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("Main"))]
    pub name: Option<String>,
    /// Texts, colours and switches.
    #[serde(flatten)]
    pub look: BTreeMap<String, Value>,
}

/// A page of templates, oldest first.
pub type TemplatePage = Page<Template>;
