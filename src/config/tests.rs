//! What a configuration file means, and what is said about a wrong one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use features::{LabelSource, Start, Task};
use fold::{Horizon, Labels};

use super::*;

const MINIMAL: &str = "version = 1\n[models.air]\ntopics = [\"air\"]\ntask = \"regression\"\ntarget = \"co\"\n";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn errors(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let errors = Config::parse(text, &env(pairs)).expect_err("it is wrong");
    let shown = ConfigErrors { path: "f".into(), errors }.to_string();
    shown.lines().skip(1).map(str::to_owned).collect()
}

fn with(line: &str) -> String {
    format!("{MINIMAL}{line}\n")
}

#[test]
fn the_shipped_file_says_the_defaults() {
    let shipped = Config::load(&file("config/perennial.toml"), &env(&[])).unwrap();
    let model = ModelConfig::new("air", vec!["air-quality".into()], Task::Regression, "co");
    assert_eq!(shipped, Config { runtime: RuntimeConfig::default(), models: vec![model] });
}

#[test]
fn the_shipped_file_names_every_option_and_its_commented_lines_work() {
    let text = std::fs::read_to_string(file("config/perennial.toml")).unwrap();
    let text: String = text
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line).to_owned() + "\n")
        .collect();
    let config = Config::parse(&text, &env(&[])).unwrap();
    assert_eq!(config.models[0].fold.event.entity.as_deref(), Some("station"));
    let all = walk::names(KEYS)
        .chain(walk::names(kafka::KEYS))
        .chain(walk::names(http::KEYS))
        .chain(walk::names(log::KEYS))
        .chain(walk::names(model::KEYS))
        .chain(walk::names(dead_letters::KEYS))
        .chain(walk::names(labels::KEYS))
        .chain(walk::names(limits::KEYS))
        .chain(walk::names(decay::KEYS))
        .chain(walk::names(alerts::KEYS))
        .chain(walk::names(sinks::SCORES));
    for name in all {
        assert!(
            text.contains(&format!("\n{name} = ")) || text.contains(&format!("{name}]")) || name == "models",
            "{name}"
        );
    }
}

#[test]
fn a_minimal_file_is_enough() {
    let config = Config::parse(MINIMAL, &env(&[])).unwrap();
    assert_eq!(config.models, [ModelConfig::new("air", vec!["air".into()], Task::Regression, "co")]);
}

#[test]
fn every_error_is_told_at_once_with_its_place() {
    let path = "tests/golden/config_errors.toml";
    let errors = Config::load(&file(path), &env(&[])).expect_err("it has five errors");
    let shown = ConfigErrors { path: path.into(), ..errors }.to_string() + "\n";
    let golden = file("tests/golden/config_errors.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &shown).unwrap();
    }
    assert_eq!(shown, std::fs::read_to_string(&golden).unwrap(), "BLESS=1 writes the golden file anew");
}

#[test]
fn the_environment_overrides_the_file() {
    let text = "version = 1\n[http]\nlisten = \"127.0.0.1:1\"\n[models.air-1]\ntopics = [\"a\"]\ntask = \"regression\"\ntarget = \"co\"\n";
    let set = env(&[
        ("PERENNIAL_KAFKA__BROKERS", "b:1,c:2"),
        ("PERENNIAL_KAFKA__OPTIONS", "{ \"client.id\" = \"x\" }"),
        ("PERENNIAL_HTTP__LISTEN", "127.0.0.1:2"),
        ("PERENNIAL_STATE_DIR", "/tmp/s"),
        ("PERENNIAL_MODELS__AIR_1__SEED", "7"),
        ("PERENNIAL_MODELS__AIR_1__TOPICS", "x, y"),
        ("PERENNIAL_MODELS__AIR_1__NOMINAL", "[\"p\"]"),
        ("PERENNIAL_MODELS__AIR_1__CHECKPOINT_EVERY", "1000 events"),
        ("PERENNIAL_MODELS__AIR_1__DEAD_LETTERS__STOP_PARTITION_AT__SHARE", "0.25"),
        ("PERENNIAL_PORT", "tcp://10.0.0.1:8501"),
    ]);
    let config = Config::parse(text, &set).unwrap();
    assert_eq!(config.runtime.kafka.brokers, "b:1,c:2");
    assert_eq!(config.runtime.kafka.options, [("client.id".to_owned(), "x".to_owned())]);
    assert_eq!(config.runtime.http.listen.port(), 2);
    assert_eq!(config.runtime.state_dir, PathBuf::from("/tmp/s"));
    let model = &config.models[0];
    assert_eq!((model.fold.seed, &model.fold.topics[..]), (7, &["x".to_owned(), "y".to_owned()][..]));
    assert_eq!(model.fold.event.nominal, ["p"]);
    assert_eq!(model.runtime.checkpoint_every, Every::Events(1_000));
    assert_eq!(model.runtime.dead_letters.stop_partition_at.share, 0.25);
}

