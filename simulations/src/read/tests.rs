use super::*;

const GOOD: &str = "about = \"a\"\nconcept = \"sea\"\nspacing_ms = 1000\n";

fn error(more: &str) -> String {
    scenario("mine", &format!("{GOOD}{more}")).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn every_mistake_is_told_by_its_key() {
    let drift = |more: &str| format!("schedule.events = 100\n[[drifts]]\n{more}\n");
    let told = [
        ("speling = 1", "unknown field `speling`"),
        ("[faults]\nlates = 1", "unknown field `lates`"),
        ("[faults]\nlate = { share = 0.1 }", "missing field `by`"),
        ("concept = \"sea\"", "duplicate key"),
        (&drift("at = 5\nkind = \"sudden\"\nset = {}"), "unknown variant `sudden`"),
    ];
    for (more, expected) in told {
        let error = error(more);
        assert!(error.contains(expected), "{more}: {error}");
    }
    let golden = [
        ("parameters.threshhold = 9", "parameters.threshhold: there is no \"threshhold\" (there is: threshold, noise)"),
        ("parameters.noise = 0.6", "parameters.noise: expected 0 to 0.5, got 0.6"),
        ("parameters.noise = nan", "parameters.noise: expected 0 to 0.5, got NaN"),
        ("schedule.repeat = true", "schedule.events: expected how many events to repeat or to shrink, got nothing"),
        ("faults.late = { share = 2, by = 5 }", "faults.late.share: expected 0 to 1, got 2"),
        (
            "faults.bursts = { every = 10, events = 11, spacing_ms = 1 }",
            "faults.bursts.events: expected 1 to 10, got 11",
        ),
        ("faults.label_delay_ms = 1000000001", "faults.label_delay_ms: expected 0 to 1000000000, got 1000000001"),
        (
            &drift("at = 5\nkind = \"abrupt\"\nset = { noises = 1 }"),
            "drifts[0].set.noises: there is no \"noises\" (there is: threshold, noise)",
        ),
        (&drift("at = 0\nkind = \"abrupt\"\nset = { noise = 0 }"), "drifts[0].at: expected 1 to 99, got 0"),
        (
            &drift("at = 5\nkind = \"abrupt\"\nwidth = 5\nset = { noise = 0 }"),
            "drifts[0].width: expected nothing, for it takes no time, got 5",
        ),
        (
            &drift("at = 5\nkind = \"gradual\"\nset = { noise = 0 }"),
            "drifts[0].width: expected how many events it takes, got nothing",
        ),
        (&drift("at = 5\nkind = \"gradual\"\nwidth = 96\nset = { noise = 0 }"), "drifts[0].at: expected 1 to 4, got 5"),
        (
            &drift("at = 5\nkind = \"abrupt\"\nset = { threshold = 8 }"),
            "drifts[0].set: expected a change, got what held before",
        ),
        (
            &drift("at = 5\nkind = \"recurring\"\nset = { threshold = 9 }"),
            "drifts[0].kind: expected parameters that held before, got new ones, which recur to nothing",
        ),
    ];
    for (more, expected) in golden {
        assert_eq!(error(more), expected, "{more}");
    }
    let of = |concept: &str, more: &str| {
        let text = format!("{}{more}", GOOD.replace("sea", concept));
        scenario("mine", &text).map(|_| ()).unwrap_err().to_string()
    };
    assert!(of("see", "").starts_with("concept: there is no \"see\" (there is: agrawal, "));
    assert_eq!(of("stagger", "parameters.rule = 1.5"), "parameters.rule: expected a whole number, got 1.5");
    let moves = drift("at = 5\nkind = \"incremental\"\nwidth = 5\nset = { rule = 2 }");
    assert_eq!(of("stagger", &moves), "drifts[0].set.rule: expected a parameter that can move (noise), got rule");
    let fixed = drift("at = 5\nkind = \"abrupt\"\nset = { stations = 2 }");
    assert!(of("sensors", &fixed).starts_with("drifts[0].set.stations: expected a parameter that can move (controls,"));
}

#[test]
fn worlds_are_called_by_what_changes() {
    let drifts = "[[drifts]]\nat = 5\nkind = \"abrupt\"\nset = { threshold = 9 }\n\
        [[drifts]]\nat = 7\nkind = \"abrupt\"\nset = { noise = 0.2 }\nname = \"noisy\"\n\
        [[drifts]]\nat = 9\nkind = \"recurring\"\nset = { threshold = 8, noise = 0.1 }\n";
    let scenario = scenario("mine", &format!("{GOOD}schedule = {{ events = 10, repeat = true }}\n{drifts}")).unwrap();
    let names: Vec<_> = scenario.drifts(20).into_iter().map(|drift| drift.concept).collect();
    let back = "threshold = 8, noise = 0.1";
    assert_eq!(names, ["threshold = 9", "noisy", back, "threshold = 9", "noisy", back]);
}
