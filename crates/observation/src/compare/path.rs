//! The path that a comparison has taken into a part, as the JSON pointer (RFC 6901) that reports show and rules name. It grows and shrinks
//! with the way into the document: made anew for each difference, it would cost the length of the way times their number.

use crate::Part;
use json::push_name;
use std::fmt::Write as _;

/// Where a comparison is.
pub(super) struct Path {
    part: Part,
    pointer: String,
    /// Steps below the part.
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

    /// Whether this is a list of items, which belong together by their keys.
    pub(super) fn is_item_list(&self) -> bool {
        self.depth == 0 && self.part.has_items()
    }

    /// Does something at the member `name` of where it is.
    pub(super) fn in_member<R>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> R) -> R {
        self.below(work, |pointer| push_name(pointer, name))
    }

    /// Does something at the element `position` of where it is.
    pub(super) fn in_element<R>(
        &mut self,
        position: usize,
        work: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.below(work, |pointer| {
            let _ = write!(pointer, "/{position}");
        })
    }

    /// Does something at the element that would follow the last one of the list that was expected: RFC 6901 calls it `-`.
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
