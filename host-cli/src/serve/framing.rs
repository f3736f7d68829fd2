//! Follows the bytes of a connection as they arrive, to learn what hyper does not report: where the head of a request begins, a later minor
//! version of HTTP/1, and conflicting ways to frame a body.
//!
//! hyper refuses HTTP/1.2, although RFC 9110, 2.5 requires an answer with the highest supported minor version. It closes the connection
//! silently if a client begins to speak HTTP/2, although RFC 9110, 15.6.6 describes a 505 for an unsupported major version. And if a
//! request has both `Content-Length` and `Transfer-Encoding`, it silently drops the first, although an intermediary may use it (RFC 9112,
//! 6.1). This module only observes: hyper frames the requests, and where the two might disagree nothing is changed, except that a chunked
//! body whose end others might see elsewhere is altered so that hyper refuses it.

mod chunked;

use self::chunked::{Chunked, Next};

/// Bytes of a field line that are kept to recognise its name and the value of a length.
const LINE_BYTES_MAX: usize = 64;

/// The state before the next byte.
#[derive(Debug, Default)]
pub struct Framing {
    state: State,
    /// The beginning of the line that is being read.
    line: Vec<u8>,
    /// The line is longer than the kept part.
    is_cut: bool,
    head: Head,
    heads: u64,
    /// The number of the first head with conflicting or unknown framing.
    conflicting: Option<u64>,
    /// The number of the first head with another major version of HTTP.
    other_version: Option<u64>,
}

/// What the head says about its body so far.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    length: Option<u64>,
    is_chunked: bool,
    /// The line with the length was cut off, so hyper may read another value.
    is_unclear: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Blank lines before a request line.
    #[default]
    Start,
    /// In the target or before it; the version may follow.
    RequestLine,
    /// This many characters of ` HTTP/1.` were read.
    Version(u8),
    /// In the rest of the request line.
    RequestLineEnd,
    /// In a field line.
    Field,
    /// This many bytes of the body are left.
    Body(u64),
    /// In a chunked body.
    Chunked(Chunked),
    /// It is unknown where the next request begins.
    Lost,
    /// The same, and hyper is prevented from continuing.
    Refused,
}

const VERSION: &[u8] = b" HTTP/1.";
/// Offset of the major version.
const MAJOR: u8 = 6;

impl Framing {
    /// Whether a request line has begun but not ended.
    pub fn is_in_request_line(&self) -> bool {
        matches!(
            self.state,
            State::RequestLine | State::Version(_) | State::RequestLineEnd
        )
    }

    /// The number, counted from 0, of the first head with conflicting or unknown framing. Nothing after it should be answered.
    pub fn conflicting(&self) -> Option<u64> {
        self.conflicting
    }

    /// The number, counted from 0, of the first head of another major version than 1.
    pub fn other_version(&self) -> Option<u64> {
        self.other_version
    }

