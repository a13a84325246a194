//! What a content is, by its first octets.
//!
//! Enters: the first octets, and whether they are all. Leaves: a [`Kind`]. Refuses: to look beyond
//! [`HEAD_BYTES`], or [`ARCHIVE_BYTES`] of an archive; what it does not know is `text` or `data`.
//! The same octets give the same answer, however they came.
//! Source: the magic numbers that the formats' own specifications state; APPNOTE.TXT of ZIP.

use codec::bytes::Reader;

/// Octets by which a content is typed.
pub const HEAD_BYTES: usize = 512;
/// Octets by which an archive is typed further: OOXML names its kind in a later entry.
pub const ARCHIVE_BYTES: usize = 4096;

/// A type of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Short name, lower case ("pdf", "docx", "pe").
    pub name: &'static str,
    /// Media type.
    pub mime: &'static str,
}

impl Kind {
    const fn new(name: &'static str, mime: &'static str) -> Self {
        Self { name, mime }
    }

    /// Types a content by its first octets; `None` when more of them are needed. `whole` says that
    /// no more will come.
    #[must_use]
    pub fn of(head: &[u8], whole: bool) -> Option<Self> {
        if head.len() < HEAD_BYTES && !whole {
            return None;
        }
        let first = head.get(..HEAD_BYTES).unwrap_or(head);
        if first.starts_with(b"PK\x03\x04") {
            if head.len() < ARCHIVE_BYTES && !whole {
                return None;
            }
            return Some(archive(head.get(..ARCHIVE_BYTES).unwrap_or(head)));
        }
        Some(
            by_magic(first)
                .or_else(|| by_words(first))
                .unwrap_or_else(|| plain(first)),
        )
    }
}

/// Of no known type.
pub const DATA: Kind = Kind::new("data", "application/octet-stream");
/// Nothing at all.
pub const EMPTY: Kind = Kind::new("empty", "application/x-empty");
/// A DICOM object.
pub const DICOM: Kind = Kind::new("dicom", "application/dicom");
/// An HL7 v2 message.
pub const HL7: Kind = Kind::new("hl7", "x-application/hl7-v2+er7");
const TEXT: Kind = Kind::new("text", "text/plain");
const HTML: Kind = Kind::new("html", "text/html");
const XML: Kind = Kind::new("xml", "application/xml");
const JSON: Kind = Kind::new("json", "application/json");
const MAIL: Kind = Kind::new("mail", "message/rfc822");
const SCRIPT: Kind = Kind::new("script", "text/x-script");
const ZIP: Kind = Kind::new("zip", "application/zip");
const PE: Kind = Kind::new("pe", "application/vnd.microsoft.portable-executable");
const DOS: Kind = Kind::new("dos", "application/x-dosexec");
const MACH: Kind = Kind::new("mach-o", "application/x-mach-binary");

