import { describe, expect, it } from "vitest";
import * as query from "../src/lib/query";

describe("tokeniser", () => {
  it("cuts fields, values, operators, parentheses", () => {
    const kinds = query
      .tokenise('NOT (proto:dicom OR host:"a b") bytes:>10MB word')
      .map((t) => t.kind);
    expect(kinds).toEqual([
      "operator",
      "open",
      "field",
      "value",
      "operator",
      "field",
      "value",
      "close",
      "field",
      "value",
      "word",
    ]);
  });

  it("loses no character and never hangs, whatever is typed", () => {
    const alphabet = ['"', "\\", "(", ")", ":", " ", "a", "-", "é", "AND", "\t", "src_ip:"];
    let seed = 7;
    for (let round = 0; round < 3000; round += 1) {
      let text = "";
      for (let i = 0; i < 12; i += 1) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        text += alphabet[seed % alphabet.length];
      }
      const tokens = query.tokenise(text);
      expect(
        tokens
          .map((t) => t.text)
          .join("")
          .replace(/\s/g, ""),
      ).toBe(text.replace(/\s/g, ""));
      for (const token of tokens) expect(text.slice(token.start, token.end)).toBe(token.text);
      query.topTerms(text);
      for (let caret = 0; caret <= text.length; caret += 1) query.spotAt(text, caret);
    }
  });
});

describe("pivots", () => {
  it("quotes only what needs it", () => {
    expect(query.clause("src_ip", "10.0.0.1")).toBe("src_ip:10.0.0.1");
    expect(query.clause("src_ip", "2001:db8::1")).toBe('src_ip:"2001:db8::1"');
    expect(query.clause("host", "a b")).toBe('host:"a b"');
    expect(query.clause("share", '\\\\s\\"x"')).toBe('share:"\\\\\\\\s\\\\\\"x\\""');
    expect(query.clause("x", "AND")).toBe('x:"AND"');
    expect(query.clause("x", "")).toBe('x:""');
    expect(query.unquote(query.clause("x", 'a "b" \\ c').slice(2))).toBe('a "b" \\ c');
  });

  it("includes once, and takes an exclusion of the same value back", () => {
    const once = query.include("proto:dns", "src_ip", "10.0.0.1");
    expect(once).toBe("proto:dns AND src_ip:10.0.0.1");
    expect(query.include(once, "src_ip", "10.0.0.1")).toBe(once);
    const not = query.exclude(once, "src_ip", "10.0.0.1");
    expect(not).toBe("proto:dns AND NOT src_ip:10.0.0.1");
    expect(query.include(not, "src_ip", "10.0.0.1")).toBe(once);
  });

  it("keeps the meaning of an OR at the top", () => {
    expect(query.include("proto:dns OR proto:http", "src_ip", "10.0.0.1")).toBe(
      "(proto:dns OR proto:http) AND src_ip:10.0.0.1",
    );
  });

  it("starts afresh from SQL", () => {
    expect(query.include("select * from events", "proto", "dns")).toBe("proto:dns");
  });

  it("removes a term with its AND", () => {
    const text = 'proto:dns AND NOT host:"a b" AND (a:1 OR b:2)';
    const terms = query.topTerms(text);
    expect(terms.map((t) => [t.negated, t.field, t.value])).toEqual([
      [false, "proto", "dns"],
      [true, "host", "a b"],
      [false, null, "(a:1 OR b:2)"],
    ]);
    expect(query.without(text, terms[0]!)).toBe('NOT host:"a b" AND (a:1 OR b:2)');
    expect(query.without(text, terms[1]!)).toBe("proto:dns AND (a:1 OR b:2)");
    expect(query.without(text, terms[2]!)).toBe('proto:dns AND NOT host:"a b"');
  });
});

describe("completion", () => {
  it("knows what is typed", () => {
    expect(query.spotAt("pro", 3)).toMatchObject({ kind: "field", prefix: "pro", start: 0 });
    expect(query.spotAt("proto:di", 8)).toMatchObject({
      kind: "value",
      field: "proto",
      prefix: "di",
    });
    expect(query.spotAt("proto:", 6)).toMatchObject({ kind: "value", field: "proto", prefix: "" });
    expect(query.spotAt("a:1 ", 4)).toMatchObject({ kind: "field", prefix: "" });
  });

  it("puts the choice in place", () => {
    const text = "a:1 AND pro";
    expect(query.complete(text, query.spotAt(text, text.length), "proto")).toEqual({
      text: "a:1 AND proto:",
      caret: 14,
    });
    const value = "host:ab AND x:1";
    expect(query.complete(value, query.spotAt(value, 7), "a b")).toEqual({
      text: 'host:"a b" AND x:1',
      caret: 11,
    });
  });

  it("turns the server's bytes into characters", () => {
    expect(query.unitsOfBytes("é:1", 2)).toBe(1);
    expect(query.unitsOfBytes("a😀b", 5)).toBe(3);
    expect(query.unitsOfBytes("abc", 99)).toBe(3);
  });
});