    /// Follows bytes that were read. A later major version in a request line becomes 0, which hyper refuses; a minor version greater than 1
    /// becomes 1. What follows a line of a chunked body with a bare LF becomes CRs, the second of which hyper refuses.
    pub fn follow(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            at += match self.state {
                State::Start | State::RequestLine | State::Version(_) | State::RequestLineEnd => {
                    self.request_line(&mut bytes[at..])
                }
                State::Body(left) => self.body(left, bytes.len() - at),
                State::Chunked(chunked) => self.chunked(chunked, &bytes[at..]),
                State::Field => self.line(&bytes[at..]),
                State::Lost => return,
                State::Refused => {
                    bytes[at..].fill(b'\r');
                    return;
                }
            };
        }
    }

    /// Consumes bytes up to the end of the request line.
    fn request_line(&mut self, bytes: &mut [u8]) -> usize {
        for (index, byte) in bytes.iter_mut().enumerate() {
            self.state = match (self.state, *byte) {
                (State::Start, b'\r' | b'\n') => State::Start,
                (_, b'\n') => {
                    self.state = State::Field;
                    self.head = Head::default();
                    return index + 1;
                }
                (State::Version(matched), digit) if usize::from(matched) == VERSION.len() => {
                    if matches!(digit, b'2'..=b'9') {
                        *byte = b'1';
                    }
                    State::RequestLineEnd
                }
                (State::Version(MAJOR), b'0' | b'2'..=b'9') => {
                    *byte = b'0';
                    self.other_version.get_or_insert(self.heads);
                    State::RequestLineEnd
                }
                (State::Version(matched), byte) if VERSION[usize::from(matched)] == byte => {
                    State::Version(matched + 1)
                }
                (State::RequestLineEnd, _) => State::RequestLineEnd,
                (_, b' ') => State::Version(1),
                (_, _) => State::RequestLine,
            };
        }
        bytes.len()
    }

    fn body(&mut self, left: u64, available: usize) -> usize {
        let taken = usize::try_from(left).map_or(available, |left| left.min(available));
        let left = left - taken as u64;
        self.state = if left == 0 {
            State::Start
        } else {
            State::Body(left)
        };
        taken
    }

    /// Consumes bytes up to the end of a chunked body, or up to a byte that makes it invalid.
    fn chunked(&mut self, mut chunked: Chunked, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if let Chunked::Data(left @ 1..) = chunked {
                let available = bytes.len() - at;
                let taken = usize::try_from(left).map_or(available, |left| left.min(available));
                at += taken;
                chunked = match left - taken as u64 {
                    0 => Chunked::DataCr,
                    left => Chunked::Data(left),
                };
                continue;
            }
            match chunked.after(*byte) {
                Next::Body(next) => chunked = next,
                Next::End => {
                    self.state = State::Start;
                    return at + 1;
                }
                Next::Refused => {
                    self.state = self.lost();
                    return at;
                }
                Next::Ambiguous => {
                    self.lost();
                    self.state = State::Refused;
                    return at;
                }
            }
            at += 1;
        }
        self.state = State::Chunked(chunked);
        at
    }

    /// Consumes bytes up to the end of a line; returns the line when it is complete.
    fn line(&mut self, bytes: &[u8]) -> usize {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        if end.is_some() && self.line.is_empty() {
            self.whole_line(part);
        } else {
            let room = LINE_BYTES_MAX - self.line.len();
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            self.is_cut |= part.len() > room;
            if end.is_some() {
                let mut line = std::mem::take(&mut self.line);
                self.whole_line(&line);
                line.clear();
                self.line = line;
                self.is_cut = false;
            }
        }
        end.map_or(bytes.len(), |end| end + 1)
    }

    fn whole_line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            self.state = self.end_of_head();
        } else {
            self.field(line);
        }
    }

    /// It is unknown where the next head begins: this one is refused, whatever hyper makes of it.
    fn lost(&mut self) -> State {
        self.conflicting.get_or_insert(self.heads);
        State::Lost
    }

    fn field(&mut self, line: &[u8]) {
        // The first letter distinguishes almost all lines.
        if !matches!(line.first(), Some(b'c' | b'C' | b't' | b'T')) {
            return;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.head.is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.head.is_unclear |= self.is_cut;
            let length = str::from_utf8(value)
                .ok()
                .and_then(|value| value.parse().ok());
            // hyper refuses an invalid number.
            self.head.length = Some(length.unwrap_or(u64::MAX));
        }
    }

    fn end_of_head(&mut self) -> State {
        if self.head.is_chunked && self.head.length.is_some() || self.head.is_unclear {
            self.conflicting.get_or_insert(self.heads);
        }
        self.heads += 1;
        if self.head.is_unclear {
            return State::Lost;
        }
        match self.head {
            Head {
                is_chunked: true, ..
            } => State::Chunked(Chunked::default()),
            Head {
                length: Some(length @ 1..),
                ..
            } => State::Body(length),
            Head { .. } => State::Start,
        }
    }
}

#[cfg(test)]
mod agreement;

#[cfg(test)]
mod tests {
    use super::*;

    /// The result for bytes that arrive in pieces, and the state after them.
    fn followed(bytes: &[u8], piece: usize) -> (Vec<u8>, Framing) {
        let mut framing = Framing::default();
        let mut bytes = bytes.to_vec();
        for piece in bytes.chunks_mut(piece) {
            framing.follow(piece);
        }
        (bytes, framing)
    }

