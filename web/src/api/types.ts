/** The words of the API, by name; `schema.ts` is generated and not written by hand. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type BuildInfo = Schemas["BuildInfo"];
export type BuildProgress = Schemas["BuildProgress"];
export type BuildReport = Schemas["BuildReport"];
export type Change = Schemas["Change"];
export type Changes = Schemas["Changes"];
export type ClassFigure = Schemas["ClassFigure"];
export type CommitInfo = Schemas["CommitInfo"];
export type Comparison = Schemas["Comparison"];
export type Detail = Schemas["Detail"];
export type EditAnswer = Schemas["EditAnswer"];
export type EditRequest = Schemas["EditRequest"];
export type Epoch = Schemas["Epoch"];
export type ErrorBody = Schemas["ErrorBody"];
export type Facet = Schemas["Facet"];
export type Facets = Schemas["Facets"];
export type HistoryEntry = Schemas["HistoryEntry"];
export type Item = Schemas["Item"];
export type Label = Schemas["Label"];
export type Neighbour = Schemas["Neighbour"];
export type Page = Schemas["Page"];
export type Problem = Schemas["Problem"];
export type ProblemPage = Schemas["ProblemPage"];
export type ProgramSummary = Schemas["ProgramSummary"];
export type ServerEvent = Schemas["ServerEvent"];
export type Session = Schemas["Session"];
export type UndoAnswer = Schemas["UndoAnswer"];

export type Verb = EditRequest["verb"];

/** No named type in the document, for FastAPI inlines a literal: docs/design/001-floor-plan.md has the table. */
export const ORDERS = ["worst", "id", "uncertain", "recent"] as const;
export type Order = (typeof ORDERS)[number];

/** Facets that are also query parameters, in the order the explorer shows them. */
export const FACETS = ["split", "finding", "state", "change", "label", "prediction"] as const;
export type FacetName = (typeof FACETS)[number];
export type Filters = Record<FacetName, string[]> & { q: string };
export type Probability = Schemas["Probability"];
