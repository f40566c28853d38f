//! What is sent about an incident.

use fold::What;
use serde_json::json;

use crate::history::HappeningSeen;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Equal for equal messages, also after a restart: `model/version`.
    pub key: String,
    /// JSON.
    pub body: String,
}

/// What is to be said about the last of a model's happenings; most need no word. `page`: where the dashboard is.
pub(super) fn message(model: &str, page: &str, happenings: &[HappeningSeen]) -> Option<Message> {
    let (last, before) = happenings.split_last()?;
    let (drift, how) = match &last.happening.what {
        What::Drift { .. } => (last, None),
        What::DriftOver { end, .. } => (open(before)?, Some(format!("It ended: {end:?}.").to_lowercase())),
        What::Promotion { to, .. } => (open(before)?, Some(format!("{to} was promoted."))),
        _ => return None,
    };
    let What::Drift { learner, incident } = &drift.happening.what else { return None };
    let labels = json!({ "alertname": "ModelDrift", "model": model, "severity": "warning" });
    let rise = format!("from {:.3} to {:.3}", incident.before, incident.after);
    let what = format!(
        "The loss of {learner} (0..1) rose {rise}, {} events before it was noticed, at event {} (version {}).",
        incident.at.saturating_sub(incident.onset),
        drift.happening.events,
        drift.happening.version,
    );
    let annotations = json!({
        "summary": format!("{model}: the model's loss has risen {rise}"),
        "description": how.iter().fold(what, |what, how| format!("{what} {how}")),
    });
    let status = if how.is_none() { "firing" } else { "resolved" };
    let body = json!({
        "version": "4",
        "groupKey": format!("{{}}:{{alertname=\"ModelDrift\", model=\"{model}\"}}"),
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "perennial",
        "groupLabels": { "alertname": "ModelDrift", "model": model },
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": page,
        "alerts": [{
            "status": status,
            "labels": labels,
            "annotations": annotations,
            "startsAt": time(drift.seen_ms),
            // As Alertmanager writes "not yet".
            "endsAt": how.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |_| time(last.seen_ms)),
            "generatorURL": format!("{page}#model={model}&at={}", drift.seen_ms),
            "fingerprint": &blake3::hash(labels.to_string().as_bytes()).to_hex()[..16],
        }],
    });
    Some(Message { key: format!("{model}/{}", last.happening.version), body: body.to_string() })
}

/// The drift that has not ended yet.
fn open(happenings: &[HappeningSeen]) -> Option<&HappeningSeen> {
    let of_a_drift = |what: &What| matches!(what, What::Drift { .. } | What::DriftOver { .. } | What::Promotion { .. });
    let latest = happenings.iter().rev().find(|seen| of_a_drift(&seen.happening.what))?;
    matches!(latest.happening.what, What::Drift { .. }).then_some(latest)
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fold::Happening;
    use learners::{Incident, IncidentEnd};

    fn seen(number: u64, what: What) -> HappeningSeen {
        let at = features::EventTime(5);
        let happening = Happening { number, version: 1_000 * number, events: 990 * number, at, what };
        HappeningSeen { happening, seen_ms: 1_764_000_000_000 + 1_000 * number as i64 }
    }

    fn drift() -> What {
        let incident =
            Incident { number: 1, at: 1_200, onset: 1_000, before: 0.125, after: 0.375, escalations: 0, end: None };
        What::Drift { learner: "linear".into(), incident }
    }

    fn over() -> What {
        What::DriftOver { learner: "linear".into(), end: IncidentEnd::Rebaselined, lasted: 9 }
    }

    fn promotion() -> What {
        What::Promotion { from: "linear".into(), to: "linear#2".into(), evidence: None }
    }

    fn of(happenings: &[What]) -> Option<(String, serde_json::Value)> {
        let seen: Vec<_> = happenings.iter().enumerate().map(|(i, what)| seen(i as u64 + 1, what.clone())).collect();
        let message = message("air", "http://127.0.0.1:8501/", &seen)?;
        Some((message.key, serde_json::from_str(&message.body).unwrap()))
    }

    #[test]
    fn a_drift_opens_an_incident_in_the_shape_of_alertmanager() {
        let (key, body) = of(&[drift()]).unwrap();
        assert_eq!(key, "air/1000");
        let labels = json!({ "alertname": "ModelDrift", "model": "air", "severity": "warning" });
        let annotations = json!({
            "summary": "air: the model's loss has risen from 0.125 to 0.375",
            "description": "The loss of linear (0..1) rose from 0.125 to 0.375, 200 events before it was noticed, at event 990 (version 1000).",
        });
        let golden = json!({
            "version": "4",
            "groupKey": "{}:{alertname=\"ModelDrift\", model=\"air\"}",
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "perennial",
            "groupLabels": { "alertname": "ModelDrift", "model": "air" },
            "commonLabels": labels,
            "commonAnnotations": annotations,
            "externalURL": "http://127.0.0.1:8501/",
            "alerts": [{
                "status": "firing",
                "labels": labels,
                "annotations": annotations,
                "startsAt": "2025-11-24T16:00:01Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://127.0.0.1:8501/#model=air&at=1764000001000",
                "fingerprint": body["alerts"][0]["fingerprint"],
            }],
        });
        assert_eq!(body, golden);
        assert_eq!(body["alerts"][0]["fingerprint"].as_str().unwrap().len(), 16);
    }

    #[test]
    fn its_end_resolves_it_and_links_to_its_beginning() {
        let (_, firing) = of(&[drift()]).unwrap();
        let challenger = What::Challenger { learner: "linear#2".into() };
        for (end, how) in [(over(), "it ended: rebaselined."), (promotion(), "linear#2 was promoted.")] {
            let (key, body) = of(&[drift(), challenger.clone(), end]).unwrap();
            assert_eq!((&*key, &body["status"]), ("air/3000", &json!("resolved")));
            let (alert, opened) = (&body["alerts"][0], &firing["alerts"][0]);
            for same in ["labels", "startsAt", "generatorURL", "fingerprint"] {
                assert_eq!(alert[same], opened[same]);
            }
            assert_eq!(alert["endsAt"], "2025-11-24T16:00:03Z");
            assert!(alert["annotations"]["description"].as_str().unwrap().ends_with(how), "{alert}");
        }
    }

    #[test]
    fn nothing_else_is_told() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[drift(), What::Challenger { learner: "x".into() }]), None);
        assert_eq!(of(&[What::Warning { learner: "x".into() }]), None);
        assert_eq!(of(&[promotion()]), None, "by hand, without a drift");
        assert_eq!(of(&[over()]), None, "its drift is not known any more");
        assert_eq!(of(&[drift(), over(), promotion()]), None, "resolved already");
    }
}
