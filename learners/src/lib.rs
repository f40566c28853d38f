//! learners
