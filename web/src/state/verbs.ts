/** What an edit does to an example, shown before the server has answered. Pure. */
import type { Item, Verb } from "@/api/types";

export interface Decision {
  verb: Verb;
  label?: string;
}

export function labelAfter(item: Pick<Item, "given" | "proposed">, decision: Decision): string | null {
  if (decision.verb === "label") return decision.label ?? item.given;
  if (decision.verb === "accept") return item.proposed ?? item.given;
  return item.given;
}

/** The server's own answer replaces this within milliseconds; the loss is left alone, for the order rests on it. */
export function decide(item: Item, decision: Decision): Item {
  return { ...item, given: labelAfter(item, decision), reviewed: true, edited: true, finding: null };
}

/** An example is drawn as a doubt while the program says otherwise and nobody has decided. */
export function doubt(item: Pick<Item, "given" | "proposed" | "prediction" | "reviewed">): string | null {
  const other = item.proposed ?? item.prediction;
  return !item.reviewed && other !== null && other !== item.given ? other : null;
}
