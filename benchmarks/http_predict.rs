//! What a model costs behind HTTP: our predict endpoint against a bare handler that parses the same body, validates it
//! against the same schema and answers a constant of the same shape. Both run in this process on a port of their own and
//! are driven in turn, closed loop, over kept-alive connections. Prints medians and the median ratio of the pairs; and,
//! steadier on a busy machine, what a request costs the server's own thread in CPU time (Linux).
//!
//! `cargo bench --bench http_predict [-- --rounds 15 --seconds 1 --connections 8]`

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use features::{EventSpec, EventTime, Fields, Limits, Observer, Record, Row, Schema, Task};
use fold::{Counts, LabelCounts, Live, ModelSnapshot};
use learners::{AnyLearner, Learner, LearnerSpec};
use perennial::live::{Served, live_model};
use perennial::metrics::Metrics;
use perennial::registry::Registry;
use perennial::serve::{App, serve};
use perennial::status::{ModelStatus, Phase};

const LEARNERS: &[&str] = &["majority", "linear", "hoeffding_tree"];
const EVENTS: usize = 20_000;

fn main() {
    let option = |name: &str, default: f64| {
        let mut args = std::env::args().skip_while(|arg| arg != name).skip(1);
        args.next().map_or(default, |text| text.parse().expect("a number"))
    };
    let rounds = option("--rounds", 15.0) as usize;
    let length = Duration::from_secs_f64(option("--seconds", 1.0));
    let connections = option("--connections", 8.0) as usize;

    println!("median of {rounds} pairs: requests/s of the bare handler and of ours; µs of server CPU a request");
    println!("learner            bare/s    ours/s  ours/bare | bare µs  ours µs  bare/ours");
    for learner in LEARNERS {
        let Some(served) = learned(learner) else {
            println!("{learner:<16} is not in the catalog");
            continue;
        };
        let schema = Arc::clone(&served.model.schema);
        let model =
            start("ours", move |listener| async move { serve(listener, app(served), std::future::pending()).await });
        let bare = start("bare", move |listener| async move {
            let router = Router::new().route("/v1/models/{*rest}", post(constant)).with_state(schema);
            let listener = listener.tap_io(|io| drop(io.set_nodelay(true)));
            axum::serve(listener, router).await
        });
        let mut pairs = Vec::new();
        for round in 0..=rounds {
            // Each goes first in every other pair; the first pair warms up.
            let pair = if round % 2 == 0 {
                let bare = drive(&bare, connections, length);
                (bare, drive(&model, connections, length))
            } else {
                let model = drive(&model, connections, length);
                (drive(&bare, connections, length), model)
            };
            if round > 0 {
                pairs.push(pair);
            }
        }
        let of = |figure: fn(&(Run, Run)) -> f64| median(pairs.iter().map(figure).collect());
        println!(
            "{learner:<16} {:>8.0}  {:>8.0}  {:>9.3} | {:>7.1}  {:>7.1}  {:>9.3}",
            of(|(bare, _)| bare.rate),
            of(|(_, model)| model.rate),
            of(|(bare, model)| model.rate / bare.rate),
            of(|(bare, _)| bare.cpu_us),
            of(|(_, model)| model.cpu_us),
            of(|(bare, model)| bare.cpu_us / model.cpu_us),
        );
    }
}

/// A server and the name of its worker thread.
struct Server {
    addr: SocketAddr,
    thread: String,
}

/// What one round measured.
struct Run {
    /// Requests per second.
    rate: f64,
    /// Microseconds of the server's CPU time a request.
    cpu_us: f64,
}

fn median(mut xs: Vec<f64>) -> f64 {
    xs.sort_by(f64::total_cmp);
    xs[xs.len() / 2]
}

/// Starts a server on one worker thread.
fn start<F, R>(name: &str, run: F) -> Server
where
    F: FnOnce(tokio::net::TcpListener) -> R + Send + 'static,
    R: Future<Output = std::io::Result<()>>,
{
    static SERVERS: AtomicUsize = AtomicUsize::new(0);
    let thread = format!("{name}-{}", SERVERS.fetch_add(1, Ordering::Relaxed));
    let (ready, addr) = std::sync::mpsc::channel();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).thread_name(&thread).enable_all().build();
    std::thread::spawn(move || {
        runtime.expect("a runtime starts").block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            ready.send(listener.local_addr().expect("it is bound")).expect("somebody waits");
            run(listener).await.expect("the server runs");
        });
    });
    Server { addr: addr.recv().expect("the server starts"), thread }
}

/// Nanoseconds of CPU that threads of this name have used; 0 where that cannot be known.
fn cpu_ns(thread: &str) -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let used = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let used = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        (name.trim_end() == thread).then(|| used.split(' ').next()?.parse::<f64>().ok()).flatten()
    };
    tasks.filter_map(|task| used(task.ok()?)).sum()
}

