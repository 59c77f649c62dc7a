//! The back end's side of a verification, from a terminal.
//!
//! ```sh
//! cargo run -p citadel-sdk --example verify -- CLIENT_ID ACCESS_SECRET
//! cargo run -p citadel-sdk --example verify -- CLIENT_ID ACCESS_SECRET PUBLIC_TOKEN
//! ```
//!
//! The first call prints a bridge token for the widget. The second takes the public token that the widget gave to
//! `onSuccess`, and prints what the person shared.

#![expect(clippy::print_stdout, reason = "the example talks to a terminal")]

use citadel_sdk::{Citadel, CreateBridgeToken};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (client_id, access_secret, public_token) = match arguments.as_slice() {
        [id, secret] => (id, secret.as_str(), None),
        [id, secret, public_token] => (id, secret.as_str(), Some(public_token.as_str())),
        _ => return Err("give CLIENT_ID and ACCESS_SECRET, and PUBLIC_TOKEN when the widget gave one".into()),
    };
    let citadel = Citadel::builder("http://127.0.0.1:8700/v1/", client_id, access_secret).build()?;

    let Some(public_token) = public_token else {
        let request = CreateBridgeToken {
            client_name: Some("Example".into()),
            tracking_info: Some("1337".into()),
            ..CreateBridgeToken::new("income")
        };
        let bridge = citadel.create_bridge_token(&request).await?;
        println!("{}", bridge.bridge_token.expose());
        return Ok(());
    };

    let link = citadel.exchange_public_token(public_token).await?;
    let report = citadel.income_report(&link.access_token).await?;
    for job in &report.employments {
        let employer = job.employment.company.name.as_deref().unwrap_or("an employer");
        let title = job.employment.job_title.as_deref().unwrap_or("a job");
        println!("{title} at {employer}: {} pay statements", job.statements.len());
    }
    Ok(())
}