fn by_magic(head: &[u8]) -> Option<Kind> {
    let known = MAGICS.iter().find(|(at, magic, _)| {
        let end = at + magic.len();
        head.get(*at..end).is_some_and(|here| here == *magic)
    });
    if let Some((_, _, kind)) = known {
        return Some(*kind);
    }
    match head {
        [b'M', b'Z', ..] => Some(executable(head)),
        [b'R', b'I', b'F', b'F', _, _, _, _, form @ ..] => riff(form),
        [0xca, 0xfe, 0xba, 0xbe, a, b, c, d, ..] => {
            // A fat binary has few architectures; a class file states its version there.
            let number = u32::from_be_bytes([*a, *b, *c, *d]);
            Some(if number < 40 { MACH } else { JAVA })
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(Kind::new("mp4", "video/mp4")),
        [b'B', b'M', rest @ ..] => {
            let reserved = rest.get(4..8)?;
            (reserved == [0; 4]).then_some(Kind::new("bmp", "image/bmp"))
        }
        // A data set with the elements of group 2 or 8 first, without a preamble.
        [0x02 | 0x08, 0, 0..=0x20, 0, vr @ ..] => {
            let vr = vr.get(..2)?;
            let known = [b"UL", b"OB", b"UI", b"CS", b"DA"]
                .iter()
                .any(|known| **known == vr);
            known.then_some(DICOM)
        }
        _ => {
            let pdf = head.windows(5).any(|window| window == b"%PDF-");
            pdf.then_some(Kind::new("pdf", "application/pdf"))
        }
    }
}

/// A program of Windows, or of what was before.
fn executable(head: &[u8]) -> Kind {
    let offset = head.get(0x3c..).and_then(|rest| Reader::new(rest).u32_le());
    let at = offset
        .and_then(|offset| usize::try_from(offset).ok())
        .unwrap_or(0);
    match head.get(at..at.saturating_add(4)) {
        Some(b"PE\0\0") => PE,
        // Beyond what is looked at: linkers put it within a few hundred octets.
        None if (HEAD_BYTES..HEAD_BYTES * 8).contains(&at) => PE,
        _ => DOS,
    }
}

fn riff(form: &[u8]) -> Option<Kind> {
    Some(match form.get(..4)? {
        b"WEBP" => Kind::new("webp", "image/webp"),
        b"WAVE" => Kind::new("wav", "audio/x-wav"),
        b"AVI " => Kind::new("avi", "video/x-msvideo"),
        _ => Kind::new("riff", "application/octet-stream"),
    })
}

/// A ZIP: what its first entries are called says what it is.
fn archive(head: &[u8]) -> Kind {
    let holds = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    // ODF and EPUB: the first entry is called mimetype, is stored, and says the type.
    if head.get(30..38) == Some(b"mimetype") {
        let said = head.get(38..).unwrap_or(&[]);
        let known = STORED
            .iter()
            .find(|kind| said.starts_with(kind.mime.as_bytes()));
        return known.copied().unwrap_or(ZIP);
    }
    if holds(b"[Content_Types].xml") || holds(b"_rels/.rels") {
        return match () {
            () if holds(b"word/") => Kind::new("docx", WORD),
            () if holds(b"xl/") => Kind::new("xlsx", EXCEL),
            () if holds(b"ppt/") => Kind::new("pptx", POWERPOINT),
            () => Kind::new("ooxml", "application/zip"),
        };
    }
    if holds(b"AndroidManifest.xml") {
        Kind::new("apk", "application/vnd.android.package-archive")
    } else if holds(b"META-INF/") {
        Kind::new("jar", "application/java-archive")
    } else {
        ZIP
    }
}

/// Types that are text: by the first words.
fn by_words(head: &[u8]) -> Option<Kind> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start();
    let starts = |word: &[u8]| {
        let here = text.get(..word.len());
        here.is_some_and(|here| here.eq_ignore_ascii_case(word))
    };
    let holds = |word: &[u8]| {
        let mut windows = text.windows(word.len());
        windows.any(|window| window.eq_ignore_ascii_case(word))
    };
    if text.starts_with(b"{\\rtf") {
        return Some(Kind::new("rtf", "text/rtf"));
    }
    let header = text.strip_prefix(b"\x0b").unwrap_or(text);
    if [b"MSH|", b"FHS|", b"BHS|"]
        .iter()
        .any(|name| header.starts_with(*name))
    {
        return Some(HL7);
    }
    if [
        &b"<!doctype html"[..],
        b"<html",
        b"<head",
        b"<body",
        b"<script",
    ]
    .iter()
    .any(|w| starts(w))
    {
        return Some(HTML);
    }
    if starts(b"<?php") || starts(b"#!") || starts(b"@echo off") || starts(b"<%@") {
        return Some(SCRIPT);
    }
    if starts(b"<svg") || starts(b"<?xml") && holds(b"<svg") {
        return Some(Kind::new("svg", "image/svg+xml"));
    }
    if starts(b"<?xml") || starts(b"<soap") || starts(b"<s:envelope") {
        let html = holds(b"<html") || holds(b"<!doctype html");
        return Some(if html { HTML } else { XML });
    }
    if starts(b"-----BEGIN ") {
        return Some(Kind::new("pem", "application/x-pem-file"));
    }
    if json(text) {
        return Some(JSON);
    }
    let mail = [
        &b"return-path:"[..],
        b"received:",
        b"delivered-to:",
        b"message-id:",
        b"mime-version:",
    ];
    mail.iter().any(|field| starts(field)).then_some(MAIL)
}

