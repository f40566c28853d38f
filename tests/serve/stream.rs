//! The stream: events as they come, resumed where it broke, ended by the shutdown.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fold::What;
use perennial::history::Truth;
use perennial::live::Served;
use perennial::serve::App;
use serde_json::Value;

use crate::world::{Service, air, app, happening, recorder};

/// One stream, read as a browser reads it.
struct Stream(BufReader<TcpStream>);

/// What a stream tells: (id, event, data).
type Told = (u64, String, Value);

impl Stream {
    fn open(addr: SocketAddr, path: &str, last_id: Option<u64>) -> Self {
        let mut connection = TcpStream::connect(addr).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let resume = last_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        // Of HTTP/1.0, so that the body comes without chunks.
        write!(connection, "GET {path} HTTP/1.0\r\nHost: x\r\n{resume}\r\n").unwrap();
        let mut stream = Self(BufReader::new(connection));
        let head = stream.block();
        assert!(head[0].contains(" 200 "), "{head:?}");
        assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
        stream
    }

    /// The lines up to the next empty one.
    fn block(&mut self) -> Vec<String> {
        let lines = self.0.by_ref().lines().map(Result::unwrap);
        lines.take_while(|line| !line.is_empty()).collect()
    }

    fn next(&mut self) -> Told {
        let lines = self.block();
        let field = |name: &str| {
            let line = lines.iter().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {lines:?}")).trim().to_owned()
        };
        (field("id:").parse().unwrap(), field("event:"), serde_json::from_str(&field("data:")).unwrap())
    }
}

fn truth(at_event: u64) -> Truth {
    Truth { at_event, at_ms: 20_000, kind: "abrupt".into() }
}

fn served() -> (Service, Arc<perennial::history::History>) {
    let app = app(air().0);
    let history = Arc::clone(&app.history);
    (Service::serving(app), history)
}

#[test]
fn what_happens_is_told_with_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, mut teacher, mut publisher) = air();
    let app = app(registry);
    let history = Arc::clone(&app.history);
    let mut recorder = recorder(&app, folder.path(), None, 0);
    let service = Service::serving(app);
    let mut stream = Stream::open(service.addr, "/api/stream?model=air", None);
    let mut all = Stream::open(service.addr, "/api/stream", None);
    history.tell_truth("price", truth(1));
    let mut snapshot = teacher.snapshot();
    snapshot.happenings = [happening(1, What::Followed)].into();
    publisher.publish(Served::following("air", snapshot, 1_000));
    recorder.look(21_000);
    history.tell_truth("air", Truth { at_ms: 21_001, ..truth(2) });

    let (id, event, data) = stream.next();
    assert_eq!((id, &*event), (21_000_000, "happening"));
    assert_eq!((&data["model"], &data["number"], &data["seen_ms"]), (&"air".into(), &1.into(), &21_000.into()));
    let (id, event, data) = stream.next();
    assert_eq!((id, &*event), (21_000_001, "sample"));
    assert_eq!((&data["model"], &data["at_ms"], &data["champion"]), (&"air".into(), &21_000.into(), &"mean".into()));
    let (_, event, data) = stream.next();
    assert_eq!((&*event, &data["at_event"]), ("truth", &2.into()));
    let (_, event, data) = all.next();
    assert_eq!((&*event, &data["model"]), ("truth", &"price".into()), "without a model it tells of all");
}

#[test]
fn who_comes_back_gets_what_was_missed() {
    let (service, history) = served();
    let mut stream = Stream::open(service.addr, "/api/stream?model=air", None);
    history.tell_truth("air", truth(1));
    let (last_id, _, _) = stream.next();
    drop(stream);
    (2..5).for_each(|event| history.tell_truth("air", truth(event)));
    let mut stream = Stream::open(service.addr, "/api/stream?model=air", Some(last_id));
    history.tell_truth("air", truth(5));
    let events: Vec<_> = (0..4).map(|_| stream.next().2["at_event"].as_u64().unwrap()).collect();
    assert_eq!(events, [2, 3, 4, 5]);
}

#[test]
fn who_comes_back_after_a_restart_gets_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let run = |now_ms: i64, happenings: u64| -> App {
        let (registry, mut teacher, mut publisher) = air();
        let mut snapshot = teacher.snapshot();
        snapshot.happenings = (1..=happenings).map(|number| happening(number, What::Followed)).collect();
        publisher.publish(Served::following("air", snapshot, 1_000));
        let app = app(registry);
        let mut recorder = recorder(&app, folder.path(), None, now_ms);
        recorder.look(now_ms);
        recorder.save(now_ms);
        app
    };
    drop(run(20_000, 1));
    drop(run(30_000, 2));
    let service = Service::serving(run(40_000, 2));
    // The last that the client knows is of the first process.
    let mut stream = Stream::open(service.addr, "/api/stream?model=air", Some(20_000_001));
    let told: Vec<_> = (0..3).map(|_| stream.next()).map(|(id, event, _)| (id, event)).collect();
    let expected = [(20_000_000, "happening"), (30_000_000, "happening"), (40_000_000, "sample")];
    assert_eq!(told, expected.map(|(id, event)| (id, event.to_owned())));
}

#[test]
fn a_slow_client_misses_nothing_that_is_kept() {
    let (service, history) = served();
    let mut stream = Stream::open(service.addr, "/api/stream?model=air", None);
    history.tell_truth("air", truth(0));
    assert_eq!(stream.next().2["at_event"], 0);
    // Far more at once than may wait for one client.
    (1..=1_500).for_each(|event| history.tell_truth("air", truth(event)));
    let events: Vec<_> = (0..1_500).map(|_| stream.next().2["at_event"].as_u64().unwrap()).collect();
    assert!(events.iter().copied().eq(1..=1_500), "{events:?}");
}

#[test]
fn the_shutdown_ends_streams_at_once() {
    let (mut service, _) = served();
    let mut stream = Stream::open(service.addr, "/api/stream", None);
    let began = Instant::now();
    service.begin_shutdown();
    let mut rest = String::new();
    stream.0.read_to_string(&mut rest).unwrap();
    service.join();
    // Requests under way would be given ten seconds.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[test]
fn there_are_so_many_streams_and_no_more() {
    let (service, _) = served();
    let mut open: Vec<_> = (0..64).map(|_| Stream::open(service.addr, "/api/stream", None)).collect();
    let client = service.client();
    let refused = client.get("/api/stream");
    assert_eq!((refused.status, &*refused.content_type), (503, "application/problem+json"));
    assert_eq!(client.get("/api/stream?model=none").status, 404);
    open.pop();
    let deadline = Instant::now() + Duration::from_secs(30);
    let head = || {
        let mut connection = TcpStream::connect(service.addr).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(connection, "GET /api/stream HTTP/1.0\r\nHost: x\r\n\r\n").unwrap();
        let mut line = String::new();
        BufReader::new(connection).read_line(&mut line).unwrap();
        line
    };
    while !head().contains(" 200 ") {
        assert!(Instant::now() < deadline, "one that has gone makes room for another");
        std::thread::yield_now();
    }
}
