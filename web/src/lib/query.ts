// The search language as the console needs it: tokens for completion and chips, safe edits for
// pivots. The server stays the only judge of a query.
// Enters: query text. Leaves: tokens, terms, new query text. Refuses: nothing.

export type TokenKind = "field" | "operator" | "value" | "word" | "open" | "close";

export interface Token {
  kind: TokenKind;
  text: string;
  start: number;
  end: number;
}

/** A field with its value, or a bare word, with where it stands. */
export interface Term {
  negated: boolean;
  field: string | null;
  value: string;
  text: string;
  start: number;
  end: number;
}

/** What stands under the caret, for completion. */
export interface Spot {
  kind: "field" | "value";
  field: string | null;
  prefix: string;
  start: number;
  end: number;
}

const OPERATORS = new Set(["AND", "OR", "NOT"]);
const SQL = /^\s*(select|with)\b/i;
/** Longer queries are not analysed for chips or completion; the server still takes them. */
const QUERY_CHARS_MAX = 8192;

export function isSql(query: string): boolean {
  return SQL.test(query);
}

export function tokenise(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const text = query.slice(0, QUERY_CHARS_MAX);
  while (at < text.length) {
    const char = text[at] ?? "";
    if (/\s/.test(char)) {
      at += 1;
    } else if (char === "(" || char === ")") {
      tokens.push({
        kind: char === "(" ? "open" : "close",
        text: char,
        start: at,
        end: at + 1,
      });
      at += 1;
    } else {
      at = readTerm(text, at, tokens);
    }
  }
  return tokens;
}

function readTerm(text: string, start: number, tokens: Token[]): number {
  const name = /^-?[A-Za-z_][\w.]*:/.exec(text.slice(start));
  if (name) {
    const colon = start + name[0].length;
    tokens.push({ kind: "field", text: text.slice(start, colon), start, end: colon });
    const end = readValue(text, colon);
    tokens.push({ kind: "value", text: text.slice(colon, end), start: colon, end });
    return end;
  }
  const end = Math.max(readValue(text, start), start + 1);
  const word = text.slice(start, end);
  tokens.push({
    kind: OPERATORS.has(word.toUpperCase()) ? "operator" : "word",
    text: word,
    start,
    end,
  });
  return end;
}

/** Up to a blank or a parenthesis outside quotes, as the server reads it. */
function readValue(text: string, start: number): number {
  let at = start;
  let quoted = false;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (char === "\\" && quoted) at += 1;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && /[\s()]/.test(char)) break;
    at += 1;
  }
  return Math.min(at, text.length);
}

/** The terms joined by AND at the top level; empty when the query has a top-level OR. */
export function topTerms(query: string): Term[] {
  const tokens = tokenise(query);
  const out: Term[] = [];
  let depth = 0;
  let negated: Token | null = null;
  let group = -1;
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i] as Token;
    if (token.kind === "open") {
      if (depth === 0) group = (negated ?? token).start;
      depth += 1;
    } else if (token.kind === "close") {
      depth -= 1;
      if (depth === 0) {
        out.push(term(query, group, token.end, null, negated !== null));
        negated = null;
      }
    } else if (depth > 0) {
      continue;
    } else if (token.kind === "operator") {
      const word = token.text.toUpperCase();
      if (word === "OR") return [];
      negated = word === "NOT" ? token : null;
    } else if (token.kind === "field") {
      const value = tokens[i + 1];
      const end = value ? value.end : token.end;
      out.push(term(query, (negated ?? token).start, end, token, negated !== null));
      negated = null;
      i += 1;
    } else {
      out.push(term(query, (negated ?? token).start, token.end, null, negated !== null));
      negated = null;
    }
  }
  return out;
}

function term(query: string, start: number, end: number, field: Token | null, not: boolean): Term {
  const minus = field?.text.startsWith("-") ?? false;
  return {
    negated: not || minus,
    field: field ? field.text.replace(/^-/, "").slice(0, -1) : null,
    value: field ? unquote(query.slice(field.end, end)) : query.slice(start, end),
    text: query.slice(start, end),
    start,
    end,
  };
}

