// Sentences built from codes and values, in one place for banner, tiles and lists.

import type { CaptureStatus, OcsfEvent, Todo } from "../api/types";
import { hasCode, t, tcode } from "../i18n/index.svelte";
import { ago, bytes, number, ratio, shortDateTime } from "./format";
import { captureState, dropRatio, type Trouble } from "./health";
import { summary, valueAt } from "./ocsf";
import { health, place } from "./state.svelte";

export function troubleText(trouble: Trouble): string {
  const style = place.style;
  switch (trouble.code) {
    case "no_capture":
      return t("trouble.no_capture");
    case "capture_error":
      return t("trouble.capture_error", { capture: trouble.capture });
    case "capture_silent":
      return trouble.last === null
        ? t("trouble.capture_never", { capture: trouble.capture })
        : t("trouble.capture_silent", {
            capture: trouble.capture,
            ago: ago(style, trouble.last, health.at),
          });
    case "capture_drops":
      return t("trouble.capture_drops", {
        capture: trouble.capture,
        ratio: ratio(style, trouble.ratio),
      });
    case "role_down":
      return t("trouble.role_down", {
        role: trouble.role,
        state: tcode("state", trouble.state),
      });
    case "queue_drops":
      return t("trouble.queue_full", {
        queue: trouble.queue,
        dropped: number(style, trouble.dropped),
      });
    case "storage_full":
      return t("trouble.storage_full");
  }
}

export function captureText(capture: CaptureStatus, now: number): string {
  const style = place.style;
  switch (captureState(capture, now)) {
    case "error":
      return capture.error ?? t("capture.error");
    case "silent":
      return capture.last_packet === null
        ? t("capture.never")
        : t("capture.silent", { ago: ago(style, capture.last_packet, now) });
    case "drops":
      return t("capture.drops", { ratio: ratio(style, dropRatio(capture)) });
    case "ok":
      return t("capture.ok");
  }
}

/** A to-do entry: the sentence of its code, or the code with its values when we do not know it. */
export function todoText(todo: Todo): string {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(todo.args)) values[name] = argument(name, value);
  if (hasCode("todo", todo.code)) return tcode("todo", todo.code, values);
  const list = Object.entries(values).map(([name, value]) => `${name} ${value}`);
  return [todo.code.replace(/_/g, " "), ...list].join(" · ");
}

function argument(name: string, value: unknown): string {
  const style = place.style;
  if (Array.isArray(value)) return value.map(String).join(", ");
  if (name === "state") return tcode("state", String(value));
  if (typeof value !== "number") return value === null ? t("never") : String(value);
  if (/ratio$/.test(name)) return ratio(style, value);
  if (/bytes/.test(name)) return bytes(style, value);
  if (/^(last|since|time|at|first)(_|$)|_(ms|at|time)$|^last_packet$/.test(name) && value > 1e11) {
    return shortDateTime(style, value);
  }
  return number(style, value, 1);
}

/** What matters of an event in one line, with its size where it has one. */
export function eventText(event: OcsfEvent): string {
  const size = Number(valueAt(event, "traffic.bytes") ?? 0);
  return [summary(event), size > 0 ? bytes(place.style, size) : ""].filter(Boolean).join(" · ");
}

/** A zone's name; traffic that no configured zone covers has an empty one. */
export function zoneName(zone: string | null): string {
  return zone ? zone : t("zone.outside");
}

export function className(name: string): string {
  return tcode("class", name);
}
