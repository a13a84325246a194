// Live events: a bounded window on the server-sent stream.
// Enters: a query. Leaves: the newest events. Refuses: more than `ROWS_MAX` rows; older ones leave
// the screen (never the store), and what arrived is counted.

import { url } from "./client";
import type { OcsfEvent } from "./types";

const ROWS_MAX = 1000;
/** Screens are redrawn at most this often. */
const FLUSH_MS = 300;

export class Live {
  events = $state.raw<OcsfEvent[]>([]);
  received = $state(0);
  /** Events that the server left out because this browser is too slow. */
  dropped = $state(0);
  state = $state<"connecting" | "open" | "lost">("connecting");
  #waiting: OcsfEvent[] = [];
  #source: EventSource;
  #timer: ReturnType<typeof setInterval>;

  constructor(q: string) {
    this.#source = new EventSource(url("/stream", { q }));
    this.#source.onopen = () => (this.state = "open");
    this.#source.onerror = () => (this.state = "lost");
    const take = (message: MessageEvent<string>) => this.#take(message.data);
    this.#source.onmessage = take;
    this.#source.addEventListener("ocsf", take);
    this.#source.addEventListener("dropped", (message: MessageEvent<string>) => {
      this.dropped = Number(message.data);
    });
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
  }

  close(): void {
    this.#source.close();
    clearInterval(this.#timer);
  }

  #take(data: string): void {
    try {
      this.#waiting.unshift(JSON.parse(data) as OcsfEvent);
      this.#waiting.length = Math.min(this.#waiting.length, ROWS_MAX);
      this.received += 1;
    } catch {
      // A keep-alive or a cut line is no event.
    }
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    this.events = [...this.#waiting, ...this.events].slice(0, ROWS_MAX);
    this.#waiting = [];
  }
}
