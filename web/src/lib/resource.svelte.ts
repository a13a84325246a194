// A request bound to a component: runs again when what it reads changes, aborts the one before.

import { untrack } from "svelte";
import { asApiError, isAbort, type ApiError } from "../api/client";

export class Resource<T> {
  data = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loading = $state(true);
}

/** `task` is called in an effect: state that it reads before its first `await` is tracked. */
export function resource<T>(task: (signal: AbortSignal) => Promise<T> | null): Resource<T> {
  const out = new Resource<T>();
  $effect(() => {
    const abort = new AbortController();
    const running = task(abort.signal);
    untrack(() => start(out, running));
    return () => abort.abort();
  });
  return out;
}

function start<T>(out: Resource<T>, running: Promise<T> | null): void {
  if (!running) {
    out.loading = false;
    out.data = null;
    out.error = null;
    return;
  }
  out.loading = true;
  running.then(
    (data) => {
      out.data = data;
      out.error = null;
      out.loading = false;
    },
    (error: unknown) => {
      if (isAbort(error)) return;
      out.error = asApiError(error);
      // A refused question has no answer: the one before would be read as its own.
      if (out.error.status >= 400 && out.error.status < 500) out.data = null;
      out.loading = false;
    },
  );
}
