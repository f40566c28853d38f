//! Shutdown: nobody listens any more, a request under way is answered, then the server returns.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::world::Service;

#[test]
fn a_request_under_way_is_answered() {
    let mut service = Service::usual();
    let body = r#"{"instances":[[1]]}"#;
    let mut connection = TcpStream::connect(service.addr).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!(
        "POST /v1/models/air:predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    // The server asks for the body once the handler reads it: from then on the request is under way.
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    service.begin_shutdown();
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(service.addr).is_ok() {
        assert!(Instant::now() < deadline, "it still listens");
        std::thread::yield_now();
    }
    connection.write_all(body.as_bytes()).unwrap();
    let mut reply = String::new();
    connection.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    assert!(reply.ends_with(r#"{"predictions":[2.0]}"#), "{reply}");
    service.join();
}
