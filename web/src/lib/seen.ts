// Share of the offered packets that were seen, from the captures' own counters.

import type { SystemStatus } from "../api/types";

export function seenRatio(status: SystemStatus): number | null {
  const packets = status.captures.reduce((sum, capture) => sum + capture.packets, 0);
  const dropped = status.captures.reduce((sum, capture) => sum + capture.dropped, 0);
  return packets + dropped > 0 ? packets / (packets + dropped) : null;
}
