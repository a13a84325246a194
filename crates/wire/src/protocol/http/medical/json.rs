//! JSON as it streams by: the path and the value of every scalar, and where objects start and end.
//!
//! Enters: pieces of a document in order, cut anywhere. Leaves: [`Item`]s with the keys above them,
//! joined by `.`; arrays add nothing to a path. Refuses: containers deeper than [`DEPTH_MAX`]
//! (passed over), keys and values beyond [`TOKEN_BYTES_MAX`] (cut). What is no JSON gives nothing
//! sure and never an error: this is a scanner, not a validator. Source: RFC 8259.

/// Deepest nesting that is reported.
pub(super) const DEPTH_MAX: usize = 16;
/// Most bytes kept of a key or a value.
pub(super) const TOKEN_BYTES_MAX: usize = 128;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// An object starts.
    Begin,
    /// An object ends.
    End,
    /// A scalar, without quotes.
    Value(&'a str),
}

/// Receives items with their paths.
pub(super) type Say<'s> = &'s mut dyn FnMut(&str, Item<'_>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    Text,
    Escape,
    /// Hexadecimal digits of an escape still to come, and their value so far.
    Unicode(u8, u32),
    Literal,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    array: bool,
    /// Length of the path when it opened.
    base: usize,
}

/// Reads one document.
#[derive(Debug, Default)]
pub(super) struct Json {
    state: State,
    stack: Vec<Frame>,
    /// Containers open beyond the deepest that is reported.
    beyond: u64,
    path: String,
    token: Vec<u8>,
    key_next: bool,
}

impl Json {
    /// Looks at the next piece.
    pub(super) fn feed(&mut self, bytes: &[u8], say: Say<'_>) {
        for byte in bytes {
            self.byte(*byte, say);
        }
    }

    /// Heap bytes held.
    pub(super) fn heap_bytes(&self) -> usize {
        self.stack.capacity() * size_of::<Frame>() + self.path.capacity() + self.token.capacity()
    }

    fn byte(&mut self, byte: u8, say: Say<'_>) {
        match self.state {
            State::Between => self.between(byte, say),
            State::Text => match byte {
                b'"' => self.text_end(say),
                b'\\' => self.state = State::Escape,
                byte => self.keep(byte),
            },
            State::Escape => {
                self.state = State::Text;
                match byte {
                    b'u' => self.state = State::Unicode(4, 0),
                    b'n' | b'r' | b't' | b'b' | b'f' => self.keep(b' '),
                    byte => self.keep(byte),
                }
            }
            State::Unicode(left, value) => self.unicode(byte, left, value),
            State::Literal => {
                if byte.is_ascii_alphanumeric() || b"+-.".contains(&byte) {
                    return self.keep(byte);
                }
                self.state = State::Between;
                self.value(say);
                self.between(byte, say);
            }
        }
    }

    fn between(&mut self, byte: u8, say: Say<'_>) {
        match byte {
            b'{' | b'[' => self.open(byte == b'[', say),
            b'}' | b']' => self.close(say),
            b'"' => {
                self.token.clear();
                self.state = State::Text;
            }
            b',' => {
                if let Some(top) = self.top().filter(|top| !top.array) {
                    self.path.truncate(top.base);
                    self.key_next = true;
                }
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
                self.token.clear();
                self.token.push(byte);
                self.state = State::Literal;
            }
            _ => {}
        }
    }

    fn top(&self) -> Option<Frame> {
        self.stack.last().copied().filter(|_| self.beyond == 0)
    }

    fn open(&mut self, array: bool, say: Say<'_>) {
        if self.stack.len() >= DEPTH_MAX {
            self.beyond = self.beyond.saturating_add(1);
            return;
        }
        let base = self.path.len();
        self.stack.push(Frame { array, base });
        self.key_next = !array;
        if !array {
            say(&self.path, Item::Begin);
        }
    }

    fn close(&mut self, say: Say<'_>) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(frame) = self.stack.pop() else {
            return;
        };
        self.path.truncate(frame.base);
        self.key_next = false;
        if !frame.array {
            say(&self.path, Item::End);
        }
    }

    fn text_end(&mut self, say: Say<'_>) {
        self.state = State::Between;
        if self.beyond > 0 {
            return;
        }
        if !self.key_next {
            return self.value(say);
        }
        self.key_next = false;
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(&String::from_utf8_lossy(&self.token));
    }

    fn value(&self, say: Say<'_>) {
        if self.beyond == 0 {
            say(
                &self.path,
                Item::Value(&String::from_utf8_lossy(&self.token)),
            );
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.token.len() < TOKEN_BYTES_MAX {
            self.token.push(byte);
        }
    }

    fn unicode(&mut self, byte: u8, left: u8, value: u32) {
        let Some(digit) = char::from(byte).to_digit(16) else {
            self.state = State::Text;
            return;
        };
        let value = (value << 4) | digit;
        if left > 1 {
            self.state = State::Unicode(left - 1, value);
            return;
        }
        self.state = State::Text;
        // Halves of a surrogate pair give the replacement character, always the same way.
        let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut octets = [0; 4];
        for octet in c.encode_utf8(&mut octets).bytes() {
            self.keep(octet);
        }
    }
}
