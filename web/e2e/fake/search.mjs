// Enough of the search language for invented data: terms joined by AND and OR, NOT, parentheses.

export class QueryError extends Error {
  constructor(code, extra) {
    super(code);
    this.code = code;
    this.extra = extra;
  }
}

export function valueAt(event, path) {
  return path
    .split(".")
    .reduce((at, key) => (at === undefined || at === null ? undefined : at[key]), event);
}

export function classOf(event) {
  return event.class_uid === 5001
    ? "inventory_info"
    : event.class_name.toLowerCase().replace(/ /g, "_");
}

export function compile(query, fields) {
  const tokens = [...query.matchAll(/\(|\)|[^\s():]+:"(?:\\.|[^"])*"|[^\s()]+/g)];
  let at = 0;
  const peek = () => tokens[at]?.[0];

  function or() {
    let left = and();
    while (/^or$/i.test(peek() ?? "")) {
      at += 1;
      const [a, b] = [left, and()];
      left = (event) => a(event) || b(event);
    }
    return left;
  }

  function and() {
    let left = not();
    while (at < tokens.length && peek() !== ")" && !/^or$/i.test(peek())) {
      if (/^and$/i.test(peek())) at += 1;
      const [a, b] = [left, not()];
      left = (event) => a(event) && b(event);
    }
    return left;
  }

  function not() {
    if (/^not$/i.test(peek() ?? "")) {
      at += 1;
      const inner = not();
      return (event) => !inner(event);
    }
    return one();
  }

  function one() {
    const token = tokens[at];
    if (!token)
      throw new QueryError("syntax", { position: query.length, detail: "a term is missing" });
    at += 1;
    if (token[0] === "(") {
      const inner = or();
      at += 1;
      return inner;
    }
    const colon = token[0].indexOf(":");
    if (colon < 0) return (event) => JSON.stringify(event).includes(token[0]);
    const name = token[0].slice(0, colon);
    const wanted = token[0]
      .slice(colon + 1)
      .replace(/^"|"$/g, "")
      .replace(/\\(.)/g, "$1");
    const field = fields.find((known) => known.column === name);
    if (!field) {
      const near = fields.find((known) => known.column[0] === name[0])?.column ?? null;
      throw new QueryError("unknown_field", {
        position: token.index,
        suggestion: near,
        detail: `no column is named "${name}"`,
      });
    }
    if (name === "class") return (event) => classOf(event) === wanted;
    return (event) => String(valueAt(event, field.path) ?? "") === wanted;
  }

  if (tokens.length === 0) return () => true;
  return or();
}
