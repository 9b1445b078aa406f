import { useLabelIndex } from "@/api/queries";
import { useT } from "@/i18n";
import { Mark } from "./Mark";

/** A label as it is written everywhere: its mark and its name. */
export function LabelName({ name }: { name: string | null }) {
  const t = useT();
  const index = useLabelIndex()(name);
  if (name === null) return <span className="label label-none">{t("label.none")}</span>;
  return (
    <span className="label">
      <Mark index={index} />
      <span className="label-name">{name}</span>
    </span>
  );
}

/** `Shirt ▸ Coat`: from what it was, or is given, to what it became, or is doubted to be. */
export function LabelPair({ from, to, tone = "" }: { from: string | null; to: string | null; tone?: string }) {
  const t = useT();
  return (
    <span className={`pair ${tone}`}>
      <LabelName name={from} />
      <span className="pair-to" aria-hidden="true">▸</span>
      <span className="sr">{t("label.to")}</span>
      <LabelName name={to} />
    </span>
  );
}
