import { markOf } from "@/theme/palette";

const SHAPE = {
  circle: <circle cx="4" cy="4" r="3.6" />,
  square: <rect x="0.8" y="0.8" width="6.4" height="6.4" />,
  triangle: <path d="M4 .6 7.8 7.4H.2z" />,
  diamond: <path d="M4 0 8 4 4 8 0 4z" />,
  cross: <path d="M2.9 .5h2.2v2.4h2.4v2.2H5.1v2.4H2.9V5.1H.5V2.9h2.4z" />,
};

/** A label's colour and shape. Never without its name beside it or in its title. */
export function Mark({ index, title }: { index: number; title?: string }) {
  if (index < 0) return null;
  const { colour, shape } = markOf(index);
  return (
    <svg className="mark" width="8" height="8" viewBox="0 0 8 8" style={{ fill: colour }} aria-hidden={title ? undefined : true} role={title ? "img" : undefined} aria-label={title}>
      {title && <title>{title}</title>}
      {SHAPE[shape]}
    </svg>
  );
}
