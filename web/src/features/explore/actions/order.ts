import { ORDERS } from "@/api/types";
import { t } from "@/i18n";
import type { Action } from "@/state/actions";

export const orders: Action[] = ORDERS.map((order) => ({
  name: `order.${order}`,
  group: "filter",
  title: () => t("action.order", { order: t(`order.${order}`) }),
  keys: [],
  perform: (app) => app.go({ view: "explore", order }),
}));
