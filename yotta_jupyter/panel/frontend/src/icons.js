// @ts-check
/** The icons of the panel's buttons: SVG paths on a grid of 16 by 16. */

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  pause: "M5 3h2v10H5zM9 3h2v10H9z",
  resume: "M5 3l8 5-8 5z",
  delete: "M6 2h4l.5 1H14v1.4H2V3h3.500zM3.300 5.500h9.400l-.7 8.500H4z",
  undo: "M6.500 2.500v2.600h2.700a4.100 4.100 0 0 1 0 8.200H5v-1.400h4.200a2.700 2.700 0 0 0 0-5.400H6.500v2.600L2.500 5.800z",
  copy: "M5 1.500h8.500V11H12V3H5zM2.500 4.500H10.500V14.500H2.500z",
  refresh: "M8 2.500a5.500 5.500 0 1 0 5.500 5.500h-1.500A4 4 0 1 1 8 4v2.500L12 3.200 8 0z",
  close: "M4.200 3.200L8 7l3.800-3.800 1 1L9 8l3.800 3.800-1 1L8 9l-3.800 3.800-1-1L7 8 3.200 4.200z",
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return /** @type {SVGSVGElement} */ (svg);
}
