import "./pending.css";
import { commit } from "./actions/commit";
import { commitAndBuild } from "./actions/commitAndBuild";

export const pendingActions = [commit, commitAndBuild];
export { Pending, PendingSide } from "./Pending";
