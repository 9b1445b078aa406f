import { useEffect, useState } from "react";
import { useT } from "@/i18n";
import { Icon } from "./Icon";

/** Small pictures are shown crisp, large ones fitted; never out of aspect, with a checkerboard behind alpha. */
export function Picture({ src, width, height, alt, eager }: {
  src: string;
  width?: number;
  height?: number;
  alt: string;
  eager?: boolean;
}) {
  const t = useT();
  const [broken, setBroken] = useState(false);
  const [natural, setNatural] = useState<number>();
  useEffect(() => setBroken(false), [src]);
  const side = width && height ? Math.max(width, height) : natural;
  if (broken) {
    return (
      <span className="picture picture-broken" role="img" aria-label={t("picture.broken", { id: alt })}>
        <Icon name="broken" size={20} />
        <span>{t("picture.brokenShort")}</span>
      </span>
    );
  }
  return (
    <span className="picture">
      <img
        src={src}
        alt={alt}
        draggable={false}
        decoding={eager ? "sync" : "async"}
        className={side !== undefined && side < 64 ? "crisp" : undefined}
        onLoad={(event) => setNatural(Math.max(event.currentTarget.naturalWidth, event.currentTarget.naturalHeight))}
        onError={() => setBroken(true)}
      />
    </span>
  );
}
