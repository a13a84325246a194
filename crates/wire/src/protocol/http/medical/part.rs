//! The first DICOM object of a body: multipart or alone.
//!
//! Enters: the first bytes of a body. Leaves: what the head of the object says. Refuses: to keep
//! more than [`PART_BYTES_MAX`] bytes. Source: DICOM PS3.10 section 7.1, PS3.18 section 8.6.

use codec::bytes::Reader;
use codec::dicom::code;
use codec::dicom::dataset::{Encoding, Scanner, Tag};
use model::Text;
use model::class::Medical;

use crate::protocol::dicom::{Head, WANTED};

/// Most bytes kept of a body that holds DICOM objects.
pub(super) const PART_BYTES_MAX: u64 = 16 * 1024;
const PREAMBLE_BYTES: usize = 128;
static META_WANTED: [Tag; 2] = [Tag(0x0002, 0x0002), Tag(0x0002, 0x0010)];

/// The first bytes of a body.
#[derive(Default)]
pub(super) struct Part {
    bytes: Vec<u8>,
}

impl Part {
    /// Keeps the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Heap bytes held.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Writes what the first object says into `body`.
    pub(super) fn write(&self, body: &mut Medical) {
        let _ = self.read(body);
    }

    fn read(&self, body: &mut Medical) -> Option<()> {
        let mut file = Reader::new(self.file()?);
        file.skip(PREAMBLE_BYTES + 4)?;
        // (0002,0000) UL 4: how long the file meta information is.
        let group = file.array::<8>()?;
        if group != *b"\x02\0\0\0UL\x04\0" {
            return None;
        }
        let len = usize::try_from(file.u32_le()?).ok()?;
        let meta = file.take(len)?;
        let mut syntax = None;
        let mut class = None;
        let mut scanner = Scanner::new(&META_WANTED, Some(Encoding::ExplicitLittle));
        scanner.feed(meta, &mut |tag, value| {
            let value = code(value).into_owned();
            if tag == Tag(0x0002, 0x0010) {
                syntax = Some(value);
            } else {
                class = Some(value);
            }
        });
        body.sop_class_uid = class.map(Text::from);
        let syntax = syntax?;
        let mut head = Head::default();
        if let Some(encoding) = Encoding::of_transfer_syntax(&syntax) {
            let mut scanner = Scanner::new(&WANTED, Some(encoding));
            scanner.feed(file.rest(), &mut |tag, value| head.add(tag, value));
        }
        head.write(body);
        body.transfer_syntaxes.push(Text::from(syntax));
        Some(())
    }

    /// The bytes from the preamble on.
    fn file(&self) -> Option<&[u8]> {
        let magic = |from: &&[u8]| {
            let end = PREAMBLE_BYTES + 4;
            from.get(PREAMBLE_BYTES..end) == Some(b"DICM".as_slice())
        };
        let alone = Some(self.bytes.as_slice()).filter(magic);
        alone.or_else(|| {
            let head = self.bytes.windows(4).position(|end| end == b"\r\n\r\n")?;
            self.bytes.get(head + 4..).filter(magic)
        })
    }
}
