//! `citadel_sdk::testing` with the real program.

use std::{path::Path, time::Instant};

use citadel_sdk::{
    CreateBridgeToken, ErrorKind,
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
