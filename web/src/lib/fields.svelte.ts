// The fields that the search language knows, asked for once.

import { api } from "../api/client";
import type { SearchField } from "../api/types";

class Fields {
  list = $state.raw<SearchField[]>([]);
  #asked = false;

  load(): void {
    if (this.#asked) return;
    this.#asked = true;
    api.fields().then(
      (list) => (this.list = list),
      () => (this.#asked = false),
    );
  }

  of(column: string): SearchField | undefined {
    return this.list.find((field) => field.column === column);
  }
}

export const fields = new Fields();
