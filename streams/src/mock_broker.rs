//! A broker inside the process, for the demo and for tests. It keeps everything in memory, drops the oldest records
//! beyond 5 MiB a partition, and knows neither compaction nor look-up by time: it proves nothing about durability.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::SourceError;

/// Speaks Kafka's protocol on a port of 127.0.0.1 until it is dropped; other processes can connect.
pub struct MockBroker {
    /// What clients connect to.
    pub bootstrap: String,
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl MockBroker {
    /// Starts one broker with these topics: name and number of partitions.
    ///
    /// # Errors
    /// No port, or a topic's name or number of partitions is impossible.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, SourceError> {
        let kafka = |e: rdkafka::error::KafkaError| SourceError::Kafka(e.to_string());
        let cluster = MockCluster::new(1).map_err(kafka)?;
        let broker = Self { bootstrap: cluster.bootstrap_servers(), cluster };
        for (name, partitions) in topics {
            broker.create_topic(name, *partitions)?;
        }
        Ok(broker)
    }

    /// Adds a topic.
    ///
    /// # Errors
    /// Its name or number of partitions is impossible.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), SourceError> {
        self.cluster.create_topic(name, partitions, 1).map_err(|e| SourceError::Kafka(e.to_string()))
    }
}
