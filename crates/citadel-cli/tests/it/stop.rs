use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::harness::{Home, get, wait};

#[test]
fn p42_sigterm_and_sigint_stop_quietly() {
    for name in ["TERM", "INT"] {
        let home = Home::new();
        let mut server = home.serve();
        // An idle connection does not hold the server up.
        let mut idle = TcpStream::connect(server.api).unwrap();
        write!(idle, "GET /v1/nothing/ HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        idle.read_exact(&mut [0; 12]).unwrap();
        server.signal(name);
        let status = wait(&mut server.child, Duration::from_secs(10)).expect("an idle server stops at once");
        assert!(status.success(), "{name}: {status:?} {}", server.log());
        assert!(!home.path("data/admin.sock").exists());
        assert!(!server.log().contains("ERROR"), "{}", server.log());
    }
}

#[test]
fn a_killed_server_leaves_nothing_in_the_way_of_the_next() {
    let home = Home::new();
    let mut server = home.serve();
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(home.path("data/admin.sock").exists());
    home.run(&["client", "list"]).succeeded();
    home.serve();
    home.run(&["client", "create", "--name", "demo"]).succeeded();
}

#[test]
fn p42_open_requests_are_finished_while_readiness_says_no() {
    let home = Home::new();
    let client = home.run(&["client", "create", "--name", "demo", "--json"]).succeeded().json();
    let server = home.serve();
    let mut open = TcpStream::connect(server.api).unwrap();
    let (client_id, secret) = (client["client_id"].as_str().unwrap(), client["sandbox"].as_str().unwrap());
    write!(
        open,
        "POST /v1/bridge-tokens/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\
         X-Access-Client-Id: {client_id}\r\nX-Access-Secret: {secret}\r\n\r\n"
    )
    .unwrap();
    // The server answers another call, so it has read the head of the open one.
    assert_eq!(server.get("/v1/nothing/").0, 404);
    server.signal("TERM");
    let is_stopping = |_: &u32| get(server.metrics, "/readyz", "").1.contains("\"is_stopping\":true");
    assert!((0..500).find(is_stopping).is_some(), "readiness never said no: {}", server.log());
    assert_eq!(get(server.metrics, "/readyz", "").0, 503);

    open.write_all(b"{\"product_type\":\"income\"}").unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(server.stop().success());
}
