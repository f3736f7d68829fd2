//! Names of channels.

use contract::limits::CHANNEL_NAME_BYTES_MAX;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// Names a channel: 1 to 64 characters of `[a-z0-9-]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelName(String);

/// Text that is not a channel's name.
#[derive(Debug, thiserror::Error)]
#[error("a channel's name is 1 to {CHANNEL_NAME_BYTES_MAX} characters of `a-z`, `0-9` and `-`")]
pub struct ChannelNameError;

impl FromStr for ChannelName {
    type Err = ChannelNameError;

    fn from_str(text: &str) -> Result<Self, ChannelNameError> {
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || text.len() > CHANNEL_NAME_BYTES_MAX || !text.bytes().all(is_allowed) {
            return Err(ChannelNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for ChannelName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChannelName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}
