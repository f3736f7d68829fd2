//! Follows a chunked body byte by byte, exactly as hyper decodes it, so that both agree where it ends.
//!
//! Lines of a chunked body end with CRLF only (RFC 9112, 7.1). hyper treats a bare LF as part of a trailer, other implementations treat it
//! as the end of a line. This module alters such a body so that hyper refuses it.

/// Position of the next byte in a chunked body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chunked {
    /// At the first digit of a chunk's size.
    #[default]
    Size,
    /// After digits of a chunk's size, with the value so far.
    SizeDigits(u64),
    /// In blanks after a chunk's size.
    SizeBlanks(u64),
    /// In the extensions of a chunk of this size.
    Extension(u64),
    /// At the LF of the line with this size.
    SizeLf(u64),
    /// This many bytes of a chunk are left.
    Data(u64),
    /// At the CR after a chunk.
    DataCr,
    /// At the LF after a chunk.
    DataLf,
    /// At the beginning of a line after the last chunk.
    TrailerStart,
    /// In a line after the last chunk.
    Trailer,
    /// At the LF of such a line.
    TrailerLf,
    /// At the LF of the empty line that ends the body.
    EndLf,
}

/// What follows a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// More of the body.
    Body(Chunked),
    /// The next request.
    End,
    /// Nothing: hyper refuses the body at this byte.
    Refused,
    /// Nothing: hyper would continue, but other implementations might see a different body.
    Ambiguous,
}

impl Chunked {
    /// Computes what follows this byte.
    pub fn after(self, byte: u8) -> Next {
        let next = match (self, byte) {
            (Self::Size, byte) => return digits(0, byte),
            (Self::SizeDigits(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                return digits(size, byte);
            }
            (Self::SizeDigits(size) | Self::SizeBlanks(size), b' ' | b'\t') => {
                Self::SizeBlanks(size)
            }
            (Self::SizeDigits(size) | Self::SizeBlanks(size), b';') => Self::Extension(size),
            (Self::SizeDigits(size) | Self::SizeBlanks(size) | Self::Extension(size), b'\r') => {
                Self::SizeLf(size)
            }
            (Self::Extension(_), b'\n') => return Next::Refused,
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::SizeLf(0), b'\n') => Self::TrailerStart,
            (Self::SizeLf(size), b'\n') => Self::Data(size),
            (Self::Data(0 | 1), _) => Self::DataCr,
            (Self::Data(left), _) => Self::Data(left - 1),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Size,
            (Self::TrailerStart, b'\r') => Self::EndLf,
            (Self::Trailer, b'\r') => Self::TrailerLf,
            (Self::TrailerStart | Self::Trailer, b'\n') => return Next::Ambiguous,
            (Self::TrailerStart | Self::Trailer, _) => Self::Trailer,
            (Self::TrailerLf, b'\n') => Self::TrailerStart,
            (Self::EndLf, b'\n') => return Next::End,
            (
                Self::SizeDigits(_)
                | Self::SizeBlanks(_)
                | Self::SizeLf(_)
                | Self::DataCr
                | Self::DataLf
                | Self::TrailerLf
                | Self::EndLf,
                _,
            ) => return Next::Refused,
        };
        Next::Body(next)
    }
}

fn digits(size: u64, byte: u8) -> Next {
    let digit = char::from(byte).to_digit(16);
    let size = digit.and_then(|digit| size.checked_mul(16)?.checked_add(u64::from(digit)));
    size.map_or(Next::Refused, |size| Next::Body(Chunked::SizeDigits(size)))
}
