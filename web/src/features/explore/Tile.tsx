import { memo, type MouseEvent } from "react";
import type { Item } from "@/api/types";
import { useT } from "@/i18n";
import { doubt } from "@/state/verbs";
import { two } from "@/ui/format";
import { Icon } from "@/ui/Icon";
import { Mark } from "@/ui/Mark";
import { Picture } from "@/ui/Picture";
import { Spoken } from "@/ui/Spoken";

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

function Name({ name, index, named }: { name: string; index: number; named: boolean }) {
  return (
    <>
      <Mark index={index} />
      <span className={named ? "label-name" : "sr"}>{name}</span>
    </>
  );
}

/** On the screen: marks, names and a number. To a screen reader: sentences with the same words. */
function Caption({ item, named, indexOf }: { item: Item; named: boolean; indexOf: TileProps["indexOf"] }) {
  const t = useT();
  const other = doubt(item);
  const given = item.given ?? t("label.none");
  const proposal = other && (
    <span className={named ? "tile-line tile-other" : "tile-other"}>
      <span aria-hidden="true">▸</span>
      <Spoken phrase={(label) => `, ${t("tile.says", { label })}`}><Name name={other} index={indexOf(other)} named={named} /></Spoken>
      {named && other === item.prediction && item.probability !== null && <span className="tile-p">{two(item.probability)}</span>}
    </span>
  );
  return (
    <span className="tile-caption">
      <span className="tile-line">
        <span className={other ? "tile-given" : "tile-agreed"}>
          <Spoken phrase={(label) => t("tile.given", { label })}><Name name={given} index={indexOf(item.given)} named={named} /></Spoken>
        </span>
        {!named && proposal}
        <span className="tile-flags">
          {item.edited && <span title={t("tile.edited")}><i className="dot" /><span className="sr">, {t("tile.edited")}</span></span>}
          {item.reviewed && <span title={t("tile.reviewed")}><Icon name="check" size={12} /><span className="sr">, {t("tile.reviewed")}</span></span>}
        </span>
      </span>
      {named && proposal}
    </span>
  );
}

export const Tile = memo(function Tile(props: TileProps) {
  const { item, index, column, size, current, selected } = props;
  const style = { width: size, height: size + captionHeight(size) };
  if (!item) {
    return <div role="gridcell" aria-colindex={column + 1} aria-busy="true" className="tile" style={style}><div className="skeleton" style={{ height: size }} /></div>;
  }
  return (
    <div
      id={`tile-${item.id}`}
      role="gridcell"
      aria-colindex={column + 1}
      aria-selected={selected}
      title={item.id}
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
