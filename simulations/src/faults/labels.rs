//! Labels that come later, apart from their events: the event loses its target, and when the stream's time has passed
//! the event's by the delay, the label comes: `{"id","target","at"}`. The label of a duplicate does not come again.

use std::collections::BTreeMap;

use super::{Delivery, Fault};
use crate::event::Event;

/// A stream whose labels come apart. Holds the labels of the events of one delay.
pub(crate) struct Labels<I> {
    events: I,
    target: &'static str,
    delay_ms: i64,
    /// By the time at which they are due, and by the number of their event.
    waiting: BTreeMap<(i64, u64), Event>,
    /// The newest time of an event so far.
    now: i64,
    /// The event that comes after the labels which are due before it.
    next: Option<Delivery>,
    over: bool,
}

impl<I: Iterator<Item = Delivery>> Labels<I> {
    pub(crate) fn new(events: I, target: &'static str, delay_ms: i64) -> Self {
        Self { events, target, delay_ms, waiting: BTreeMap::new(), now: i64::MIN, next: None, over: false }
    }

    /// Takes the target out of an event, as a label of its own.
    fn split(&self, event: &mut Event) -> Event {
        let from = event.target_from(self.target);
        let value = &event.json[from + self.target.len() + 4..event.json.len() - 1];
        let (id, at_ms, key) = (event.id, event.at_ms + self.delay_ms, event.key.clone());
        let json = format!("{{\"id\":{id},\"target\":{value},\"at\":{at_ms}}}");
        event.json.replace_range(from.., "}");
        Event { id, at_ms, key, json }
    }
}

impl<I: Iterator<Item = Delivery>> Iterator for Labels<I> {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        if self.next.is_none() && !self.over {
            match self.events.next() {
                Some(mut delivery) => {
                    self.now = self.now.max(delivery.event.at_ms);
                    let label = self.split(&mut delivery.event);
                    if delivery.fault != Some(Fault::Duplicate) {
                        self.waiting.insert((label.at_ms, label.id), label);
                    }
                    self.next = Some(delivery);
                }
                None => self.over = true,
            }
        }
        // A label never comes before its own event: that is at most as old as now, and stands before it here.
        let own = self.next.as_ref().map(|delivery| delivery.event.id);
        let due =
            self.waiting.first_key_value().filter(|((at, id), _)| self.over || *at <= self.now && Some(*id) != own);
        if let Some((&key, _)) = due {
            let event = self.waiting.remove(&key).expect("it was just seen");
            return Some(Delivery { event, label: true, fault: None });
        }
        self.next.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Line;

    fn stream(delay_ms: i64) -> Vec<Delivery> {
        let event = |id: u64| Line::new(id, 100 * id as i64).number("x", 1.0).text("y", "no").end("k");
        let delivery = |(id, fault)| Delivery { event: event(id), label: false, fault };
        let ids = [(0, None), (1, None), (1, Some(Fault::Duplicate)), (2, None), (3, None)];
        Labels::new(ids.into_iter().map(delivery), "y", delay_ms).collect()
    }

    #[test]
    fn labels_come_when_they_are_due_and_once() {
        let order = |delay_ms| -> Vec<(bool, u64)> { stream(delay_ms).iter().map(|d| (d.label, d.event.id)).collect() };
        let (event, label) = (|id| (false, id), |id| (true, id));
        let expected = [event(0), event(1), event(1), label(0), event(2), label(1), event(3), label(2), label(3)];
        assert_eq!(order(150), expected);
        assert_eq!(order(0)[..3], [event(0), label(0), event(1)]);
        let first = stream(150);
        assert_eq!(first[0].event.json, r#"{"id":0,"at":0,"x":1}"#);
        assert_eq!(first[3].event.json, r#"{"id":0,"target":"no","at":150}"#);
        assert_eq!(first[3].event.key, "k");
    }
}
