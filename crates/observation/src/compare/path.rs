//! The path of a comparison into a part, as the JSON pointer (RFC 6901) that reports show and rules name. It grows and shrinks during the
//! traversal, because building it for each difference would cost the length of the path times the number of differences.

use crate::observation::{List, Part};
use json::push_name;
use std::fmt::Write as _;

/// The current position of a comparison.
pub(super) struct Path {
    part: Part,
    pointer: String,
    /// Number of steps below the part.
    depth: usize,
}

impl Path {
    /// The part as a whole.
    pub(super) fn new(part: Part) -> Self {
        Self {
            part,
            pointer: part.pointer().to_owned(),
            depth: 0,
        }
    }

    /// The JSON pointer.
    pub(super) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What this is a list of, if its elements are matched by more than their positions.
    pub(super) fn list(&self) -> Option<List> {
        self.part.list().filter(|_| self.depth == 0)
    }

    /// Calls a function at the member `name` of the current position.
    pub(super) fn in_member<R>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> R) -> R {
        self.below(work, |pointer| push_name(pointer, name))
    }

    /// Calls a function at the element `position` of the current position.
    pub(super) fn in_element<R>(
        &mut self,
        position: usize,
        work: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.below(work, |pointer| {
            let _ = write!(pointer, "/{position}");
        })
    }

    /// Calls a function at the element after the last one of the expected list, which RFC 6901 calls `-`.
    pub(super) fn in_new_element<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.below(work, |pointer| pointer.push_str("/-"))
    }

    fn below<R>(&mut self, work: impl FnOnce(&mut Self) -> R, push: impl FnOnce(&mut String)) -> R {
        let length = self.pointer.len();
        push(&mut self.pointer);
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        self.pointer.truncate(length);
        result
    }
}
