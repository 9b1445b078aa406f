import type { ReactNode } from "react";

const GAP = "\u0000";

/** The sentence around a word that is on the screen, for those who hear it: `phrase` is given the gap for the word. */
export function Spoken({ phrase, children }: { phrase: (gap: string) => string; children: ReactNode }) {
  const [before = "", after = ""] = phrase(GAP).split(GAP);
  return (
    <>
      {before && <span className="sr">{before}</span>}
      {children}
      {after && <span className="sr">{after}</span>}
    </>
  );
}
