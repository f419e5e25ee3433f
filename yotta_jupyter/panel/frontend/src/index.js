// @ts-check
/** The entry point of the widget. The views of a model share one store. */

import { attach } from "./lifecycle.js";
import { Store } from "./store.js";
import { PanelView } from "./view.js";

/** @typedef {{ _snapshot: DataView | null }} Traits */

/**
 * anywidget calls this once for each model.
 *
 * @type {() => Exclude<import("@anywidget/types").AnyWidget<Traits>, Function>}
 */
export default () => {
  /** @type {Store} */
  let store;
  return {
    initialize({ model }) {
      store = new Store(model);
      return () => store.close();
    },
    render({ el }) {
      return attach(new PanelView(store), el);
    },
  };
};
