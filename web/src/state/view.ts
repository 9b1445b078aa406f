/** What is on the screen, as a value that the address bar holds. Every function here is pure. */
import { FACETS, type FacetName, type Filters, ORDERS, type Order } from "@/api/types";

export const VIEWS = ["explore", "problems", "pending", "history", "build", "settings"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface View {
  view: ViewName;
  filters: Filters;
  order: Order;
  id: string | null;
  /** One example fills the main area. */
  big: boolean;
  size: number;
  /** The commit that History shows, the build that Build shows, the code that Problems shows. */
  commit: string | null;
  build: string | null;
  code: string | null;
}

/** Multiples of 28 and 32 alike: the pictures of the usual data sets scale by whole numbers at the default. */
export const SIZES = [56, 84, 112, 140, 168, 224] as const;
export const DEFAULT_SIZE = 112;

export const NO_FILTERS: Filters = {
  split: [], label: [], prediction: [], finding: [], state: [], change: [], q: "",
};

export const FIRST_VIEW: View = {
  view: "explore", filters: NO_FILTERS, order: "worst", id: null, big: false, size: DEFAULT_SIZE,
  commit: null, build: null, code: null,
};

function oneOf<T extends string>(known: readonly T[], value: string | null, otherwise: T): T {
  return known.includes(value as T) ? (value as T) : otherwise;
}

export function nearestSize(size: number): number {
  return SIZES.reduce((best, one) => (Math.abs(one - size) < Math.abs(best - size) ? one : best), SIZES[0]);
}

export function parseView(search: string, size = DEFAULT_SIZE): View {
  const params = new URLSearchParams(search);
  const filters = { ...NO_FILTERS, q: params.get("q") ?? "" };
  for (const name of FACETS) filters[name] = [...new Set(params.getAll(name))];
  return {
    view: oneOf(VIEWS, params.get("view"), "explore"),
    filters,
    order: oneOf(ORDERS, params.get("order"), "worst"),
    id: params.get("id"),
    big: params.get("big") === "1",
    size: nearestSize(Number(params.get("size")) || size),
    commit: params.get("commit"),
    build: params.get("build"),
    code: params.get("code"),
  };
}

/** Only what differs from the first view is written, so a plain address stays plain. */
export function formatView(view: View): string {
  const params = new URLSearchParams();
  if (view.view !== "explore") params.set("view", view.view);
  for (const name of FACETS) for (const value of view.filters[name]) params.append(name, value);
  if (view.filters.q) params.set("q", view.filters.q);
  if (view.order !== "worst") params.set("order", view.order);
  if (view.size !== DEFAULT_SIZE) params.set("size", String(view.size));
  for (const name of ["commit", "build", "code", "id"] as const) {
    const value = view[name];
    if (value) params.set(name, value);
  }
  if (view.big) params.set("big", "1");
  const text = params.toString();
  return text ? `?${text}` : "";
}

export function isFiltered(filters: Filters): boolean {
  return filters.q !== "" || FACETS.some((name) => filters[name].length > 0);
}

/** A click: only this value, or none when it already was the only one. With `add`, this value in or out. */
export function toggleFacet(filters: Filters, name: FacetName, value: string, add: boolean): Filters {
  const now = filters[name];
  const has = now.includes(value);
  if (add) return { ...filters, [name]: has ? now.filter((one) => one !== value) : [...now, value] };
  return { ...filters, [name]: has && now.length === 1 ? [] : [value] };
}

export function withFilters(part: Partial<Filters>): Filters {
  return { ...NO_FILTERS, ...part };
}

/** The same filters give the same text, whatever the order of clicks. */
export function filtersKey(filters: Filters): string {
  return JSON.stringify([filters.q, ...FACETS.map((name) => [...filters[name]].sort())]);
}

export function stepSize(size: number, steps: number): number {
  const place = SIZES.indexOf(nearestSize(size) as (typeof SIZES)[number]);
  return SIZES[Math.max(0, Math.min(SIZES.length - 1, place + steps))]!;
}
