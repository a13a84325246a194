// Layout of a Sankey in layers: nodes stacked by value, links as ribbons. No cycle is possible: the
// server gives source and destination copies of a zone different nodes in different layers.
// Enters: nodes with layers, links. Leaves: rectangles and paths. Refuses: links between unknown
// nodes (left out).

import type { Sankey } from "../api/types";

export interface Box {
  id: string;
  label: string;
  layer: number;
  x: number;
  y: number;
  height: number;
  value: number;
}

export interface Ribbon {
  key: string;
  source: Box;
  target: Box;
  value: number;
  path: string;
}

export interface Layout {
  boxes: Box[];
  ribbons: Ribbon[];
  height: number;
}

const GAP = 10;
const BOX_HEIGHT_MIN = 2;
export const BOX_WIDTH = 10;

export function layout(data: Sankey, width: number, heightWanted: number): Layout {
  const known = new Set(data.nodes.map((node) => node.id));
  const links = data.links.filter((l) => known.has(l.source) && known.has(l.target) && l.value > 0);
  const inward = sums(links, "target");
  const outward = sums(links, "source");
  const layers = [...new Set(data.nodes.map((node) => node.layer))].sort((a, b) => a - b);
  const value = (id: string) => Math.max(inward.get(id) ?? 0, outward.get(id) ?? 0);

  const used = data.nodes.filter((node) => value(node.id) > 0);
  const byLayer = layers.map((layer) =>
    used.filter((node) => node.layer === layer).sort((a, b) => value(b.id) - value(a.id)),
  );
  const most = Math.max(1, ...byLayer.map((list) => list.length));
  const height = Math.max(heightWanted, most * 26);
  const scale = Math.min(
    ...byLayer.map((list) => {
      const total = list.reduce((sum, node) => sum + value(node.id), 0);
      return total > 0 ? (height - GAP * (list.length - 1)) / total : Infinity;
    }),
  );

  const boxes: Box[] = [];
  const step = layers.length > 1 ? (width - BOX_WIDTH) / (layers.length - 1) : 0;
  byLayer.forEach((list, at) => {
    let y = 0;
    for (const node of list) {
      const high = Math.max(BOX_HEIGHT_MIN, value(node.id) * scale);
      boxes.push({ ...node, x: at * step, y, height: high, value: value(node.id) });
      y += Math.max(high + GAP, 22);
    }
  });
  return { boxes, ribbons: ribbons(links, boxes, scale), height: bottom(boxes, height) };
}

function bottom(boxes: Box[], height: number): number {
  return Math.max(height, ...boxes.map((box) => box.y + box.height));
}

function sums(links: Sankey["links"], side: "source" | "target"): Map<string, number> {
  const out = new Map<string, number>();
  for (const link of links) out.set(link[side], (out.get(link[side]) ?? 0) + link.value);
  return out;
}

function ribbons(links: Sankey["links"], boxes: Box[], scale: number): Ribbon[] {
  const at = new Map(boxes.map((box) => [box.id, box]));
  const left = new Map<string, number>();
  const right = new Map<string, number>();
  const order = [...links].sort((a, b) => (at.get(a.target)?.y ?? 0) - (at.get(b.target)?.y ?? 0));
  const out: Ribbon[] = [];
  for (const link of order) {
    const source = at.get(link.source);
    const target = at.get(link.target);
    if (!source || !target) continue;
    const thick = Math.max(1, link.value * scale);
    const y0 = source.y + (right.get(source.id) ?? 0);
    const y1 = target.y + (left.get(target.id) ?? 0);
    right.set(source.id, (right.get(source.id) ?? 0) + link.value * scale);
    left.set(target.id, (left.get(target.id) ?? 0) + link.value * scale);
    out.push({
      key: `${link.source}>${link.target}`,
      source,
      target,
      value: link.value,
      path: ribbon(source.x + BOX_WIDTH, y0, target.x, y1, thick),
    });
  }
  return out;
}

function ribbon(x0: number, y0: number, x1: number, y1: number, thick: number): string {
  const mid = (x0 + x1) / 2;
  const n = (value: number) => value.toFixed(1);
  return (
    `M${n(x0)} ${n(y0)}C${n(mid)} ${n(y0)} ${n(mid)} ${n(y1)} ${n(x1)} ${n(y1)}` +
    `V${n(y1 + thick)}C${n(mid)} ${n(y1 + thick)} ${n(mid)} ${n(y0 + thick)} ` +
    `${n(x0)} ${n(y0 + thick)}Z`
  );
}
