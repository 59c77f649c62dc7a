//! Pay of the sandbox as books.

use std::time::Duration;

use reqwest::{Method, Response};

use crate::{Citadel, Error, client::Call};

/// Books of many years take a while to write.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(600);

/// What [`Citadel::sandbox_ledger`] asks for. An empty text leaves a field out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SandboxLedger<'a> {
    /// `beancount`, `hledger` or `csv`.
    pub format: &'a str,
    /// Whose pay. Empty for the company's.
    pub username: &'a str,
    /// At which provider; `truv` when empty.
    pub provider_id: &'a str,
    /// At which employer.
    pub company_mapping_id: &'a str,
    /// Everybody's pay at the company that administrators see.
    pub company: bool,
    /// The first pay day, as in `2026-11-18`.
    pub from: &'a str,
    /// The last pay day.
    pub to: &'a str,
}

impl Citadel {
    /// Pay as books or as a table. They can be large, and are read part by part.
    pub async fn sandbox_ledger(&self, ledger: SandboxLedger<'_>) -> Result<Download, Error> {
        let query = [
            ("format", ledger.format),
            ("username", ledger.username),
            ("provider_id", ledger.provider_id),
            ("company_mapping_id", ledger.company_mapping_id),
            ("company", if ledger.company { "1" } else { "" }),
            ("from", ledger.from),
            ("to", ledger.to),
        ];
        let url = Call::new("sandbox/ledger").query(&query).url(&self.base_url)?;
        let request = self.http.request(Method::GET, url).timeout(LONGEST_DOWNLOAD);
        let mut response = request.send().await.map_err(|source| self.unreachable(source))?;
        if !response.status().is_success() {
            let body = self.read(&mut response).await?;
            return Err(Error::from_answer(response.status(), response.headers(), &body));
        }
        Ok(Download { response, citadel: self.clone() })
    }
}

/// An answer that is read part by part.
#[derive(Debug)]
pub struct Download {
    response: Response,
    citadel: Citadel,
}

impl Download {
    /// The next part; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let part = self.response.chunk().await.map_err(|source| self.citadel.unreachable(source))?;
        Ok(part.map(|bytes| bytes.to_vec()))
    }
}
