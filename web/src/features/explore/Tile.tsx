import { memo, type MouseEvent } from "react";
import type { Item } from "@/api/types";
import { useT } from "@/i18n";
import { doubt } from "@/state/verbs";
import { two } from "@/ui/format";
import { Icon } from "@/ui/Icon";
import { Mark } from "@/ui/Mark";
import { Picture } from "@/ui/Picture";

/** Below this the names do not fit, and the marks speak alone (the names are in the title). */
export const NAMED_FROM = 84;

/** Two lines of names, or one of marks. */
export const captionHeight = (size: number) => (size >= NAMED_FROM ? 36 : 20);

export interface TileProps {
  item: Item | undefined;
  index: number;
  column: number;
  size: number;
  current: boolean;
  selected: boolean;
  indexOf: (label: string | null) => number;
  onPress: (event: MouseEvent, index: number) => void;
  onOpen: (index: number) => void;
  onMenu: (event: MouseEvent, index: number) => void;
}

export const tileId = (id: string) => `tile-${id}`;

function Name({ name, index, named }: { name: string | null; index: number; named: boolean }) {
  return (
    <>
      <Mark index={index} />
      {named && <span className="label-name">{name}</span>}
    </>
  );
}

function Caption({ item, named, indexOf }: { item: Item; named: boolean; indexOf: TileProps["indexOf"] }) {
  const t = useT();
  const other = doubt(item);
  return (
    <span className="tile-caption">
      <span className="tile-line">
        <span className={other ? "tile-given" : "tile-agreed"}>
          <Name name={item.given ?? t("label.none")} index={indexOf(item.given)} named={named} />
        </span>
        {!named && other && <span className="tile-other">▸<Mark index={indexOf(other)} /></span>}
        <span className="tile-flags">
          {item.edited && <i className="dot" title={t("tile.edited")} />}
          {item.reviewed && <span title={t("tile.reviewed")}><Icon name="check" size={12} /></span>}
        </span>
      </span>
      {other && named && (
        <span className="tile-line tile-other">
          <span aria-hidden="true">▸</span>
          <Name name={other} index={indexOf(other)} named />
          {item.probability !== null && <span className="tile-p">{two(item.probability)}</span>}
        </span>
      )}
    </span>
  );
}

function words(t: ReturnType<typeof useT>, item: Item): string {
  const other = doubt(item);
  return [
    item.id,
    t("tile.given", { label: item.given ?? t("label.none") }),
    other ? t("tile.says", { label: other, p: item.probability === null ? "" : two(item.probability) }) : "",
    item.reviewed ? t("tile.reviewed") : "",
    item.edited ? t("tile.edited") : "",
  ].filter(Boolean).join(", ");
}

export const Tile = memo(function Tile(props: TileProps) {
  const t = useT();
  const { item, index, column, size, current, selected } = props;
  const style = { width: size, height: size + captionHeight(size) };
  if (!item) {
    return <div role="gridcell" aria-colindex={column + 1} aria-busy="true" className="tile" style={style}><div className="skeleton" style={{ height: size }} /></div>;
  }
  const text = words(t, item);
  return (
    <div
      id={tileId(item.id)}
      role="gridcell"
      aria-colindex={column + 1}
      aria-selected={selected}
      aria-label={text}
      title={text}
      className="tile"
      data-testid="tile"
      data-id={item.id}
      data-current={current || undefined}
      data-selected={selected || undefined}
      style={style}
      onClick={(event) => props.onPress(event, index)}
      onDoubleClick={() => props.onOpen(index)}
      onContextMenu={(event) => props.onMenu(event, index)}
    >
      <span className="tile-picture" style={{ height: size }}>
        <Picture src={item.thumb} width={item.width} height={item.height} alt={item.id} />
        {item.finding && !item.reviewed && item.proposed === item.given && <span className="tile-code">{item.finding}</span>}
      </span>
      <Caption item={item} named={size >= NAMED_FROM} indexOf={props.indexOf} />
    </div>
  );
});
