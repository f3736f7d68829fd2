//! Escapes that texts have within other texts: those of JSON, URLs and forms, XML and HTML.

/// Length of the longest escape of a byte: `&#x00006d;`.
pub(crate) const ESCAPE_BYTES_MAX: usize = 12;

/// Which escapes are decoded.
#[derive(Clone, Copy)]
pub(crate) struct Escapes {
    /// Of JSON and JavaScript: `\u0061`, `\x61`, `\/`, `\n`.
    backslash: bool,
    /// Of URLs and forms: `%61`.
    percent: bool,
    /// Of XML and HTML: `&amp;`, `&#97;`.
    entity: bool,
    /// Whether line breaks, and the blanks that indent the next line, escaped or not, mean nothing: as in base64 of mail.
    breaks: bool,
}

/// The bytes that an escape represents.
pub(crate) struct Meant {
    bytes: [u8; 4],
    length: usize,
}

impl Meant {
    fn nothing() -> Self {
        Self {
            bytes: [0; 4],
            length: 0,
        }
    }

    pub(crate) fn byte(byte: u8) -> Self {
        Self {
            bytes: [byte, 0, 0, 0],
            length: 1,
        }
    }

    fn character(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Escapes {
    const NONE: Self = Self {
        backslash: false,
        percent: false,
        entity: false,
        breaks: false,
    };
    /// Every escape at once, as texts within texts have them.
    pub(crate) const ALL: Self = Self {
        backslash: true,
        percent: true,
        entity: true,
        breaks: false,
    };
    /// Each alone. Before plain text, because digits of an escape may look like the beginning of a copy.
    pub(crate) const EACH: [Self; 3] = [
        Self {
            backslash: true,
            ..Self::NONE
        },
        Self {
            percent: true,
            ..Self::NONE
        },
        Self {
            entity: true,
            ..Self::NONE
        },
    ];
    /// Nothing but line breaks.
    pub(crate) const BREAKS: Self = Self::NONE.with_breaks();

    /// The same without line breaks.
    pub(crate) const fn with_breaks(self) -> Self {
        Self {
            breaks: true,
            ..self
        }
    }

    /// Whether a text may have some of these escapes. Line breaks alone count only where nothing else is decoded, because they are decoded by
    /// themselves, too.
    pub(crate) fn are_in(self, text: &[u8]) -> bool {
        let has = |byte| text.contains(&byte);
        let is_breaks_only = !self.backslash && !self.percent && !self.entity;
        self.backslash && has(b'\\')
            || self.percent && has(b'%')
            || self.entity && has(b'&') && has(b';')
            || self.breaks && is_breaks_only && (has(b'\n') || has(b'\r'))
    }

    /// Decodes the beginning of a non-empty text; returns the bytes and how much of the text they take.
    pub(crate) fn next(self, text: &[u8]) -> (Meant, usize) {
        let (meant, bytes) = self.next_with_breaks(text);
        if !self.breaks || !matches!(meant.bytes(), b"\n" | b"\r") {
            return (meant, bytes);
        }
        let mut end = bytes;
        while let Some(rest) = text.get(end..).filter(|rest| !rest.is_empty()) {
            let (meant, bytes) = self.next_with_breaks(rest);
            if !matches!(meant.bytes(), b" " | b"\t") {
                break;
            }
            end += bytes;
        }
        (Meant::nothing(), end)
    }

    fn next_with_breaks(self, text: &[u8]) -> (Meant, usize) {
        let first = text.first().copied().unwrap_or_default();
        let escape = match first {
            b'\\' if self.backslash => backslash(text),
            b'%' if self.percent => hexadecimal(text.get(1..3))
                .and_then(|byte| u8::try_from(byte).ok())
                .map(|byte| (Meant::byte(byte), 3)),
            b'&' if self.entity => entity(text),
            _ => None,
        };
        escape.unwrap_or_else(|| (Meant::byte(first), 1))
    }

    /// The text with one layer of escapes decoded.
    pub(crate) fn undone(self, text: &[u8]) -> Vec<u8> {
        let mut undone = Vec::with_capacity(text.len());
        self.for_each(text, |meant| undone.extend_from_slice(meant));
        undone
    }

    /// How many bytes the text has with one layer of escapes decoded. Does not copy it, because it may be secret.
    pub(crate) fn bytes_meant(self, text: &[u8]) -> usize {
        let mut count = 0;
        self.for_each(text, |meant| count += meant.len());
        count
    }

    fn for_each(self, text: &[u8], mut with: impl FnMut(&[u8])) {
        let mut at = 0;
        while at < text.len() {
            let (meant, bytes) = self.next(&text[at..]);
            with(meant.bytes());
            at += bytes;
        }
    }
}

/// A text with one layer of backslash escapes decoded.
pub fn without_backslashes(text: &str) -> String {
    let escapes = Escapes {
        backslash: true,
        ..Escapes::NONE
    };
    String::from_utf8_lossy(&escapes.undone(text.as_bytes())).into_owned()
}

fn hexadecimal(digits: Option<&[u8]>) -> Option<u32> {
    digits?.iter().try_fold(0, |number: u32, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        number.checked_mul(16)?.checked_add(digit)
    })
}

fn backslash(text: &[u8]) -> Option<(Meant, usize)> {
    let plain = match text.get(1)? {
        plain @ (b'"' | b'\\' | b'/' | b'\'') => *plain,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        // Of JavaScript, Python and others, but not of JSON.
        b'x' => {
            let character = hexadecimal(text.get(2..4)).and_then(char::from_u32)?;
            return Some((Meant::character(character), 4));
        }
        b'u' if text.get(2) == Some(&b'{') => {
            let digits = text.get(3..).unwrap_or_default();
            let length = digits.iter().take(7).position(|byte| *byte == b'}')?;
            let character = hexadecimal(digits.get(..length)).and_then(char::from_u32)?;
            return Some((Meant::character(character), length + 4));
        }
        b'u' => {
            let first = hexadecimal(text.get(2..6))?;
            if let Some(character) = char::from_u32(first) {
                return Some((Meant::character(character), 6));
            }
            let second = text
                .get(6..8)
                .filter(|escape| *escape == b"\\u")
                .and_then(|_| hexadecimal(text.get(8..12)))
                .filter(|second| first < 0xdc00 && (0xdc00..0xe000).contains(second));
            let pair = second.and_then(|second| {
                char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
            });
            return Some(match pair {
                Some(character) => (Meant::character(character), 12),
                None => (Meant::character(char::REPLACEMENT_CHARACTER), 6),
            });
        }
        _ => return None,
    };
    Some((Meant::byte(plain), 2))
}

/// Those of XML, and those that HTML has for the other printable characters of ASCII (HTML, "Named character references").
const ENTITIES: [(&str, char); 34] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("grave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
];

fn entity(text: &[u8]) -> Option<(Meant, usize)> {
    let length = text
        .iter()
        .take(ESCAPE_BYTES_MAX)
        .position(|byte| *byte == b';')?;
    let name = str::from_utf8(text.get(1..length)?).ok()?;
    let named = ENTITIES.iter().find(|(of, _)| *of == name);
    let character = match named {
        Some((_, character)) => *character,
        None => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => hexadecimal(Some(digits.as_bytes()))?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)?
        }
    };
    Some((Meant::character(character), length + 1))
}
