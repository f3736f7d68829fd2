//! The place that a comparison has reached, in the spelling that all comparisons share. It grows and shrinks with the way into the document:
//! made anew for each difference, it would cost the length of the way times their number.

use super::{AFTER_FILE, ANSWER, RESPONSE_FILE, STORE};
use std::fmt::Write as _;

/// A JSON pointer (RFC 6901).
pub struct Place {
    pointer: String,
    /// Steps below the outermost value.
    depth: usize,
    /// Whether the outermost value is a Lambda response, whose form depends on the gateway.
    is_response: bool,
    /// Whether it is in a response's headers, whose names have no case.
    is_header: bool,
}

impl Place {
    /// The outermost value of a document that is at `base` in another one.
    pub fn new(base: &str, file: &str) -> Self {
        let is_response = matches!(file, RESPONSE_FILE | ANSWER);
        let member = match file {
            AFTER_FILE | STORE => "/stored",
            "writes" => "/writes",
            "calls" => "/calls",
            "logs" => "/logs",
            _ => "",
        };
        Self {
            pointer: format!("{base}{member}"),
            depth: 0,
            is_response,
            is_header: false,
        }
    }

    /// As reports show it, and rules name it.
    pub fn pointer(&self) -> &str {
        match self.pointer.as_str() {
            "/statusCode" if self.is_response => "/status",
            "/refusal" if self.is_response => "/rejection",
            pointer => pointer,
        }
    }

    /// Does something at the member `name` of where it is.
    pub fn in_member<R>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> R) -> R {
        self.below(work, |place| place.push_name(name))
    }

    /// Does something at the element `position` of where it is.
    pub fn in_element<R>(&mut self, position: usize, work: impl FnOnce(&mut Self) -> R) -> R {
        self.below(work, |place| {
            let _ = write!(place.pointer, "/{position}");
        })
    }

    fn below<R>(&mut self, work: impl FnOnce(&mut Self) -> R, push: impl FnOnce(&mut Self)) -> R {
        let (length, is_header) = (self.pointer.len(), self.is_header);
        push(self);
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        self.pointer.truncate(length);
        self.is_header = is_header;
        result
    }

    fn push_name(&mut self, name: &str) {
        let name = match name {
            "headers" | "multiValueHeaders" if self.is_response && self.depth == 0 => {
                self.is_header = true;
                "headers"
            }
            "cookies" if self.is_response && self.depth == 0 => "headers/set-cookie",
            name => return self.push_escaped(name),
        };
        self.pointer.push('/');
        self.pointer.push_str(name);
    }

    fn push_escaped(&mut self, name: &str) {
        self.pointer.push('/');
        for character in name.chars() {
            match character {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                other if self.is_header => self.pointer.push(other.to_ascii_lowercase()),
                other => self.pointer.push(other),
            }
        }
    }
}
