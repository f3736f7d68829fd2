//! The SDK as an application uses it.
