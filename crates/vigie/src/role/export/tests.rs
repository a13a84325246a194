use super::*;
use serde_json::json;

#[test]
fn what_goes_in_comes_out_whatever_its_length() {
    for length in [0usize, 1, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX + 1, 200_000] {
        let data: Vec<u8> = (0..=250).cycle().take(length).collect();
        let mut wire = Vec::new();
        let mut chunks = Chunks::new(&mut wire);
        for part in data.chunks(7777) {
            chunks.write_all(part).unwrap();
        }
        chunks.finish(&json!({ "ok": length })).unwrap();
        let mut got = Vec::new();
        let outcome = receive(&mut wire.as_slice(), &mut got).unwrap();
        assert_eq!((got, outcome), (data, json!({ "ok": length })));
        // Cut anywhere, it is an error and never a whole answer.
        for cut in [0, 1, 3, wire.len() / 2, wire.len() - 2] {
            let mut part = wire.get(..cut).unwrap();
            assert!(
                receive(&mut part, &mut Vec::new()).is_err(),
                "{length} {cut}"
            );
        }
    }
}

#[test]
fn a_chunk_that_is_too_long_is_refused() {
    let wire = u32::try_from(CHUNK_BYTES_MAX + 1).unwrap().to_le_bytes();
    assert!(receive(&mut wire.as_slice(), &mut Vec::new()).is_err());
}