    #[test]
    fn only_the_minor_version_of_a_request_line_is_changed() {
        let sent = b"\r\nGET /a HTTP/1.2\r\nx: GET / HTTP/1.2\r\n\r\n\
            POST / HTTP/1.1\r\ncontent-length: 18\r\n\r\nGET / HTTP/1.2\r\n\r\n\
            POST /b HTTP/1.9\r\nTransfer-Encoding: chunked\r\n\r\n\
            12;x=\" HTTP/1.2\"\r\nGET / HTTP/1.2\r\n\r\n\r\n0\r\nx: / HTTP/1.2\r\n\r\n\
            GET /c HTTP/1.0\r\n\r\nGET /d HTTP/2.2\r\n\r\n";
        let text = String::from_utf8(sent.to_vec()).unwrap();
        let expected = text
            .replace("/a HTTP/1.2", "/a HTTP/1.1")
            .replace("/b HTTP/1.9", "/b HTTP/1.1")
            .replace("/d HTTP/2.2", "/d HTTP/0.2");
        for piece in 1..sent.len() {
            let (changed, framing) = followed(sent, piece);
            assert_eq!(String::from_utf8(changed).unwrap(), expected, "{piece}");
            assert_eq!(framing.state, State::Start);
            assert_eq!((framing.heads, framing.conflicting()), (5, None));
            assert_eq!(framing.other_version(), Some(4));
        }
    }

    #[test]
    fn a_body_framed_in_two_ways_is_told_by_its_heads_number() {
        let get = "GET / HTTP/1.1\r\ncontent-length: 0\r\n\r\n";
        let length_first =
            "POST / HTTP/1.1\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        let length_last =
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length:5\r\n\r\n0\r\n\r\n";
        for conflicting in [length_first, length_last] {
            let sent = [get, conflicting, get, conflicting].concat();
            for piece in [1, 2, 7, sent.len()] {
                let (_, framing) = followed(sent.as_bytes(), piece);
                assert_eq!(
                    (framing.heads, framing.conflicting()),
                    (4, Some(1)),
                    "{piece}"
                );
            }
        }
    }

    #[test]
    fn a_long_line_is_not_kept() {
        let mut framing = Framing::default();
        framing.follow(&mut b"GET / HTTP/1.1\r\nx: ".to_vec());
        for _ in 0..100 {
            framing.follow(&mut [b'x'; 100]);
        }
        assert!(framing.line.capacity() <= 2 * LINE_BYTES_MAX);
        framing.follow(&mut b"\r\n\r\n".to_vec());
        assert_eq!(framing.state, State::Start);
    }

    #[test]
    fn a_length_that_is_longer_than_what_is_kept_of_a_line_is_refused_or_followed() {
        let body = "GET / HTTP/1.2\r\n\r\n";
        let both =
            "POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        for padding in ["0", " "].map(|padding| padding.repeat(60)) {
            let head = format!("POST / HTTP/1.1\r\ncontent-length: {padding}18\r\n\r\n");
            let sent = [&head, body, both].concat();
            for piece in 1..sent.len() {
                let (changed, framing) = followed(sent.as_bytes(), piece);
                assert_eq!(changed, sent.as_bytes(), "{piece}");
                // If the line arrives whole, it is read; in parts, its head is refused. Nothing is answered after it.
                let first = framing.conflicting().unwrap();
                assert!(first <= 1, "{piece}");
                assert_eq!(first == 0, framing.state == State::Lost, "{piece}");
            }
            assert_eq!(followed(sent.as_bytes(), 1).1.conflicting(), Some(0));
            assert_eq!(
                followed(sent.as_bytes(), sent.len()).1.conflicting(),
                Some(1)
            );
        }
        let size = format!(
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n{}12\r\n{body}\r\n0\r\n\r\n{both}",
            "0".repeat(70)
        );
        let (changed, framing) = followed(size.as_bytes(), 50);
        assert_eq!(changed, size.as_bytes());
        assert_eq!(framing.conflicting(), Some(1));
    }

    #[test]
    fn nothing_is_changed_where_a_chunk_has_no_size() {
        let sent = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nGET / HTTP/1.2\r\n";
        assert_eq!(followed(sent, 5).0, sent);
    }
}