export function unquote(value: string): string {
  const inner = /^"([\s\S]*)"$/.exec(value);
  return inner ? (inner[1] ?? "").replace(/\\(["\\])/g, "$1") : value;
}

/** `field:value`, quoted when the value needs it. */
export function clause(field: string, value: string): string {
  const plain = /^[\w.\-/@+%]+$/.test(value) && !OPERATORS.has(value.toUpperCase());
  const body = plain ? value : `"${value.replace(/(["\\])/g, "\\$1")}"`;
  return `${field}:${body}`;
}

export function include(query: string, field: string, value: string): string {
  const added = clause(field, value);
  const negation = topTerms(query).find((t) => t.negated && t.field === field && t.value === value);
  const kept = negation ? without(query, negation) : query;
  if (topTerms(kept).some((t) => !t.negated && t.text === added)) return kept;
  return join(kept, added);
}

export function exclude(query: string, field: string, value: string): string {
  const wanted = clause(field, value);
  const same = topTerms(query).find((t) => !t.negated && t.text === wanted);
  const kept = same ? without(query, same) : query;
  const added = `NOT ${wanted}`;
  if (topTerms(kept).some((t) => t.text === added)) return kept;
  return join(kept, added);
}

export function only(field: string, value: string): string {
  return clause(field, value);
}

/** The query without one of its top-level terms, and without the AND that joined it. */
export function without(query: string, gone: Term): string {
  const before = query.slice(0, gone.start).replace(/\s*(\bAND\s*)?$/i, "");
  const after = query.slice(gone.end).replace(/^\s*(AND\b\s*)?/i, "");
  if (before === "" || after === "") return (before + after).trim();
  return `${before} AND ${after}`;
}

function join(query: string, added: string): string {
  const base = query.trim();
  if (base === "" || isSql(base)) return added;
  const hasOr = tokenise(base).some((t) => t.kind === "operator" && t.text.toUpperCase() === "OR");
  const whole = hasOr && topTerms(base).length === 0 ? `(${base})` : base;
  return `${whole} AND ${added}`;
}

/** What is being typed at `caret`. */
export function spotAt(query: string, caret: number): Spot {
  const tokens = tokenise(query);
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i] as Token;
    if (token.kind === "value" && caret >= token.start && caret <= token.end) {
      const field = tokens[i - 1]?.text.replace(/^-/, "").slice(0, -1) ?? null;
      const prefix = query.slice(token.start, caret).replace(/^"/, "");
      return { kind: "value", field, prefix, start: token.start, end: token.end };
    }
    if (token.kind !== "value" && caret > token.start && caret <= token.end) {
      if (token.kind === "open" || token.kind === "close") break;
      if (token.kind === "field" && caret === token.end) continue;
      const end = token.kind === "field" ? token.end : token.end;
      const prefix = query.slice(token.start, caret);
      return { kind: "field", field: null, prefix, start: token.start, end };
    }
  }
  return { kind: "field", field: null, prefix: "", start: caret, end: caret };
}

/** The query with the spot replaced, and where the caret stands then. */
export function complete(
  query: string,
  spot: Spot,
  choice: string,
): { text: string; caret: number } {
  const closing = spot.kind === "value" ? " " : ":";
  const body = spot.kind === "value" ? clause("x", choice).slice(2) : choice;
  const head = `${query.slice(0, spot.start)}${body}${closing}`;
  const rest = query.slice(spot.end).replace(/^\s+/, "");
  return { text: head + rest, caret: head.length };
}

/** The server counts bytes, the browser UTF-16 units. */
export function unitsOfBytes(text: string, offset: number): number {
  let seen = 0;
  let units = 0;
  for (const char of text) {
    if (seen >= offset) break;
    seen += new TextEncoder().encode(char).length;
    units += char.length;
  }
  return units;
}
