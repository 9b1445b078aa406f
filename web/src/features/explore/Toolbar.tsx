import { Menu, Slider } from "@mantine/core";
import { useEffect, useState } from "react";
import { FACETS, type FacetName, ORDERS } from "@/api/types";
import { useFacets, useSession, useView } from "@/api/queries";
import { useT } from "@/i18n";
import { perform } from "@/state/actions";
import { useApp } from "@/state/app";
import { useStore } from "@/state/store";
import { isFiltered, NO_FILTERS, SIZES } from "@/state/view";
import { Button, IconButton, Link } from "@/ui/Button";
import { int } from "@/ui/format";
import { Icon } from "@/ui/Icon";
import { Keycaps } from "@/ui/Keycaps";
import { FILTER_BOX } from "./actions/filter";
import { refresh } from "./actions/refresh";
import { setSize } from "./actions/size";
import { valueName } from "./Explorer";

function Chip({ facet, value }: { facet: FacetName; value: string }) {
  const t = useT();
  const app = useApp();
  const filters = useView("filters");
  const name = valueName(facet, value);
  const remove = () => app.go({ filters: { ...filters, [facet]: filters[facet].filter((one) => one !== value) } });
  return (
    <span className="chip">
      <span className="chip-facet">{t(`facet.${facet}`)}</span> {name}
      <button type="button" aria-label={t("explore.without", { facet: t(`facet.${facet}`), value: name })} onClick={remove}>
        <Icon name="cross" size={10} />
      </button>
    </span>
  );
}

/** Text in the id, and a chip for every facet that is on. The address follows after a moment, not at each letter. */
function FilterBox() {
  const t = useT();
  const app = useApp();
  const filters = useView("filters");
  const [text, setText] = useState(filters.q);
  useEffect(() => setText(filters.q), [filters.q]);
  useEffect(() => {
    if (text === filters.q) return;
    const timer = setTimeout(() => app.go({ filters: { ...app.view.get().filters, q: text } }), 180);
    return () => clearTimeout(timer);
  }, [app, text, filters.q]);
  const chips = FACETS.flatMap((facet) => filters[facet].map((value) => ({ facet, value })));
  const leave = () => app.list.get()?.focus();
  return (
    <div className="filter" role="search">
      <Icon name="search" size={14} />
      {chips.map(({ facet, value }) => <Chip key={`${facet}=${value}`} facet={facet} value={value} />)}
      <input
        id={FILTER_BOX}
        value={text}
        spellCheck={false}
        autoComplete="off"
        aria-label={t("explore.filter")}
        placeholder={chips.length ? "" : t("explore.filter")}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          const last = chips.at(-1);
          if (event.key === "Escape" || event.key === "Enter" || event.key === "ArrowDown") {
            event.preventDefault();
            event.stopPropagation();
            leave();
          } else if (event.key === "Backspace" && !text && last) {
            app.go({ filters: { ...filters, [last.facet]: filters[last.facet].filter((one) => one !== last.value) } });
          }
        }}
      />
      {isFiltered(filters) ? (
        <IconButton name={t("explore.clear")} icon="cross" onClick={() => app.filter(NO_FILTERS)} />
      ) : <Keycaps keys="/" />}
    </div>
  );
}

function OrderMenu() {
  const t = useT();
  const app = useApp();
  const order = useView("order");
  return (
    <Menu position="bottom-end" offset={4}>
      <Menu.Target>
        <button type="button" className="order" aria-label={t("explore.order", { order: t(`order.${order}`) })}>
          {t(`order.${order}`)}<Icon name="chevronDown" size={12} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {ORDERS.map((one) => (
          <Menu.Item
            key={one}
            aria-current={one === order || undefined}
            leftSection={one === order ? <Icon name="check" size={12} /> : <span className="menu-space" />}
            onClick={() => app.go({ order: one })}
          >
            {t(`order.${one}`)}<span className="menu-hint">{t(`orderHint.${one}`)}</span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Edits may take examples out of the filter; they stay where they are until somebody asks. */
function Changed({ filtered }: { filtered: number }) {
  const t = useT();
  const app = useApp();
  const filters = useView("filters");
  const facets = useFacets(filters);
  const stale = useStore(app.stale);
  if (stale) return <Link className="link-accent" onClick={() => perform(app, "build.seeWorst")}>{t("build.seeWorst")}</Link>;
  const apart = facets.data && !facets.isPlaceholderData ? Math.abs(facets.data.filtered - filtered) : 0;
  if (!apart || facets.isFetching) return null;
  return <Link className="link-accent" onClick={() => refresh.perform(app)}>{t("explore.changed", { count: apart })}</Link>;
}

export function Toolbar({ total, filtered }: { total: number; filtered: number }) {
  const t = useT();
  const app = useApp();
  const size = useView("size");
  const session = useSession().data;
  const selected = useStore(app.selection, (now) => now.selected.size);
  return (
    <div className="toolbar">
      <FilterBox />
      <div className="toolbar-line">
        <span className="counts" data-testid="counts">
          <b>{int(filtered)}</b> {t("explore.of", { total: int(total) })}
          {selected > 0 && <> · <b className="counts-selected">{t("explore.selected", { count: selected, number: int(selected) })}</b></>}
        </span>
        <Changed filtered={filtered} />
        <span className="space" />
        <OrderMenu />
        <Slider
          className="size"
          thumbLabel={t("explore.size")}
          size={2}
          thumbSize={12}
          min={0}
          max={SIZES.length - 1}
          step={1}
          label={null}
          value={(SIZES as readonly number[]).indexOf(size)}
          onChange={(place) => setSize(app, SIZES[place]!)}
        />
      </div>
      {session && !session.program && !session.building && session.rows > 0 && <FirstBuild />}
    </div>
  );
}

function FirstBuild() {
  const t = useT();
  const app = useApp();
  return (
    <div className="banner">
      <span>{t("explore.noProgram")}</span>
      <Button kind="primary" onClick={() => perform(app, "build.start")}>{t("explore.firstBuild")}</Button>
    </div>
  );
}
