//! Gateway events to requests, responses to what the gateway expects.
