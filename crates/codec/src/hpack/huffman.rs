//! The Huffman code of HPACK.
//!
//! Enters: coded octets. Leaves: the octets, and whether the code was whole. Refuses: nothing: what
//! was decoded before an error is kept. Limits: 8/5 octets out for each octet in.
//! Source: RFC 7541 section 5.2 and appendix B. The code is canonical: the lengths define it.

use std::sync::LazyLock;

const SYMBOLS: usize = 257;
const BITS_MAX: usize = 30;
const END: u16 = 256;

/// For each length: the first code, how many there are, and where their symbols start.
struct Code {
    lengths: [(u32, u32, usize); BITS_MAX + 1],
    symbols: Vec<u16>,
}

static CODE: LazyLock<Code> = LazyLock::new(|| {
    let mut symbols: Vec<u16> = Vec::with_capacity(SYMBOLS);
    let mut lengths = [(0, 0, 0); BITS_MAX + 1];
    let mut code = 0;
    for (bits, place) in (0_u8..).zip(&mut lengths) {
        code <<= 1;
        let at = symbols.len();
        let mine = (0_u16..).zip(LENGTHS).filter(|(_, length)| *length == bits);
        symbols.extend(mine.map(|(symbol, _)| symbol));
        let count = u32::try_from(symbols.len() - at).unwrap_or(0);
        *place = (code, count, at);
        code += count;
    }
    Code { lengths, symbols }
});

/// Decodes; false when the code was not whole or held the end mark.
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> bool {
    let table = &*CODE;
    let (mut code, mut bits) = (0_u32, 0_usize);
    for octet in coded {
        for shift in (0..8).rev() {
            code = code << 1 | u32::from(octet >> shift & 1);
            bits += 1;
            let Some(&(first, count, at)) = table.lengths.get(bits) else {
                return false;
            };
            let Some(offset) = code.checked_sub(first).filter(|offset| *offset < count) else {
                continue;
            };
            let place = at + usize::try_from(offset).unwrap_or(usize::MAX);
            match table.symbols.get(place) {
                Some(&END) | None => return false,
                Some(&symbol) => out.push(u8::try_from(symbol).unwrap_or(b'?')),
            }
            (code, bits) = (0, 0);
        }
    }
    bits < 8 && code.count_ones() == u32::try_from(bits).unwrap_or(0)
}

/// Bits of each symbol's code: 256 octets and the end mark.
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11,
    10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8,
    15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5,
    6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
    23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21,
    23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25,
    26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26,
    28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
