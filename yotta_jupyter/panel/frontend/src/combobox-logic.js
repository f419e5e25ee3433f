// @ts-check
/** Which options a combobox shows, and what its keys do. */

import { splitWords } from "./filter.js";

/**
 * @typedef {object} ComboboxOption
 * @property {string} value the text of the field when the option is selected
 * @property {string} label
 * @property {string} [detail]
 * @property {string} [group] the heading above it; options of one group follow each other
 * @property {string} [keywords] more words by which it is found
 */

/** The number of options that are shown at a time. */
export const MAX_OPTIONS = 60;

/**
 * @param {ComboboxOption[]} options
 * @returns {(text: string) => ComboboxOption[]} returns the options that contain each word of a text; in each group first
 *   an option that equals the text, then the options in which most words of the text start a word
 */
export function createFilter(options) {
  const entries = options.map((option) => {
    const text = `${option.label} ${option.value} ${option.keywords ?? ""}`.toLowerCase();
    return { option, text, condensed: condense(text) };
  });
  const groups = [...new Set(options.map(({ group }) => group))];
  return (text) => {
    const words = splitWords(text);
    if (!words.length) return options;
    const matches = findMatches(entries, words);
    const wordStarts = words.map(wordStartPattern);
    const exact = words.join(" ");
    const ranked = matches.map(({ option, text }) => ({
      option,
      group: groups.indexOf(option.group),
      equality: [option.value, option.label].some((name) => name.toLowerCase() === exact) ? 1 : 0,
      startCount: wordStarts.filter((pattern) => pattern.test(text)).length,
    }));
    ranked.sort((a, b) => a.group - b.group || b.equality - a.equality || b.startCount - a.startCount);
    return ranked.map(({ option }) => option);
  };
}

/** @typedef {{ option: ComboboxOption, text: string, condensed: string }} Entry */

/**
 * @param {Entry[]} entries
 * @param {string[]} words
 * @returns {Entry[]} those that contain all words, or else those that contain all condensed words
 */
function findMatches(entries, words) {
  const matches = entries.filter(({ text }) => words.every((word) => text.includes(word)));
  const condensedWords = words.map(condense).filter(Boolean);
  if (matches.length || !condensedWords.length) return matches;
  return entries.filter(({ condensed }) => condensedWords.every((word) => condensed.includes(word)));
}

/**
 * @param {string} word
 * @returns {RegExp} matches a text in which the word is at the start of a word
 */
function wordStartPattern(word) {
  return new RegExp(`(^|[^a-z0-9])${word.replace(/[^a-z0-9]/g, "\\$&")}`);
}

/**
 * @param {string} text
 * @returns {string} its letters and digits, so that "rtx4090" finds "RTX 4090"
 */
function condense(text) {
  return text.replace(/[^a-z0-9]/g, "");
}

/**
 * `index` is the option that becomes active, -1 for none. `preventsDefault` is false for a key that keeps its default effect.
 *
 * @typedef {{ type: "open" | "close" | "accept" | "deselect" | "move", index?: number, preventsDefault: boolean }} KeyAction
 */

/**
 * Return what a key does, by the WAI-ARIA pattern of an editable combobox with list autocomplete.
 *
 * @param {{ key: string, altKey?: boolean }} event
 * @param {{ open: boolean, active: number, count: number, selected?: number }} state
 * @returns {KeyAction | null} null if the key has its default effect only
 */
export function keyAction({ key, altKey = false }, { open, active, count, selected = -1 }) {
  const last = count - 1;
  switch (key) {
    case "ArrowDown":
      if (!open) return { type: "open", index: altKey ? -1 : Math.max(selected, 0), preventsDefault: true };
      return { type: "move", index: active >= last ? Math.min(0, last) : active + 1, preventsDefault: true };
    case "ArrowUp":
      if (altKey) return open ? { type: "close", preventsDefault: true } : null;
      if (!open) return { type: "open", index: selected >= 0 ? selected : last, preventsDefault: true };
      return { type: "move", index: active <= 0 ? last : active - 1, preventsDefault: true };
    case "Enter":
      if (!open) return null;
      return { type: active >= 0 ? "accept" : "close", preventsDefault: true };
    case "Tab":
      if (!open) return null;
      return { type: active >= 0 ? "accept" : "close", preventsDefault: false };
    case "Escape":
      return open ? { type: "close", preventsDefault: true } : null;
    case "ArrowLeft":
    case "ArrowRight":
    case "Home":
    case "End":
      return open && active >= 0 ? { type: "deselect", index: -1, preventsDefault: false } : null;
    default:
      return null;
  }
}
