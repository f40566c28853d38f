//! What the endpoints send to Kafka: labels that somebody posts, and predictions that are to be remembered. No request
//! waits for Kafka unless it asks whether Kafka has it.

mod labels;
mod requests;

use std::collections::BTreeMap;

use crate::config::{KafkaConfig, ModelConfig};

pub use labels::{LabelOutlet, NotPosted};
pub use requests::{RequestOutlet, ServedPrediction};

/// One model's.
#[derive(Debug, Default)]
pub struct Outlet {
    /// Where posted labels go, if its labels come on a topic.
    pub labels: Option<LabelOutlet>,
    /// Where predictions served to requests with an id are remembered, if they are.
    pub requests: Option<RequestOutlet>,
}

/// Those of all models, by name. Nothing is started before it is needed.
#[derive(Debug, Default)]
pub struct Outlets(BTreeMap<String, Outlet>);

impl Outlets {
    /// As the models' configurations say.
    pub fn new(models: &[ModelConfig], kafka: &KafkaConfig) -> Self {
        let outlet = |model: &ModelConfig| {
            let labels = model.fold.labels.as_ref().filter(|labels| !labels.topic.is_empty());
            let event = &model.fold.event;
            let labels = labels.map(|labels| LabelOutlet::new(event.task, event.limits.text, &labels.topic, kafka));
            let requests = model.runtime.requests.as_deref().map(|topic| RequestOutlet::new(topic, kafka));
            (model.name.clone(), Outlet { labels, requests })
        };
        Self(models.iter().map(outlet).collect())
    }

    /// Gives a model its outlet.
    pub fn insert(&mut self, model: &str, outlet: Outlet) {
        self.0.insert(model.to_owned(), outlet);
    }

    /// Where this model's posted labels go.
    pub fn labels(&self, model: &str) -> Option<&LabelOutlet> {
        self.0.get(model)?.labels.as_ref()
    }

    /// Where this model's served predictions are remembered.
    pub fn requests(&self, model: &str) -> Option<&RequestOutlet> {
        self.0.get(model)?.requests.as_ref()
    }
}
