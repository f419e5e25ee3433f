// @ts-check
/** Which options a combobox shows, and where its keys lead. */

/**
 * @typedef {object} ComboboxOption
 * @property {string} value what the field contains once it is chosen
 * @property {string} label
 * @property {string} [detail]
 * @property {string} [group] options of one group follow each other
 * @property {string} [keywords] further words by which it is found
 */

/** Options that are elements at a time; typing narrows them. */
export const MAX_OPTIONS = 60;

/**
 * @param {ComboboxOption[]} options
 * @returns {(text: string) => ComboboxOption[]} returns the options with each word of a text, best matches of each
 *   group first
 */
export function createFilter(options) {
  const indexed = options.map((option) => {
    const text = `${option.label} ${option.value} ${option.keywords ?? ""}`.toLowerCase();
    return { option, text, condensed: condense(text) };
  });
  const groups = [...new Set(options.map(({ group }) => group))];
  return (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return options;
    let matches = indexed.filter((entry) => words.every((word) => entry.text.includes(word)));
    if (!matches.length) {
      const condensed = words.map(condense).filter(Boolean);
      matches = condensed.length
        ? indexed.filter((entry) => condensed.every((word) => entry.condensed.includes(word)))
        : [];
    }
    const starts = words.map((word) => new RegExp(`(^|[^a-z0-9])${word.replace(/[^a-z0-9]/g, "\\$&")}`));
    const ranked = matches.map(({ option, text }, index) => ({
      option,
      index,
      group: groups.indexOf(option.group),
      rank: starts.filter((start) => !start.test(text)).length,
    }));
    ranked.sort((a, b) => a.group - b.group || a.rank - b.rank || a.index - b.index);
    return ranked.map(({ option }) => option);
  };
}

/**
 * @param {string} text
 * @returns {string} its letters and digits, so that "rtx4090" finds "RTX 4090"
 */
function condense(text) {
  return text.replace(/[^a-z0-9]/g, "");
}

/**
 * What a key does in a combobox, by the WAI-ARIA pattern of an editable combobox with list autocomplete.
 *
 * @typedef {{ type: "open" | "close" | "accept" | "deselect" | "move", index?: number, handled: boolean }} KeyAction
 *   `index` is the option that becomes active, -1 for none; a key that is not `handled` keeps its own effect
 */

/**
 * @param {{ key: string, altKey?: boolean }} event
 * @param {{ open: boolean, active: number, count: number, selected?: number }} state
 * @returns {KeyAction | null} null where the key has its own effect only
 */
export function keyAction({ key, altKey = false }, { open, active, count, selected = -1 }) {
  const last = count - 1;
  switch (key) {
    case "ArrowDown":
      if (!open) return { type: "open", index: altKey ? -1 : Math.max(selected, 0), handled: true };
      return { type: "move", index: active >= last ? Math.min(0, last) : active + 1, handled: true };
    case "ArrowUp":
      if (altKey) return open ? { type: "close", handled: true } : null;
      if (!open) return { type: "open", index: selected >= 0 ? selected : last, handled: true };
      return { type: "move", index: active <= 0 ? last : active - 1, handled: true };
    case "Enter":
      if (!open) return null;
      return { type: active >= 0 ? "accept" : "close", handled: true };
    case "Tab":
      if (!open) return null;
      return { type: active >= 0 ? "accept" : "close", handled: false };
    case "Escape":
      return open ? { type: "close", handled: true } : null;
    case "ArrowLeft":
    case "ArrowRight":
    case "Home":
    case "End":
      return open && active >= 0 ? { type: "deselect", index: -1, handled: false } : null;
    default:
      return null;
  }
}
