import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { isFiltered, NO_FILTERS, withFilters } from "@/state/view";

export const FILTER_BOX = "filter-box";

export const focusFilter: Action = {
  name: "filter.focus", group: "filter", title: () => t("action.filter.focus"), keys: ["/"],
  perform: (app) => {
    if (app.view.get().view !== "explore" || app.view.get().big) app.go({ view: "explore", big: false });
    requestAnimationFrame(() => document.getElementById(FILTER_BOX)?.focus());
  },
};

export const clearFilters: Action = {
  name: "filter.clear", group: "filter", title: () => t("action.filter.clear"), keys: ["Shift+Escape"],
  enabled: (app) => isFiltered(app.view.get().filters),
  perform: (app) => app.filter(NO_FILTERS),
};

export const showDoubts: Action = {
  name: "filter.doubts", group: "filter", title: () => t("action.filter.doubts"), keys: [],
  enabled: (app) => Boolean(app.session()?.program),
  perform: (app) => app.filter(withFilters({ state: ["disagree"] })),
};

export const showEdited: Action = {
  name: "filter.edited", group: "filter", title: () => t("action.filter.edited"), keys: [],
  perform: (app) => app.filter(withFilters({ state: ["edited"] })),
};
