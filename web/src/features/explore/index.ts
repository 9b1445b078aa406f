import "./explore.css";

export { exploreActions } from "./actions";
export { Explorer } from "./Explorer";
export { Grid } from "./Grid";
export { Inspector } from "./Inspector";
export { Loupe } from "./Loupe";