#[test]
fn errors_in_the_environment_name_the_variable() {
    assert_eq!(
        errors(
            MINIMAL,
            &[("PERENNIAL_HTTP__LISTEN", "x"), ("PERENNIAL_STATEDIR", "x"), ("PERENNIAL_MODELS__AIRR__SEED", "1")]
        ),
        [
            "environment variable PERENNIAL_HTTP__LISTEN: http.listen: expected an address and port like \"127.0.0.1:8501\", got \"x\"",
            "environment variable PERENNIAL_MODELS__AIRR__SEED: the file has no model \"airr\"; did you mean \"air\"?",
            "environment variable PERENNIAL_STATEDIR: unknown; did you mean \"PERENNIAL_STATE_DIR\"?",
        ]
    );
    assert_eq!(
        errors(MINIMAL, &[("PERENNIAL_MODELS__AIR__SED", "1")]),
        ["environment variable PERENNIAL_MODELS__AIR__SED: models.air.sed: unknown key; did you mean \"seed\"?"]
    );
}

#[test]
fn texts_are_filled_in_after_parsing() {
    let text = with("[kafka]\nbrokers = \"${HOST:-localhost}:9092\"");
    let config = Config::parse(&text, &env(&[("HOST", "x\"\nseed = 9")])).unwrap();
    assert_eq!(config.runtime.kafka.brokers, "x\"\nseed = 9:9092", "a variable cannot add options");
    assert_eq!(
        errors(&with("[http]\nlisten = \"${ADDRESS:?where to listen}\""), &[]),
        ["f:7:10: http.listen: environment variable ADDRESS is not set: where to listen"]
    );
}

#[test]
fn what_is_still_to_come_is_not_accepted_silently() {
    let errors = errors(&with("[grpc]\nlisten = \"127.0.0.1:8500\""), &[]);
    assert!(errors.len() == 1 && errors[0].starts_with("f:6:2: grpc: not available in this release"), "{errors:?}");
}

