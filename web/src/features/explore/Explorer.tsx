import { FACETS, type FacetName, type Facet } from "@/api/types";
import { useFacets, useLabelIndex, useView } from "@/api/queries";
import { known, useT } from "@/i18n";
import { useApp } from "@/state/app";
import { useStore } from "@/state/store";
import { isFiltered, NO_FILTERS, toggleFacet } from "@/state/view";
import { Link } from "@/ui/Button";
import { int } from "@/ui/format";
import { Icon } from "@/ui/Icon";
import { Mark } from "@/ui/Mark";
import { Failure, SkeletonRows } from "@/ui/States";

const IS_LABEL = new Set<string>(["label", "prediction"]);

/** A facet's values in words; labels are the reader's own and are not translated. */
export function valueName(facet: string, value: string): string {
  return IS_LABEL.has(facet) ? value : known(facet, value);
}

function FacetGroup({ facet }: { facet: Facet }) {
  const t = useT();
  const app = useApp();
  const filters = useView("filters");
  const indexOf = useLabelIndex();
  const name = facet.name as FacetName;
  const active = filters[name];
  const folded = useStore(app.prefs, (prefs) => prefs.folded.includes(name));
  const fold = () => app.prefs.set((prefs) => ({
    ...prefs, folded: folded ? prefs.folded.filter((one) => one !== name) : [...prefs.folded, name],
  }));
  const most = Math.max(...facet.values.map((one) => one.total), 1);
  return (
    <section className="facet" aria-labelledby={`facet-${name}`}>
      <h3 id={`facet-${name}`}>
        <button type="button" className="facet-fold" aria-expanded={!folded} onClick={fold}>
          <Icon name={folded ? "chevronRight" : "chevronDown"} size={12} />{t(`facet.${name}`)}
        </button>
        {active.length > 0 && (
          <Link className="facet-clear" onClick={() => app.go({ filters: { ...filters, [name]: [] } })}>
            {t("explore.all")}<span className="sr"> {t(`facet.${name}`)}</span>
          </Link>
        )}
      </h3>
      {!folded && facet.values.map(({ value, count, total }) => (
        <button
          key={value}
          type="button"
          className="facet-row"
          aria-pressed={active.includes(value)}
          data-empty={count === 0 || undefined}
          title={t("explore.facetHint", { value: valueName(name, value), count: int(count), total: int(total) })}
          onClick={(event) =>
            app.go({ filters: toggleFacet(filters, name, value, event.shiftKey || event.ctrlKey || event.metaKey) })}
        >
          <span className="facet-name">
            {IS_LABEL.has(name) && <Mark index={indexOf(value)} />}
            <span className="facet-text">{valueName(name, value)}</span>
          </span>
          <span className="facet-bar" aria-hidden="true">
            <i style={{ width: `${(total / most) * 100}%` }} />
            <b style={{ width: `${(count / most) * 100}%` }} />
          </span>
          <span className="facet-count">{int(count)}</span>
        </button>
      ))}
    </section>
  );
}

export function Explorer() {
  const t = useT();
  const app = useApp();
  const filters = useView("filters");
  const facets = useFacets(filters);
  const shown = FACETS.flatMap((name) => facets.data?.facets.filter((facet) => facet.name === name) ?? []);
  return (
    <>
      <header className="side-head">
        <h2>{t("view.explore")}</h2>
        {isFiltered(filters) && (
          <Link className="link-accent" onClick={() => app.filter(NO_FILTERS)}>{t("explore.clear")}</Link>
        )}
      </header>
      <div className="side-body">
        {facets.isError && !facets.data && <Failure error={facets.error} again={() => void facets.refetch()} />}
        {facets.isPending && <SkeletonRows count={14} height={24} />}
        {shown.filter((facet) => facet.values.length > 0).map((facet) => <FacetGroup key={facet.name} facet={facet} />)}
      </div>
    </>
  );
}
