import { useEffect } from "react";
import { useDetail, useView } from "@/api/queries";
import { useT } from "@/i18n";
import { useApp } from "@/state/app";
import { doubt } from "@/state/verbs";
import { IconButton } from "@/ui/Button";
import { two } from "@/ui/format";
import { Keycaps } from "@/ui/Keycaps";
import { LabelName, LabelPair } from "@/ui/LabelName";
import { Picture } from "@/ui/Picture";
import { Failure } from "@/ui/States";
import { useExamples } from "./useExamples";

/** One example as large as the room allows. The keys are those of the grid. */
export function Loupe() {
  const t = useT();
  const app = useApp();
  const id = useView("id");
  const detail = useDetail(id);
  const { count, idAt, indexOf, between } = useExamples();
  useEffect(() => {
    app.list.set({
      name: "grid", count, columns: 1, idAt, indexOf, between, scrollTo: () => undefined,
      focus: () => document.getElementById("loupe")?.focus(),
    });
    document.getElementById("loupe")?.focus();
  }, [app, count, idAt, indexOf, between]);
  if (detail.isError && !detail.data) return <Failure error={detail.error} again={() => void detail.refetch()} />;
  const item = detail.data?.item;
  const other = item && doubt(item);
  return (
    <section id="loupe" className="loupe" tabIndex={-1} aria-label={t("loupe.name")}>
      <header className="toolbar-line">
        {item && (other ? <LabelPair from={item.given} to={other} tone="pair-doubt" /> : <LabelName name={item.given} />)}
        {item && other && other === item.prediction && item.probability !== null && <span className="tile-p">{two(item.probability)}</span>}
        {item?.reviewed && <span className="note">{t("tile.reviewed")}</span>}
        <span className="space" />
        <span className="hint"><Keycaps keys="Enter" /> {t("key.accept")} <Keycaps keys="x" /> {t("key.keep")} <Keycaps keys="Space" /> {t("key.later")}</span>
        <IconButton name={t("loupe.close")} keys="Escape" icon="cross" onClick={() => app.go({ big: false })} />
      </header>
      <div className="loupe-picture">
        {item && <Picture key={item.id} src={item.media} width={item.width} height={item.height} alt={item.id} eager />}
      </div>
    </section>
  );
}
