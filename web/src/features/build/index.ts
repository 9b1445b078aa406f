import "./build.css";
import { build } from "./actions/build";
import { cancel } from "./actions/cancel";
import { seeWorst } from "./actions/seeWorst";

export const buildActions = [build, cancel, seeWorst];
export { Build, BuildPanel, BuildSide, OutputPanel, useRunning } from "./Build";
export { BuildButton } from "./BuildButton";
