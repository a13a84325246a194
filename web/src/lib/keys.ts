// The keyboard: what each key means, wherever the focus is. Letters can be switched off.
// Enters: key events. Leaves: calls of `KeyActions`. Refuses: keys typed into fields or menus.

export interface KeyActions {
  letters: () => boolean;
  query: () => void;
  palette: () => void;
  help: () => void;
  go: (letter: string) => void;
  move: (step: number) => void;
  window: (step: number) => void;
  back: () => boolean;
}

/** The second key of `g` must follow within this time. */
const CHORD_MS = 1500;

export function onKey(actions: KeyActions): (event: KeyboardEvent) => void {
  let chord = 0;
  return (event) => {
    if (event.defaultPrevented) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      actions.palette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) {
      return;
    }
    const typing = isTyping(event.target);
    if ((event.key === "Escape" || event.key === "Backspace") && !typing) {
      if (actions.back()) event.preventDefault();
      return;
    }
    if (typing || !actions.letters()) return;
    if (chord > 0 && Date.now() - chord < CHORD_MS && /^[a-z]$/.test(event.key)) {
      chord = 0;
      event.preventDefault();
      actions.go(event.key);
      return;
    }
    chord = event.key === "g" ? Date.now() : 0;
    const run = single(event.key, actions);
    if (run) {
      event.preventDefault();
      run();
    }
  };
}

function single(key: string, actions: KeyActions): (() => void) | null {
  switch (key) {
    case "/":
      return actions.query;
    case "?":
      return actions.help;
    case "j":
      return () => actions.move(1);
    case "k":
      return () => actions.move(-1);
    case "[":
      return () => actions.window(-1);
    case "]":
      return () => actions.window(1);
    default:
      return null;
  }
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("[role=menu]")) return true;
  if (target instanceof HTMLInputElement) {
    return !["checkbox", "radio", "button", "submit"].includes(target.type);
  }
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