#[test]
fn wrong_values_are_refused_with_what_was_expected() {
    for (line, message) in [
        (
            "[alerts]\nwebhook = \"alerts:9093\"",
            "f:7:11: alerts.webhook: expected a URL like \"https://alerts.example/hook\", got \"alerts:9093\"",
        ),
        (
            "[http]\npublic_url = \"https:///x\"",
            "f:7:14: http.public_url: expected a URL like \"https://models.example/\", got \"https:///x\"",
        ),
        ("seed = -1", "f:6:8: models.air.seed: expected a whole number from 0 to 9223372036854775807, got -1"),
        (
            "max_bytes = \"1KiB\"",
            "f:6:13: models.air.max_bytes: expected a size from 64KiB to 1024GiB, like \"64MiB\", got \"1KiB\"",
        ),
        ("keep = { last = 2 }", "f:6:17: models.air.keep.last: expected a whole number from 3 to 10000, got 2"),
        ("keep = 3", "f:6:8: models.air.keep: expected a table, got 3"),
        ("nominal = [\"a\", \"a\"]", "f:6:17: models.air.nominal[1]: \"a\" twice"),
        ("features = [\"co\"]", "f:6:12: models.air.features: \"co\" is the target"),
        ("features = [\"a\"]\nignore = [\"a\"]", "f:7:10: models.air.ignore: \"a\" is one of the features"),
        ("challengers = [\"mean\", 3]", "f:6:24: models.air.challengers[1]: expected a text, got 3"),
        (
            "challengers = [\"mean\", \"majority\"]",
            "f:6:24: models.air.challengers[1]: majority does not do regression; these do: ",
        ),
        ("learner = \"mean:x=1\"", "f:6:11: models.air.learner: mean has no parameter \"x\"; it has: seed, max_bytes"),
        (
            "learner = \"mean\"\nchallengers = [\"mean\"]",
            "f:7:16: models.air.challengers[0]: \"mean\" is the learner already",
        ),
        (
            "start = \"erliest\"",
            "f:6:9: models.air.start: expected \"earliest\" or \"latest\", got \"erliest\"; did you mean \"earliest\"? (or a time like",
        ),
        (
            "publish_every = \"0 events\"",
            "f:6:17: models.air.publish_every: expected a time of at least 1ms like \"10s\", or \"1000 events\", got \"0 events\"",
        ),
        (
            "[log]\nlevel = \"inof\"",
            "f:7:9: log.level: expected off, error, warn, info, debug, trace, or directives like \"info,perennial=debug\", got \"inof\"; did you mean \"info\"?",
        ),
        (
            "[kafka.options]\n\"sasl.password\" = \"p\"",
            "f:7:1: kafka.options.sasl.password: a secret does not stand in the configuration",
        ),
        (
            "[kafka.options]\n\"group.id\" = \"p\"",
            "f:7:1: kafka.options.group.id: set by perennial itself; leave it out",
        ),
        ("[http]\ntoken_file = \"/no/such/file\"", "f:7:14: http.token_file: cannot read \"/no/such/file\""),
        (
            "[models.Air]\ntopics = [\"a\"]\ntask = \"regression\"\ntarget = \"x\"",
            "f:6:9: models.Air: a model's name has 1 to 100 of the characters",
        ),
        (
            "[models.air.scores]\nevery = \"10s\"",
            "f:7:9: models.air.scores.every: expected \"1000 events\" or the like, got \"10s\"",
        ),
        (
            "[models.air.predictions]\ntopic = \"air\"",
            "f:7:9: models.air.predictions.topic: \"air\" is a topic that model \"air\" learns from",
        ),
        (
            "[models.air.dead_letters]\ntopic = \"air\"",
            "f:7:9: models.air.dead_letters.topic: \"air\" is a topic that model \"air\" learns from",
        ),
        (
            "horizon = \"soon\"",
            "f:6:11: models.air.horizon: expected \"0\", a time up to 3660d like \"1h\", or up to 1_000_000 events like \"10 events\", got \"soon\"",
        ),
        ("horizon = \"0 events\"", "f:6:11: models.air.horizon: expected \"0\", a time up to 3660d"),
        (
            "horizon = \"1h\"\n[models.air.labels]\ntopic = \"l\"",
            "f:8:9: models.air.labels.topic: a horizon takes labels from later events, a labels topic from a topic: use one of them",
        ),
        (
            "[models.air.labels]\ntopic = \"air\"",
            "f:7:9: models.air.labels.topic: \"air\" is one of the topics of events",
        ),
        (
            "horizon = \"1h\"\nlabels = { wait = { at_most = \"30m\" } }",
            "f:7:31: models.air.labels.wait.at_most: \"30m\" is not longer than the horizon",
        ),
        (
            "labels = { topic = \"l\", wait = { at_most = \"1 event\" } }",
            "f:6:44: models.air.labels.wait.at_most: expected a time from 1s to 3660d, like \"1d\", got \"1 event\"",
        ),
        (
            "horizon = \"10 events\"\nlabels = { wait = { rows = 10 } }",
            "f:7:19: models.air.labels.wait: 10 rows cannot wait for 10 events",
        ),
        (
            "labels = { topic = \"l\", wait = { bytes = \"1KiB\" } }",
            "f:6:42: models.air.labels.wait.bytes: expected a size from 1MiB to 1024GiB",
        ),
        ("labels = { topic = \"l\" }\nfeatures = [\"co\"]", "f:7:12: models.air.features: \"co\" is the target"),
        (
            "labels = { topic = \"l\" }\nrequests = { topic = \"l\" }",
            "f:7:22: models.air.requests.topic: \"l\" is a topic that model \"air\" learns from",
        ),
        (
            "requests = { topic = \"air-dead-letters\" }",
            "f:6:22: models.air.requests.topic: \"air-dead-letters\" holds the dead letters of model \"air\" already",
        ),
        (
            "[models.air.limits]\nclasses = 1",
            "f:7:11: models.air.limits.classes: expected a whole number from 2 to 65536, got 1",
        ),
        (
            "[models.air.limits]\ntext = 8",
            "f:7:8: models.air.limits.text: expected a whole number from 16 to 65536, got 8",
        ),
        (
            "[models.air.limits]\ndepth = 0",
            "f:7:9: models.air.limits.depth: expected a whole number from 1 to 100, got 0",
        ),
    ] {
        let errors = errors(&with(line), &[]);
        assert!(errors.len() == 1 && errors[0].starts_with(message), "{line}:\n{message}\n{errors:#?}");
    }
}