/// True when a text starts as JSON does: a bracket, then what may follow it.
fn json(text: &[u8]) -> bool {
    let Some((open, rest)) = text.split_first() else {
        return false;
    };
    let rest = rest.trim_ascii_start();
    match (open, rest.first()) {
        (b'{', Some(b'"' | b'}')) => true,
        (b'[', Some(b'{' | b'[' | b']' | b'"')) => true,
        (b'[', Some(b'-' | b'0'..=b'9')) => !rest.contains(&0),
        _ => false,
    }
}

/// Text, data, or nothing.
fn plain(head: &[u8]) -> Kind {
    if head.is_empty() {
        return EMPTY;
    }
    let wide = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let control = |octet: &u8| *octet < 0x20 && !b"\t\r\n\x0b\x0c\x1b\x1c".contains(octet);
    if wide || !head.iter().any(control) && readable(head) {
        TEXT
    } else {
        DATA
    }
}

/// True for UTF-8 that may be cut at its end, and for single-octet texts with few high octets.
fn readable(head: &[u8]) -> bool {
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) if error.error_len().is_none() => true,
        Err(_) => head.iter().filter(|octet| **octet >= 0x80).count() * 4 < head.len(),
    }
}

const JAVA: Kind = Kind::new("java", "application/java-vm");
const ELF: Kind = Kind::new("elf", "application/x-elf");
const TIFF: Kind = Kind::new("tiff", "image/tiff");
const GIF: Kind = Kind::new("gif", "image/gif");
const TAR: Kind = Kind::new("tar", "application/x-tar");
const RAR: Kind = Kind::new("rar", "application/vnd.rar");
const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const EXCEL: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const POWERPOINT: &str =
    "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// Types that a stored first entry of a ZIP states.
