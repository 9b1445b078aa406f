/** A label's mark: one colour of ten and one shape of five, by its place in the schema, the same everywhere.
 * Ten colours that stay apart under the common colour blindnesses, and a shape for when they do not. */
export const SHAPES = ["circle", "square", "triangle", "diamond", "cross"] as const;
export type Shape = (typeof SHAPES)[number];

export interface Mark {
  colour: string;
  shape: Shape;
}

export function markOf(index: number): Mark {
  // The shape moves on by one more after each round of colours, so that 50 labels have 50 different marks.
  return {
    colour: `var(--label-${index % 10})`,
    shape: SHAPES[(index + Math.floor(index / 10)) % SHAPES.length]!,
  };
}
