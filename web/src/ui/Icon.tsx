/** 16 px line icons, drawn here so that the page asks nobody for them. Always beside a word or an accessible name. */
const PATHS = {
  grid: "M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5H9z",
  warning: "M8 2.2 14.3 13.4H1.7zM8 6.4v3.4M8 11.4v.6",
  pencil: "M3 13l.6-2.8L11 2.8l2.2 2.2-7.4 7.4zM9.6 4.2l2.2 2.2",
  branch: "M4.5 5.5v5M4.5 5.5a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2zM4.5 13.7a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2zM11.5 6.5a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2zM11.5 6.5c0 3-4 2.4-6.4 4.3",
  play: "M4.5 2.8v10.4L13 8z",
  gear: "M8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M12.4 3.6 11 5M5 11l-1.4 1.4",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.6V8l2.4 1.6",
  check: "M3 8.4l3.2 3.2L13 4.6",
  cross: "M4 4l8 8M12 4l-8 8",
  chevronDown: "M4 6l4 4 4-4",
  chevronRight: "M6 4l4 4-4 4",
  chevronUp: "M4 10l4-4 4 4",
  undo: "M5.5 3 2.6 6l2.9 3M3 6h6.2a3.6 3.6 0 0 1 0 7.2H6",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.6v1.8M8 12.6v1.8M1.6 8h1.8M12.6 8h1.8M3.5 3.5l1.2 1.2M11.3 11.3l1.2 1.2M12.5 3.5l-1.2 1.2M4.7 11.3l-1.2 1.2",
  moon: "M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z",
  half: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2v12M8.4 4.6h3.8M8.4 7.2h5M8.4 9.8h4.4",
  search: "M7 11.4a4.4 4.4 0 1 0 0-8.8 4.4 4.4 0 0 0 0 8.8zM10.4 10.4l3.2 3.2",
  stop: "M4 4h8v8H4z",
  plug: "M6 2.4v3M10 2.4v3M4.4 5.4h7.2v2.2a3.6 3.6 0 0 1-7.2 0zM8 11.2v2.6",
  side: "M2.5 3h11v10h-11zM6.4 3v10",
  right: "M2.5 3h11v10h-11zM9.6 3v10",
  bottom: "M2.5 3h11v10h-11zM2.5 9.2h11",
  broken: "M2.5 3h11v10h-11zM2.8 11l3.4-4 2.2 2.6M9.6 3.4 8.2 6l2.2 1.4L9 10.2l1.4 2.6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinejoin="round" strokeLinecap="round" />
    </svg>
  );
}