/// Asks over `connections`, each asking again as soon as it was answered.
fn drive(server: &Server, connections: usize, length: Duration) -> Run {
    let body = r#"{"instances":[{"date":0.425,"day":"2","period":0.5,"price":0.0642,"demand":0.4391,"vicprice":0.0035,"vicdemand":0.4229,"transfer":0.4149}]}"#;
    let request = format!(
        "POST /v1/models/m:predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let stop = AtomicBool::new(false);
    let (begun, cpu_before) = (Instant::now(), cpu_ns(&server.thread));
    let answered: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = TcpStream::connect(server.addr).expect("the server listens");
                    connection.set_nodelay(true).expect("TCP");
                    let mut buffer = vec![0; 4096];
                    let mut answered = 0;
                    while !stop.load(Ordering::Relaxed) {
                        connection.write_all(request.as_bytes()).expect("the server reads");
                        read_reply(&mut connection, &mut buffer);
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        std::thread::sleep(length);
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().expect("a client ends")).sum()
    });
    Run {
        rate: answered as f64 / begun.elapsed().as_secs_f64(),
        cpu_us: (cpu_ns(&server.thread) - cpu_before) / 1e3 / answered as f64,
    }
}

fn read_reply(connection: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let n = connection.read(&mut buffer[filled..]).expect("the server answers");
        assert!(n > 0, "the server closed the connection");
        filled += n;
        let text = &buffer[..filled];
        let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&text[..end]).expect("headers are text");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        if filled == end + 4 + length.parse::<usize>().expect("a number") {
            return;
        }
    }
}

/// The same work without a model.
async fn constant(State(schema): State<Arc<Schema>>, body: Bytes) -> Response {
    let value: serde_json::Value = match serde_json::from_slice(&body) {
        Ok(value) => value,
        Err(e) => return (StatusCode::BAD_REQUEST, e.to_string()).into_response(),
    };
    let Some(instances) = value["instances"].as_array() else { return StatusCode::BAD_REQUEST.into_response() };
    let (mut fields, mut row, mut out) = (Fields::default(), Vec::new(), Vec::with_capacity(128));
    out.extend_from_slice(b"{\"predictions\":[");
    for instance in instances {
        if fields.read_value(instance).is_err() || schema.encode_fields(&fields, &mut row).is_err() {
            return StatusCode::BAD_REQUEST.into_response();
        }
        out.extend_from_slice(b"{\"label\":\"UP\",\"probabilities\":");
        serde_json::to_writer(&mut out, &[0.6666666666666666, 0.3333333333333333]).expect("a Vec grows");
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    ([(header::CONTENT_TYPE, "application/json")], out).into_response()
}

fn app(served: Served) -> Arc<App> {
    let registry = Registry::default();
    let (_publisher, live) = live_model(Some(served));
    let status = Arc::new(ModelStatus::new(vec!["m".into()], "adwin"));
    status.set_phase(Phase::Live);
    registry.insert("m", live, status, perennial::control::control().0);
    Arc::new(App {
        registry,
        metrics: Arc::new(Metrics::default()),
        max_body: 16 << 20,
        token: None,
        history: Default::default(),
        streams: Default::default(),
        outlets: perennial::serve::outlets::Outlets::default(),
    })
}

/// A model of the shape of the Electricity stream: seven numbers, one nominal, two classes.
fn learned(learner: &str) -> Option<Served> {
    let spec: LearnerSpec = learner.parse().ok()?;
    let mut model = AnyLearner::build(&spec, Task::Classification, 1, 64 << 20).ok()?;
    let event = EventSpec {
        task: Task::Classification,
        target: "class".into(),
        label: features::LabelSource::Event,
        time: None,
        entity: None,
        id: None,
        features: vec![],
        nominal: vec![],
        ignore: vec![],
        limits: Limits::default(),
    };
    let mut schema = Arc::new(Schema::new(Arc::new(event)));
    let (mut observer, mut row) = (Observer::default(), Vec::new());
    for i in 0..EVENTS {
        // Fractions of multiples of irrational numbers: evenly spread, the same every time.
        let part = |step: f64| (i as f64 * step).fract();
        let (price, demand) = (part(0.618_033_988_7), part(0.414_213_562_3));
        let label = if price + 0.5 * demand > 0.7 { "UP" } else { "DOWN" };
        let event = format!(
            r#"{{"date":{},"day":"{}","period":{},"price":{price},"demand":{demand},"vicprice":{},"vicdemand":{},"transfer":{},"class":"{label}"}}"#,
            i as f64 / EVENTS as f64,
            i / 48 % 7 + 1,
            part(1.0 / 48.0),
            part(0.732_050_807_5),
            part(0.236_067_977_4),
            part(0.645_751_311_0),
        );
        let record = Record { payload: Some(event.into()), ..Record::default() };
        let seen = Schema::observe(&mut schema, &mut observer, &record, &mut row).expect("a good event");
        if seen.grown {
            model.grow(&schema.kinds());
        }
        model.learn(
            &Row { values: &row, at: seen.at, entity: seen.entity },
            seen.target.expect("a label in every event"),
            1.0,
        );
    }
    let snapshot = ModelSnapshot {
        happenings: [].into(),
        served: None,
        live: Live::Follow,
        labels: LabelCounts::default(),
        version: EVENTS as u64,
        learner: spec.to_string(),
        schema,
        model: model.freeze(),
        standings: vec![],
        position: Default::default(),
        counts: Counts { events: EVENTS as u64, ..Counts::default() },
        last_event: EventTime(0),
    };
    Some(Served::following("m", snapshot, 0))
}
