// What makes an installation partial, worked out from its state: for the banner and the tiles.
// Enters: SystemStatus and the time. Leaves: reasons, worst first. Refuses: nothing.

import type { CaptureStatus, RoleStatus, StorageStatus, SystemStatus } from "../api/types";

export type Trouble =
  | { code: "no_capture" }
  | { code: "capture_error"; capture: string; detail: string }
  | { code: "capture_silent"; capture: string; last: number | null }
  | { code: "capture_drops"; capture: string; ratio: number }
  | { code: "role_down"; role: string; state: string }
  | { code: "queue_drops"; queue: string; dropped: number }
  | { code: "storage_full"; used_ratio: number };

/** A capture that saw no packet for this long is called silent. */
export const SILENT_MS = 60_000;
/** Dropped share above which detection is called partial. */
export const DROP_RATIO = 0.01;
/** Used share of the store's bytes, or of its disk, above which old days are about to go. */
export const STORAGE_RATIO = 0.95;

export type CaptureState = "error" | "silent" | "drops" | "ok";

export function dropRatio(capture: CaptureStatus): number {
  const offered = capture.packets + capture.dropped;
  return offered > 0 ? capture.dropped / offered : 0;
}

export function captureState(capture: CaptureStatus, now: number): CaptureState {
  if (capture.error) return "error";
  if (capture.last_packet === null || now - capture.last_packet > SILENT_MS) return "silent";
  return dropRatio(capture) > DROP_RATIO ? "drops" : "ok";
}

export function roleDown(role: RoleStatus): boolean {
  return role.state === "failed" || role.state === "stopped";
}

export function storageUsed(storage: StorageStatus): number {
  const used = storage.segment_bytes + storage.wal_bytes;
  return storage.capacity_bytes > 0 ? used / storage.capacity_bytes : 0;
}

export function troubles(status: SystemStatus, now: number): Trouble[] {
  const out: Trouble[] = [];
  for (const role of status.roles.filter(roleDown)) {
    out.push({ code: "role_down", role: role.role, state: role.state });
  }
  if (status.captures.length === 0) out.push({ code: "no_capture" });
  for (const capture of status.captures) {
    const state = captureState(capture, now);
    if (state === "error") {
      out.push({ code: "capture_error", capture: capture.interface, detail: capture.error ?? "" });
    } else if (state === "silent") {
      out.push({
        code: "capture_silent",
        capture: capture.interface,
        last: capture.last_packet,
      });
    } else if (state === "drops") {
      out.push({
        code: "capture_drops",
        capture: capture.interface,
        ratio: dropRatio(capture),
      });
    }
  }
  for (const queue of status.queues.filter((q) => q.capacity > 0 && q.depth >= q.capacity)) {
    out.push({ code: "queue_drops", queue: queue.name, dropped: queue.dropped });
  }
  const used = storageUsed(status.storage);
  if (used > 1) out.push({ code: "storage_full", used_ratio: used });
  return out;
}
