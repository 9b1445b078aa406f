import "./shell.css";

export { allActions } from "./registry";
export { Shell } from "./Shell";
