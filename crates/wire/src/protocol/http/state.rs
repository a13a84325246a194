//! Where a side of an HTTP/1 conversation stands.
//!
//! Enters: nothing. Leaves: the states that `session.rs` moves between. Refuses: nothing.
//! Source: RFC 9112 section 2.

use super::parser::Head;

/// One side of a conversation.
#[derive(Default)]
pub(super) struct SideState {
    pub(super) state: State,
    /// The exchange whose message this side sends.
    pub(super) current: Option<u32>,
    /// True when that message is a response.
    pub(super) answers: bool,
}

/// What the next bytes of a side are.
#[derive(Default)]
pub(super) enum State {
    /// A start line, or empty lines before it.
    #[default]
    Start,
    /// Field lines.
    Fields(Box<Head>),
    /// So many octets of a body, then a message.
    Body(u64),
    /// The size line of a chunk.
    ChunkSize,
    /// So many octets of a chunk, then the end of its line.
    Chunk(u64),
    /// The end of a chunk's line.
    ChunkEnd,
    /// Lines after the last chunk.
    Trailers,
    /// A body that ends with the connection.
    UntilClose,
    /// Unknown, after a gap: a start line is looked for.
    Lost,
}
