//! `citadel_sdk::testing` with the real program.

use std::{path::Path, time::Instant};

use citadel_sdk::{
    CreateBridgeToken, CreateOrder, CreateSandboxPublicToken, CreateUser, CreateUserReport, ErrorKind,
    OrderEmployerRequest, RefreshOrder, UpdateOrder, UpdateUser, UserFilter,
    testing::{Error, Sandbox, SandboxBuilder},
};

use crate::harness::Home;

fn builder() -> SandboxBuilder {
    Sandbox::builder().program(env!("CARGO_BIN_EXE_citadel"))
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how long a start takes is told, and decides nothing")]
async fn two_sandboxes_run_beside_each_other_and_are_gone_when_dropped() {
    let start = Instant::now();
    let first = builder().start().await.unwrap();
    println!("ready after {} ms", start.elapsed().as_millis());
    let second = builder().seed("a seed").now("2030-01-01T00:00:00Z").start().await.unwrap();
    assert_ne!(first.api_url(), second.api_url());
    let token = CreateBridgeToken::new("income");
    for sandbox in [&first, &second] {
        assert_eq!(sandbox.citadel().base_url(), sandbox.api_url());
        let bridge = sandbox.citadel().create_bridge_token(&token).await.unwrap();
        assert!(!bridge.bridge_token.is_empty());
    }
    // The key of one is nothing at the other.
    let stranger = citadel_sdk::Citadel::builder(first.api_url(), second.client_id(), second.secret());
    let refused = stranger.build().unwrap().create_bridge_token(&token).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthorized);

    let printed = format!("{first:?}");
    assert!(printed.contains(first.api_url()) && !printed.contains(first.secret().expose()), "{printed}");
    let process = first.process_id();
    assert!(is_running(process));
    drop(first);
    assert!(!is_running(process));
    second.citadel().create_bridge_token(&token).await.unwrap();
}

/// Told by `/proc`, or by `ps` where there is none.
fn is_running(process: u32) -> bool {
    if Path::new("/proc/self").exists() {
        return Path::new(&format!("/proc/{process}")).exists();
    }
    let found = std::process::Command::new("ps").args(["-p", &process.to_string()]).output();
    found.unwrap().status.success()
}

#[tokio::test]
async fn an_early_end_is_told_with_what_the_program_said() {
    let home = Home::new();
    let program = home.write("citadel", "#!/bin/sh\necho 'no such verb' >&2\nexit 2\n");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let error = Sandbox::builder().program(&program).start().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("no such verb") && text.contains("exit status: 2"), "{text}");
    assert!(matches!(error, Error::Ended { .. }), "{error:?}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told_with_the_way_to_it() {
    let error = Sandbox::builder().program("/nowhere/citadel").start().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("/nowhere/citadel") && text.contains("CITADEL_BIN"), "{text}");
}

/// Users, orders and reports with the SDK alone.
#[tokio::test]
async fn an_order_is_made_connected_and_read() {
    let sandbox = builder().start().await.unwrap();
    let citadel = sandbox.citadel();
    let order = citadel
        .create_order(&CreateOrder {
            products: vec!["income".to_owned()],
            external_user_id: Some("u-1".to_owned()),
            order_number: Some("7".to_owned()),
            first_name: Some("John".to_owned()),
            last_name: Some("Doe".to_owned()),
            ..CreateOrder::default()
        })
        .await
        .unwrap();
    let bridge_token = order.bridge_token.clone().unwrap();
    let login = CreateSandboxPublicToken::new(bridge_token, "goodlogin", "goodpassword");
    assert_eq!(citadel.create_sandbox_public_token(&login).await.unwrap().status, "done");
    let order = citadel.order(&order.id).await.unwrap();
    assert_eq!((order.status.as_str(), order.employers[0].status.as_str()), ("completed", "completed"));
    let user = citadel.user(&order.user_id).await.unwrap();
    assert_eq!(
        (user.user.external_user_id.as_deref(), &user.voie_report_id),
        (Some("u-1"), &order.voie_report_id)
    );
    let report =
        citadel.create_user_report(&order.user_id, &CreateUserReport { is_voe: true }).await.unwrap();
    assert_eq!(citadel.user_report(&order.user_id, &report.report_id).await.unwrap(), report);
    let pdf = citadel.user_report_pdf(&order.user_id, &report.report_id).await.unwrap();
    assert!(pdf.starts_with(b"%PDF"));
    let link_id = order.employers[0].link_id.as_deref().unwrap();
    assert!(citadel.link_shifts(link_id).await.unwrap().is_empty());
    let found = citadel.look_up_orders("7").await.unwrap();
    assert_eq!((found.count, citadel.orders(1).await.unwrap().count), (1, 1));
    assert_eq!(citadel.order_events(&order.id).await.unwrap()[0].event_type, "order-created");
    let same = citadel.reverify_order(&order.id).await.unwrap();
    assert_eq!((same.user_id.as_str(), same.order_number.as_deref()), (order.user_id.as_str(), Some("7")));
    let again = citadel.refresh_order(&order.id, &RefreshOrder::default()).await.unwrap();
    let employer = OrderEmployerRequest { company_name: Some("Home Depot".to_owned()), ..Default::default() };
    citadel.add_order_employer(&again.id, &employer).await.unwrap();
    let change = UpdateOrder { notes: Some("soon".to_owned()), ..UpdateOrder::default() };
    assert_eq!(citadel.update_order(&again.id, &change).await.unwrap().notes.as_deref(), Some("soon"));
    assert_eq!(citadel.cancel_order(&again.id).await.unwrap().status, "canceled");

    let user = citadel.create_user(&CreateUser::new("Ada", "Quist")).await.unwrap();
    let token = citadel.create_user_token(&user.id, &CreateBridgeToken::new("income")).await.unwrap();
    assert_eq!(token.user_id.as_deref(), Some(user.id.as_str()));
    let change = UpdateUser { last_name: Some("Lind".to_owned()), ..UpdateUser::default() };
    assert_eq!(citadel.update_user(&user.id, &change).await.unwrap().last_name, "Lind");
    assert_eq!(citadel.users(UserFilter::default(), 1).await.unwrap().count, 2);
    let filter = UserFilter {
        external_user_id: "u-1",
        from: "2020-01-01",
        product_type: "income",
        without_links: true,
        ..UserFilter::default()
    };
    let found = citadel.users(filter, 1).await.unwrap();
    assert_eq!((found.count, found.results[0].id.as_str()), (1, order.user_id.as_str()));
    let later = UserFilter { from: "2200-01-01", ..UserFilter::default() };
    assert_eq!(citadel.users(later, 1).await.unwrap().count, 0);
    citadel.delete_user(&user.id).await.unwrap();
    assert_eq!(citadel.user(&user.id).await.unwrap_err().kind(), ErrorKind::NotFound);
}
