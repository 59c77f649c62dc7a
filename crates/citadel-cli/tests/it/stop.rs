use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::harness::{Home, wait};

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
