use crate::harness::Home;

/// The listener lets requests just over the limits through, so that the answer comes in the contract's shape.
#[test]
fn p44_heads_over_the_limits_are_answered_in_contract_shape() {
    let home = Home::new();
    let server = home.serve();
    let fields = |count: usize| (0..count).map(|index| format!("X-Field-{index}: a\r\n")).collect::<String>();
    let request = |path: &str, headers: &str| {
        server.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n"))
    };
    let check = |answer: String, status: &str| {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{answer}");
    };
    check(request("/v1/nothing/", &fields(98)), "404");
    check(request("/v1/nothing/", &fields(99)), "431");
    check(request("/v1/nothing/", &format!("X-Long: {}\r\n", "a".repeat(32 << 10))), "431");
    check(request(&format!("/v1/{}/", "a".repeat(8188)), ""), "414");
    // Far over them, the connection ends without ceremony.
    let refused = request("/v1/nothing/", &format!("X-Long: {}\r\n", "a".repeat(60 << 10)));
    assert!(refused.starts_with("HTTP/1.1 431"), "{refused}");
    assert_eq!(server.get("/v1/nothing/").0, 404);
}

#[test]
fn broken_heads_are_refused_and_the_server_lives() {
    let home = Home::new();
    let server = home.serve();
    for head in [
        "GET /v1/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /v1/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked, x\r\n\r\n",
        "GET /v1/ HTTP/1.1\r\nHost: a\r\nX-Bad: a\0b\r\n\r\n",
        "G\u{e4}T /v1/ HTTP/1.1\r\n\r\n",
        "not http at all\r\n\r\n",
    ] {
        let answer = server.send(head);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{head:?}: {answer}");
    }
    assert_eq!(server.get("/v1/nothing/").0, 404);
}
