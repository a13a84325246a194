// The rooted tree of one entity: hops to the right, oldest contact first, at most `NODES_MAX` nodes,
// the rest folded into one counted group per parent.
// Enters: the server's ego graph. Leaves: placed nodes with the edge that led to each.

import type { Ego, EgoEdge, EgoNode } from "../api/types";

export const NODES_MAX = 40;
export const ROW_HEIGHT = 26;

export interface Placed {
  node: EgoNode;
  depth: number;
  y: number;
  parent: Placed | null;
  edges: EgoEdge[];
  outward: boolean;
}

interface Branch {
  node: EgoNode;
  edges: EgoEdge[];
  children: Branch[];
  depth: number;
}

export function tree(ego: Ego): { placed: Placed[]; height: number; depth: number } {
  const root = grow(ego);
  const placed: Placed[] = [];
  let row = 0;
  const walk = (branch: Branch, parent: Placed | null): Placed => {
    const here: Placed = {
      node: branch.node,
      depth: branch.depth,
      y: 0,
      parent,
      edges: branch.edges,
      outward: branch.edges.some((edge) => edge.target === branch.node.id),
    };
    placed.push(here);
    const children = branch.children.map((child) => walk(child, here));
    if (children.length === 0) {
      here.y = row * ROW_HEIGHT + ROW_HEIGHT / 2;
      row += 1;
    } else {
      const first = children[0]?.y ?? 0;
      here.y = (first + (children[children.length - 1]?.y ?? first)) / 2;
    }
    return here;
  };
  walk(root, null);
  const depth = Math.max(...placed.map((one) => one.depth));
  return { placed, height: Math.max(1, row) * ROW_HEIGHT, depth };
}

function grow(ego: Ego): Branch {
  const nodes = new Map(ego.nodes.map((node) => [node.id, node]));
  const center = nodes.get(ego.center) ?? {
    id: ego.center,
    label: ego.center,
    kind: "asset" as const,
    zone: null,
    count: 1,
  };
  const root: Branch = { node: center, edges: [], children: [], depth: 0 };
  const seen = new Set([center.id]);
  let count = 1;
  let front = [root];
  while (front.length > 0) {
    const next: Branch[] = [];
    for (const branch of front) {
      const { kept, folded } = step(branch, ego.edges, nodes, seen, NODES_MAX - count);
      branch.children = [...kept, ...folded];
      count += branch.children.length;
      next.push(...kept.filter((child) => child.node.kind !== "group"));
    }
    front = next;
  }
  return root;
}

function step(
  branch: Branch,
  edges: EgoEdge[],
  nodes: Map<string, EgoNode>,
  seen: Set<string>,
  room: number,
): { kept: Branch[]; folded: Branch[] } {
  const byPeer = new Map<string, EgoEdge[]>();
  for (const edge of edges) {
    const peer = otherEnd(edge, branch.node.id);
    if (peer === null || seen.has(peer) || !nodes.has(peer)) continue;
    byPeer.set(peer, [...(byPeer.get(peer) ?? []), edge]);
  }
  const peers = [...byPeer.entries()].sort((a, b) => first(a[1]) - first(b[1]));
  const cut = peers.length > room ? Math.max(0, room - 1) : peers.length;
  const kept = peers.slice(0, cut).map(([peer, list]) => {
    seen.add(peer);
    const node = nodes.get(peer) as EgoNode;
    return { node, edges: list, children: [], depth: branch.depth + 1 };
  });
  const rest = peers.slice(cut);
  for (const [peer] of rest) seen.add(peer);
  if (rest.length === 0) return { kept, folded: [] };
  const node: EgoNode = {
    id: `rest:${branch.node.id}`,
    label: "",
    kind: "group",
    zone: null,
    count: rest.length,
  };
  const list = rest.flatMap(([, edge]) => edge);
  return { kept, folded: [{ node, edges: list, children: [], depth: branch.depth + 1 }] };
}

function otherEnd(edge: EgoEdge, id: string): string | null {
  if (edge.source === id) return edge.target;
  return edge.target === id ? edge.source : null;
}

function first(edges: EgoEdge[]): number {
  return Math.min(...edges.map((edge) => edge.first));
}