const STORED: &[Kind] = &[
    Kind::new("odt", "application/vnd.oasis.opendocument.text"),
    Kind::new("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    Kind::new("odp", "application/vnd.oasis.opendocument.presentation"),
    Kind::new("odg", "application/vnd.oasis.opendocument.graphics"),
    Kind::new("epub", "application/epub+zip"),
];

/// Where a magic number stands, the number, and what it means.
#[rustfmt::skip]
const MAGICS: &[(usize, &[u8], Kind)] = &[
    (0, b"%PDF-", Kind::new("pdf", "application/pdf")),
    (0, b"\xff\xd8\xff", Kind::new("jpeg", "image/jpeg")),
    (0, b"\x89PNG\r\n\x1a\n", Kind::new("png", "image/png")),
    (0, b"GIF87a", GIF),
    (0, b"GIF89a", GIF),
    (0, b"\x1f\x8b\x08", Kind::new("gzip", "application/gzip")),
    (128, b"DICM", DICOM),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::new("ole", "application/x-ole-storage")),
    (0, b"\x7fELF", ELF),
    (0, b"\xfe\xed\xfa\xce", MACH),
    (0, b"\xfe\xed\xfa\xcf", MACH),
    (0, b"\xce\xfa\xed\xfe", MACH),
    (0, b"\xcf\xfa\xed\xfe", MACH),
    (0, b"7z\xbc\xaf\x27\x1c", Kind::new("7z", "application/x-7z-compressed")),
    (0, b"Rar!\x1a\x07", RAR),
    (0, b"\xfd7zXZ\0", Kind::new("xz", "application/x-xz")),
    (0, b"\x28\xb5\x2f\xfd", Kind::new("zstd", "application/zstd")),
    (0, b"BZh", Kind::new("bzip2", "application/x-bzip2")),
    (0, b"\x04\x22\x4d\x18", Kind::new("lz4", "application/x-lz4")),
    (0, b"PK\x05\x06", ZIP),
    (0, b"MSCF\0\0\0\0", Kind::new("cab", "application/vnd.ms-cab-compressed")),
    (257, b"ustar", TAR),
    (0, b"!<arch>\n", Kind::new("ar", "application/x-archive")),
    (0, b"\xed\xab\xee\xdb", Kind::new("rpm", "application/x-rpm")),
    (0, b"\x4c\0\0\0\x01\x14\x02\0", Kind::new("lnk", "application/x-ms-shortcut")),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", Kind::new("onenote", "application/onenote")),
    (0, b"ITSF", Kind::new("chm", "application/vnd.ms-htmlhelp")),
    (0, b"regf", Kind::new("hive", "application/x-ms-registry")),
    (0, b"ElfFile\0", Kind::new("evtx", "application/x-ms-evtx")),
    (0, b"SQLite format 3\0", Kind::new("sqlite", "application/vnd.sqlite3")),
    (0, b"\0asm", Kind::new("wasm", "application/wasm")),
    (0, b"dex\n", Kind::new("dex", "application/x-dex")),
    (0, b"II*\0", TIFF),
    (0, b"MM\0*", TIFF),
    (0, b"\0\0\0\x0cjP  \r\n", Kind::new("jp2", "image/jp2")),
    (0, b"\xff\x4f\xff\x51", Kind::new("j2k", "image/x-jp2-codestream")),
    (0, b"\0\0\x01\0", Kind::new("ico", "image/vnd.microsoft.icon")),
    (0, b"8BPS", Kind::new("psd", "image/vnd.adobe.photoshop")),
    (0, b"CWS", Kind::new("swf", "application/vnd.adobe.flash.movie")),
    (0, b"FWS", Kind::new("swf", "application/vnd.adobe.flash.movie")),
    (0, b"ID3", Kind::new("mp3", "audio/mpeg")),
    (0, b"OggS", Kind::new("ogg", "application/ogg")),
    (0, b"fLaC", Kind::new("flac", "audio/flac")),
    (0, b"\x1a\x45\xdf\xa3", Kind::new("matroska", "video/x-matroska")),
    (0, b"FLV\x01", Kind::new("flv", "video/x-flv")),
    (0, b"wOFF", Kind::new("woff", "font/woff")),
    (0, b"wOF2", Kind::new("woff2", "font/woff2")),
    (0, b"OTTO", Kind::new("otf", "font/otf")),
    (0, b"\0\x01\0\0\0", Kind::new("ttf", "font/ttf")),
    (0, b"\xd4\xc3\xb2\xa1", Kind::new("pcap", "application/vnd.tcpdump.pcap")),
    (0, b"\x0a\x0d\x0d\x0a", Kind::new("pcapng", "application/x-pcapng")),
    (0, b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", Kind::new("kdbx", "application/x-keepass2")),
    (0, b"%!PS", Kind::new("postscript", "application/postscript")),
    (0, b"\x1b%-12345X", Kind::new("pjl", "application/vnd.hp-pcl")),
    (0, b"\x3f\x5f\x03\0", Kind::new("hlp", "application/winhlp")),
    (0, b"KDMV", Kind::new("vmdk", "application/x-vmdk")),
    (0, b"conectix", Kind::new("vhd", "application/x-vhd")),
    (0, b"vhdxfile", Kind::new("vhdx", "application/x-vhdx")),
    (0, b"\x01\xff\x02\x04", Kind::new("prefetch", "application/x-ms-prefetch")),
    (0, b"AC10", Kind::new("dwg", "image/vnd.dwg")),
    (0, b"PAR1", Kind::new("parquet", "application/vnd.apache.parquet")),
];
