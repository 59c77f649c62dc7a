//! Looks of the widget.

use citadel_api_types::templates::{Template, TemplatePage, WriteTemplate};

use crate::{Citadel, Error, client::Call, retry::Repeat};

impl Citadel {
    /// Makes a template: send its id as `template_id` of a bridge token.
    pub async fn create_template(&self, request: &WriteTemplate) -> Result<Template, Error> {
        // Two of the same do no harm, but somebody would have to tell them apart.
        self.post(Call::new("templates"), request, Repeat::UnderKey).await
    }

    /// One page of templates, oldest first, counted from 1.
    pub async fn templates(&self, page: u32) -> Result<TemplatePage, Error> {
        let page = page.to_string();
        self.get(Call::new("templates").query(&[("page", &page)])).await
    }

    /// One template.
    pub async fn template(&self, id: &str) -> Result<Template, Error> {
        self.get(Call::new("templates").id(id)).await
    }

    /// Changes what the request names, and nothing else.
    pub async fn update_template(&self, id: &str, request: &WriteTemplate) -> Result<Template, Error> {
        self.patch(Call::new("templates").id(id), request).await
    }

    /// Deletes a template. Bridge tokens that name it open the widget in its own look.
    pub async fn delete_template(&self, id: &str) -> Result<(), Error> {
        self.delete(Call::new("templates").id(id)).await
    }
}