#[test]
fn labels_that_come_later_are_waited_for() {
    let read = |lines: &str| Config::parse(&with(lines), &env(&[])).unwrap().models.remove(0);
    let now = read("labels = { wait = { rows = 7 } }").fold;
    assert_eq!((now.horizon, now.labels), (Horizon::Now, None), "nothing waits");

    let later = read("horizon = \"30m\"\nfeatures = [\"co\", \"t\"]").fold;
    assert_eq!((later.horizon, later.event.label), (Horizon::Ms(1_800_000), LabelSource::Later));
    assert_eq!((later.labels, later.topics.len()), (Some(Labels::default()), 1));
    let longer = read("horizon = \"2d\"").fold.labels.unwrap();
    assert_eq!(longer.at_most_ms, 4 * 86_400_000, "twice as long");
    assert_eq!(read("horizon = \"10 events\"").fold.horizon, Horizon::Events(10));

    let wait = "wait = { at_most = \"2h\", rows = 5_000, bytes = \"64MiB\" }";
    let model = read(&format!("[models.air.labels]\ntopic = \"l\"\n{wait}\n[models.air.requests]\ntopic = \"r\""));
    assert_eq!(model.fold.topics, ["air", "l", "r"]);
    assert_eq!(model.fold.labels_topic(), Some(features::TopicId(1)));
    assert_eq!(model.fold.event.label, LabelSource::Topic);
    let labels = Labels { topic: "l".into(), at_most_ms: 7_200_000, rows: 5_000, bytes: 64 << 20 };
    assert_eq!(model.fold.labels, Some(labels));
    assert_eq!(model.runtime.requests.as_deref(), Some("r"));
    assert_eq!(read("requests = { topic = \"\" }").runtime.requests, None);
}

#[test]
fn two_models_do_not_share_dead_letters() {
    let model = |name| {
        format!(
            "[models.{name}]\ntopics = [\"t\"]\ntask = \"regression\"\ntarget = \"x\"\ndead_letters = {{ topic = \"d\" }}\n"
        )
    };
    let text = format!("version = 1\n{}{}", model("a"), model("b"));
    assert_eq!(
        errors(&text, &[]),
        ["f:11:26: models.b.dead_letters.topic: \"d\" holds the dead letters of model \"a\" already"]
    );
}

#[test]
fn what_is_missing_is_said() {
    assert_eq!(errors("version = 1\n", &[]), ["f: models: missing; add one like [models.air]"]);
    assert_eq!(
        errors("[models.air]\n", &[]),
        [
            "f:1:9: models.air.target: missing; name the field of the event to predict",
            "f:1:9: models.air.task: missing; \"regression\" or \"classification\"",
            "f:1:9: models.air.topics: missing; name the topics to learn from",
            "f: version: missing; write version = 1",
        ]
    );
    assert_eq!(errors("version = 2\n", &[])[0], "f:1:11: version: expected 1, got 2");
    let unreadable =
        Config::load(Path::new("/no/such.toml"), &env(&[])).expect_err("there is no such file").to_string();
    assert!(unreadable.contains("/no/such.toml: cannot be read"), "{unreadable}");
}

#[test]
fn a_syntax_error_has_a_place() {
    assert!(
        errors("version = 1\n[kafka\n", &[])[0].starts_with("f:2:7: "),
        "{:?}",
        errors("version = 1\n[kafka\n", &[])
    );
}

#[test]
fn times_and_secrets_are_read() {
    let start = |line: &str| Config::parse(&with(line), &env(&[])).unwrap().models[0].fold.start;
    assert_eq!(start("start = \"latest\""), Start::Latest);
    assert_eq!(start("start = \"2026-01-31T00:00:00Z\""), Start::Time(1_769_817_600_000));
    assert_eq!(start("start = 2026-01-31T00:00:00Z"), Start::Time(1_769_817_600_000));
    assert_eq!(start("start = 1769817600000"), Start::Time(1_769_817_600_000));

    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "hunter2\n").unwrap();
    let path = secret.path().display();
    let text = with(&format!("[kafka.options]\nsecurity.protocol = \"SASL_SSL\"\n\"sasl.password_file\" = \"{path}\""));
    let kafka = Config::parse(&text, &env(&[])).unwrap().runtime.kafka;
    let options: Vec<_> = kafka.options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(options, [("sasl.password", "hunter2"), ("security.protocol", "SASL_SSL")], "names need no quotes");
    assert!(!format!("{kafka:?}").contains("hunter2"), "nothing secret in a log");
    let text = with(&format!("[http]\ntoken_file = \"{path}\""));
    let http = Config::parse(&text, &env(&[])).unwrap().runtime.http;
    assert_eq!(http.token().unwrap().as_deref(), Some("hunter2"));
    std::fs::write(secret.path(), " \n").unwrap();
    assert!(errors(&text, &[])[0].ends_with("it is empty"));
    assert_eq!(Every::Time(Duration::from_secs(10)).to_string(), "10s");
}
